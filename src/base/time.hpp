#pragma once
// Points in time as the API and the logs write them: RFC 3339, UTC, whole seconds ("2025-01-31T09:30:00Z").
#include <optional>
#include <string>
#include <string_view>

#include "base/units.hpp"

namespace hal0 {

std::string rfc3339(WallTime time);
// What rfc3339() writes; nothing for any other text.
std::optional<WallTime> from_rfc3339(std::string_view text);

}  // namespace hal0
