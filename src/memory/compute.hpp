#pragma once
// A bound for the buffers that computing takes. No closed form of them is exact: what lives at one time is
// found by the engine's allocator on the graph it has built.
#include <string>

#include "memory/context.hpp"
#include "memory/shape.hpp"

namespace hal0::memory {

struct ComputeBound {
    Bytes inputs{};  // masks, positions, looked-up embeddings: on the host also when layers are on a GPU
    Bytes activations{};
    std::string source{};
};
ComputeBound compute_bound(ModelShape const& shape, ContextPlan const& plan,
                           engines::PlanRequest const& request);

}  // namespace hal0::memory
