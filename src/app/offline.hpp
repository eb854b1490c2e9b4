#pragma once
// What the CLI does by itself where no daemon runs.
#include "cli/context.hpp"

namespace hal0::app {

cli::Offline offline_work();

// The runs of the hidden commands `hal0 job KIND SUBJECT` and `hal0 slot exec NAME`.
Result<int> job_command(cli::Arguments const& arguments, cli::Context& context);
Result<int> slot_exec_command(cli::Arguments const& arguments, cli::Context& context);

}  // namespace hal0::app
