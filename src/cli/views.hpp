#pragma once
// The API's bodies as text for people. Pure.
#include <string>
#include <vector>

#include "cli/text.hpp"
#include "wire/views.hpp"

namespace hal0::cli {

Table slots_table(std::vector<wire::SlotView> const& slots, WallTime now);
Table models_table(std::vector<wire::ModelView> const& models);
Table engines_table(std::vector<wire::EngineView> const& engines);

// All about one thing, a line each; what is empty is left out.
std::string details(Terminal const& terminal, wire::SlotView const& slot, WallTime now);
std::string details(Terminal const& terminal, wire::ModelView const& model);
std::string details(Terminal const& terminal, wire::EngineView const& engine);

std::string overview(Terminal const& terminal, wire::StatusView const& status, WallTime now);
std::string event_line(Terminal const& terminal, wire::EventView const& event);

Style style_of_state(std::string_view state);  // of a slot, model, engine or job

}  // namespace hal0::cli
