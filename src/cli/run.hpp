#pragma once
// The command line: from what was typed to an exit code.
#include <string>
#include <vector>

#include "cli/context.hpp"

namespace hal0::cli {

// `typed`: what stands after the program's name. Errors are printed as "hal0: MESSAGE" on the error stream.
// 0: done; 1: failed; 2: typed wrongly; 130: ended by Ctrl-C.
int run(std::vector<std::string> const& typed, Terminal& terminal, Program const& program,
        os::Environment const& environment = os::environment_of_process);

}  // namespace hal0::cli
