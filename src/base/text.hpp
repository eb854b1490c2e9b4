#pragma once
// Small things done to text. No locale, no regular expressions; ASCII rules unless said otherwise.
#include <cstddef>
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

// A stranger's text as it may stand in a message, whatever its length: as it is, or its beginning (whole
// characters) and "…".
inline constexpr std::size_t clipped_bytes_max = 100;
std::string clipped(std::string_view text);

// The nearest of `names` to a mistyped `text`, when near enough to be worth suggesting. Nobody mistypes a
// text over `nearest_bytes_max`, and comparing costs the product of both lengths: there is none for it.
inline constexpr std::size_t nearest_bytes_max = 64;
std::optional<std::string> nearest(std::string_view text, std::vector<std::string> const& names);

bool valid_utf8(std::string_view text);

}  // namespace hal0
