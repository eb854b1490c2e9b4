#pragma once
// Formatting: fmt, named only here, so that the day std::format arrives is a one-file change.
#include <fmt/format.h>

namespace hal0 {

using fmt::format;
using fmt::format_string;
using fmt::format_to;

}  // namespace hal0
