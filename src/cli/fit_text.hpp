#pragma once
// The bodies of `hal0 fit` and `hal0 loadout` as text for people. Pure.
#include <string>
#include <vector>

#include "cli/text.hpp"
#include "wire/fit_views.hpp"

namespace hal0::cli {

// The verdict first, then what it stands on.
std::string fit_text(Terminal const& terminal, wire::FitView const& view);

std::string loadouts_list(Terminal const& terminal, std::vector<wire::LoadoutView> const& loadouts);
std::string loadout_text(Terminal const& terminal, wire::LoadoutView const& loadout);

}  // namespace hal0::cli
