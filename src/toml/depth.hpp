#pragma once
// Guards the parser: it builds one table in another for each part of a dotted key, and takes them down again
// by recursion, so a key of a hundred thousand parts would end the process.
#include <cstddef>
#include <optional>
#include <string_view>

namespace hal0::toml {

// Where a key of more than `parts_max` dotted parts goes over that number; nothing when there is none. Exact
// for TOML; of other text it may say anything, the parser has its own word on that.
std::optional<std::size_t> too_deep(std::string_view text, std::size_t parts_max);

}  // namespace hal0::toml
