#pragma once
// `hal0 fit`: what a model would take, term by term, and whether this box has it. Needs no daemon.
#include "app/box.hpp"
#include "app/sizing.hpp"
#include "cli/context.hpp"
#include "wire/fit_views.hpp"

namespace hal0::app {

wire::FitVerdict view_of(memory::Judgement const& judgement, memory::Target const& target);

Result<int> fit_command(cli::Arguments const& arguments, cli::Context& context);

}  // namespace hal0::app
