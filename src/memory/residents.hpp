#pragma once
// What slots hold of a target's memory, and would give back. Pure.
#include <vector>

#include "hardware/report.hpp"
#include "memory/holders.hpp"
#include "memory/verdict.hpp"

namespace hal0::memory {

// Those of `holders` that are slots and hold something, in the order in which they would go: `companions` (by
// name: embeddings, voice, what is small and asked for beside everything) after all others, and of each kind
// the largest first. Mapped files aren't counted: their memory is free already, as MemAvailable has it.
std::vector<Resident> residents(Holders const& holders, hardware::HardwareReport const& report,
                                Target const& target, std::vector<std::string> const& companions);

}  // namespace hal0::memory
