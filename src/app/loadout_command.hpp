#pragma once
// `hal0 loadout list|show|fit`: which models make a box good at something, and whether this one holds them.
#include "app/box.hpp"
#include "cli/context.hpp"
#include "models/loadouts.hpp"
#include "wire/fit_views.hpp"

namespace hal0::app {

wire::LoadoutView view_of(models::Loadout const& loadout);
// The same with what each tier takes on a box, all its slots loaded at a time beside what is there now.
Result<wire::LoadoutView> fitted(models::Loadout const& loadout, Box const& box, Device const& device);

Result<int> loadout_list_command(cli::Arguments const& arguments, cli::Context& context);
Result<int> loadout_show_command(cli::Arguments const& arguments, cli::Context& context);
Result<int> loadout_fit_command(cli::Arguments const& arguments, cli::Context& context);

}  // namespace hal0::app
