#pragma once
// What /health and /v1/models say, rendered from a route table once per table.
#include <optional>
#include <string>
#include <string_view>

#include "dispatch/route_table.hpp"

namespace hal0::api {

// OpenAI's list: each slot's name, then each model id once. Beside OpenAI's fields: context_length, and what
// hal0 knows under "hal0" {slot, model, kind, ready}.
std::string render_models(dispatch::RouteTable const& table);
std::optional<std::string> render_model(dispatch::RouteTable const& table, std::string_view id);
std::string render_health(
    dispatch::RouteTable const& table);  // {"status":"ok","slots":{"ready":1,"total":2}}

}  // namespace hal0::api
