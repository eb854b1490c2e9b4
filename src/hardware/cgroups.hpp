#pragma once
// What the control groups of this process allow it (cgroups(7), both versions). A limit may stand on any
// group above, and a container sees only a part of them: the least of what is seen holds, and there may be a
// lesser one.
#include <optional>
#include <string_view>

#include "hardware/reader.hpp"

namespace hal0::hardware {

struct CgroupLimits {
    std::optional<Bytes> memory_limit{};
    // Of the group that has that limit:
    std::optional<Bytes> memory_used{};         // page cache with it
    std::optional<Bytes> memory_reclaimable{};  // of that, the page cache, which gives way
    std::optional<double> cpu_quota{};          // processors' worth of time
};
CgroupLimits read_cgroups(Reader& reader);

struct MemoryLimit {
    bool valid{false};
    std::optional<Bytes> bytes{};  // nothing: no limit
};
// "max", a size, or version 1's huge number for none.
MemoryLimit parse_memory_limit(std::string_view text);
// "200000 100000" -> 2.0; "max 100000" -> nothing.
std::optional<double> parse_cpu_max(std::string_view text);

}  // namespace hal0::hardware
