#pragma once
// What slots hold of a target's memory, and would give back. Pure.
#include <vector>

#include "hardware/report.hpp"
#include "memory/holders.hpp"
#include "memory/verdict.hpp"

namespace hal0::memory {

// Those of `holders` that are slots and hold something, in the order in which they would go: `companions` (by
// name: embeddings, voice, what is small and asked for beside everything) after all others, and of each kind
// the largest first.
std::vector<Resident> residents(Holders const& holders, hardware::HardwareReport const& report,
                                Target const& target, std::vector<std::string> const& companions);

// `pools` with the models that slots have mapped as used. To the counters those pages are cache; a slot that
// loses them reads its model from the disk for every token.
std::vector<Pool> with_mapped(std::vector<Pool> pools, Holders const& holders);

}  // namespace hal0::memory
