#pragma once
// What no planner and no formula sees: the process itself, and what a GPU's driver takes for a program that
// opens it. docs/memory.md says where each figure comes from.
#include "memory/estimate.hpp"
#include "memory/verdict.hpp"

namespace hal0::memory {

inline constexpr std::string_view process_term = "process";
inline constexpr std::string_view driver_term = "driver context";

// Adds both to the estimate.
void add_overhead(MemoryEstimate& estimate, Target const& target);

}  // namespace hal0::memory
