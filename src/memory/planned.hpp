#pragma once
// An engine's own plan as an estimate: exact, for the backend that made it.
#include <string>

#include "engines/plan_request.hpp"
#include "engines/planner_protocol.hpp"
#include "memory/estimate.hpp"

namespace hal0::memory {

inline constexpr std::string_view prompt_cache_term = "prompt cache";

// `gpu`: what hal0 calls the GPU that the engine planned for; `by`: the engine and its version.
MemoryEstimate planned(engines::Plan const& plan, std::string const& gpu, std::string const& by);

// Adds the prompt cache, which grows up to its limit and is in no plan.
void add_prompt_cache(MemoryEstimate& estimate, engines::PlanRequest const& request);

}  // namespace hal0::memory
