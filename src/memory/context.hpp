#pragma once
// The bytes of a context: keys, values and recurrent states, layer by layer, as llama.cpp build 11434 lays
// them out (src/llama-kv-cache*.cpp, src/llama-memory-*.cpp, and the rounding of src/llama-context.cpp).
#include <vector>

#include "engines/plan_request.hpp"
#include "memory/shape.hpp"

namespace hal0::memory {

// What the engine makes of a request before it allocates.
struct ContextPlan {
    std::int64_t cells{0};    // of each stream, for layers that look at everything
    std::int64_t streams{1};  // caches side by side: one for all sequences, or each its own
    std::int64_t sequences{1};
    std::int64_t state_copies{1};  // of recurrent states, for each sequence: one for each token taken back
    std::int64_t batch{0};
    std::int64_t ubatch{0};
    std::int64_t outputs{0};       // rows of logits that one batch can ask for
    std::int64_t window_cells{0};  // of each stream, for sliding layers
    engines::KvType keys{};
    engines::KvType values{};
    bool values_padded{false};  // without flash attention all layers' values are as wide as the widest's
};

ContextPlan context_plan(ModelShape const& shape, engines::PlanRequest const& request);
std::vector<Bytes> context_by_layer(ModelShape const& shape, ContextPlan const& plan);

// One copy of what a sequence can't go back in by itself: sliding windows and states.
Bytes checkpoint_bytes(ModelShape const& shape, ContextPlan plan);

// The bytes of a row of `numbers`, in whole blocks.
std::int64_t row_bytes(engines::KvType type, std::int64_t numbers);

}  // namespace hal0::memory
