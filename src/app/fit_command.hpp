#pragma once
// `hal0 fit`: what a model would take, term by term, and whether this box has it. Needs no daemon.
#include "cli/context.hpp"

namespace hal0::app {

Result<int> fit_command(cli::Arguments const& arguments, cli::Context& context);

}  // namespace hal0::app
