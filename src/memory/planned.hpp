#pragma once
// An engine's own plan as an estimate: exact, for the backend that made it.
#include <string>

#include "engines/plan_request.hpp"
#include "engines/planner_protocol.hpp"
#include "memory/estimate.hpp"
#include "memory/shape.hpp"

namespace hal0::memory {

inline constexpr std::string_view prompt_cache_term = "prompt cache";

// `gpu`: what hal0 calls the GPU that the engine planned for; `by`: the engine and its version.
MemoryEstimate planned(engines::Plan const& plan, std::string const& gpu, std::string const& by);

inline constexpr std::string_view checkpoints_term = "context checkpoints";

// Adds what is loaded beside a model to its estimate, each term under a name of its own: "draft " makes
// "draft weights".
void add_beside(MemoryEstimate& estimate, MemoryEstimate const& beside, std::string_view prefix);

// What grows up to its limit and is in no plan, on the host: copies of what a sequence can't go back in, and
// the prompt cache.
Bytes checkpoints(ModelShape const& shape, engines::PlanRequest const& request);
void add_growing(MemoryEstimate& estimate, ModelShape const& shape, engines::PlanRequest const& request);

}  // namespace hal0::memory
