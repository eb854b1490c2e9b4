#pragma once
// `hal0 doctor`.
#include "cli/context.hpp"

namespace hal0::app {

Result<int> doctor_command(cli::Arguments const& arguments, cli::Context& context);

}  // namespace hal0::app
