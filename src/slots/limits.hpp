#pragma once
// What a slot has patience for, where its file says nothing else.
#include <chrono>

namespace hal0::slots {

// From a worker's start to its first "ready"; a load that takes longer is given up. Requests wait as long.
inline constexpr std::chrono::seconds load_timeout{600};
// From an unload to the end of the last request in flight; those that take longer are cut off.
inline constexpr std::chrono::seconds drain_timeout{300};

}  // namespace hal0::slots
