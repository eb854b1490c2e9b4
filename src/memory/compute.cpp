#include "memory/compute.hpp"

#include <algorithm>

#include "base/format.hpp"
#include "memory/saturating.hpp"

namespace hal0::memory {
namespace {

constexpr std::int64_t float_bytes = 4;
constexpr std::int64_t half_bytes = 2;

std::int64_t numbers_of_states(ModelShape const& shape) {
    std::int64_t most = 0;
    for (auto const& layer : shape.layers) {
        std::int64_t sum = 0;
        for (auto const state : layer.states)
            sum += state;
        most = std::max(most, sum);
    }
    return most;
}

// Rows of a token that are alive together in the widest place of a layer.
std::int64_t row_of_layer(ModelShape const& shape) {
    auto const attention = product({4, shape.query_row}) + product({8, shape.embedding});
    auto const dense = product({3, shape.feed_forward});
    auto const expert = product({3, shape.expert_feed_forward}) + product({2, shape.embedding});
    auto const mixture = product({shape.experts_used, expert}) + product({4, shape.experts});
    return attention + std::max(dense, mixture);
}

}  // namespace

ComputeBound compute_bound(ModelShape const& shape, ContextPlan const& plan,
                           engines::PlanRequest const& request) {
    bool const caches =
        shape.memory == Memory::Cache || shape.memory == Memory::Hybrid || shape.memory == Memory::Compressed;
    auto const looked_at = caches ? plan.cells : plan.ubatch;
    bool const fused = request.flash_attention != engines::FlashAttention::Off;
    // A mask of floats, one of halves for flash attention, for all tokens and for the window.
    auto const mask = product({looked_at + plan.window_cells, plan.ubatch, float_bytes + half_bytes});
    auto const scores = fused ? 0 : product({2, looked_at, plan.ubatch, shape.heads, float_bytes});
    auto const logits = product({shape.vocabulary, plan.ubatch, float_bytes});
    auto const rows = product({row_of_layer(shape), plan.ubatch, float_bytes});
    auto const states = product({4, numbers_of_states(shape), plan.sequences, float_bytes});
    ComputeBound bound{.inputs = {mask + product({2, shape.embedding, plan.ubatch, float_bytes})},
                       .activations = {scores + logits + rows + states}};
    bound.source = format(
        "at most: masks {}, attention scores {}, logits of {} tokens {}, activations {}, states {} bytes",
        mask, scores, plan.ubatch, logits, rows, states);
    return bound;
}

}  // namespace hal0::memory
