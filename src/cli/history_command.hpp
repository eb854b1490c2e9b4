#pragma once
// `hal0 history`: what requests, loads and events there were.
#include "cli/command.hpp"

namespace hal0::cli {

Result<int> history(Arguments const& arguments, Context& context);

}  // namespace hal0::cli
