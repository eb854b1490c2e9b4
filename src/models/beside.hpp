#pragma once
// Files that stand in a model's directory beside its own.
#include <string_view>

namespace hal0::models {

inline constexpr std::string_view measured_name =
    "measured.json";  // what its loads took (memory/measurement)

}  // namespace hal0::models
