#pragma once
// What the CLI does by itself where no daemon runs.
#include "app/work.hpp"
#include "cli/context.hpp"

namespace hal0::app {

cli::Offline offline_work();

// What the work tells, as news of a job: how far it is, or a note alone.
Telling telling(cli::Offline::OnJob const& on_job);

// The runs of the hidden commands `hal0 job KIND SUBJECT` and `hal0 slot exec NAME`.
Result<int> job_command(cli::Arguments const& arguments, cli::Context& context);
Result<int> slot_exec_command(cli::Arguments const& arguments, cli::Context& context);

}  // namespace hal0::app
