#pragma once
// What a slot has patience for.
#include <chrono>

#include "base/units.hpp"

namespace hal0::slots {

// From a worker's start to its first "ready"; a load that takes longer is given up. No request waits longer.
inline constexpr std::chrono::seconds load_patience{600};

}  // namespace hal0::slots
