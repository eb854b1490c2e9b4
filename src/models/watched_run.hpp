#pragma once
// Another program run to its end while somebody looks in on it: for programs that tell their progress only by
// the files they write.
#include <functional>
#include <string>

#include "base/result.hpp"
#include "os/child.hpp"

namespace hal0::models {

enum class Look { GoOn, Stop };

// Blocks. What the program says goes to the file `log`, begun anew. `look` is asked four times a second;
// after Stop the program is told to end (SIGTERM), and made to some seconds later.
Result<os::ExitStatus> run_watched(os::Command command, std::string const& log,
                                   std::function<Look()> const& look);

}  // namespace hal0::models
