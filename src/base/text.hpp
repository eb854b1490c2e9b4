#pragma once
// Small things done to text. No locale, no regular expressions; ASCII rules unless said otherwise.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/units.hpp"

namespace hal0 {

std::string_view trim(std::string_view text);                           // spaces, tabs, CR, LF at both ends
std::vector<std::string_view> split(std::string_view text, char mark);  // "a,,b" -> a, "", b; "" -> {}
std::string join(std::vector<std::string> const& parts, std::string_view between);
std::string lower(std::string_view text);
bool equal_fold(std::string_view a, std::string_view b);  // ASCII case-insensitive

// The whole text as a decimal number, or nothing (sign only for signed; no spaces; no overflow).
std::optional<std::int64_t> to_int(std::string_view text);

// "1.5 GiB", "92 MiB", "17 B": for people. Programs get bytes.
std::string human(Bytes bytes);

// The nearest of `names` to a mistyped `text`, when near enough to be worth suggesting.
std::optional<std::string> nearest(std::string_view text, std::vector<std::string> const& names);

bool valid_utf8(std::string_view text);

}  // namespace hal0
