#pragma once
// The API's bodies as text for people. Pure.
#include <string>
#include <vector>

#include "cli/text.hpp"
#include "wire/views.hpp"

namespace hal0::cli {

// Tables; below those of slots and models, a line each, why one isn't as it should be.
std::string slots_list(Terminal const& terminal, std::vector<wire::SlotView> const& slots, WallTime now);
std::string models_list(Terminal const& terminal, std::vector<wire::ModelView> const& models);
std::string engines_list(Terminal const& terminal, std::vector<wire::EngineView> const& engines);

// All about one thing, a line each; what is empty is left out.
std::string details(Terminal const& terminal, wire::SlotView const& slot, WallTime now);
std::string details(Terminal const& terminal, wire::ModelView const& model);
std::string details(Terminal const& terminal, wire::EngineView const& engine);

std::string overview(Terminal const& terminal, wire::StatusView const& status, WallTime now);
std::string event_line(Terminal const& terminal, wire::EventView const& event);

Style style_of_state(std::string_view state);  // of a slot, model, engine or job

}  // namespace hal0::cli
