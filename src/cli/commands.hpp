#pragma once
// Every command hal0 has: the one place to add one.
#include "cli/command.hpp"
#include "cli/context.hpp"

namespace hal0::cli {

CommandTable make_commands(Program const& program);

}  // namespace hal0::cli
