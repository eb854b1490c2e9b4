#include "memory/compute.hpp"

#include <algorithm>

#include "base/format.hpp"
#include "base/text.hpp"
#include "memory/sizes.hpp"

namespace hal0::memory {
namespace {

constexpr std::int64_t half_bytes = 2;
constexpr std::int64_t index_bytes = 40;  // over the most of those measured (tests/archs)

enum class Kernels { Fused, Separate };  // flash attention keeps no scores

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

std::int64_t widest(ModelShape const& shape, std::int64_t LayerShape::* row) {
    std::int64_t most = 0;
    for (auto const& layer : shape.layers)
        most = std::max(most, layer.*row);
    return most;
}

// Numbers of a token that are alive together in the widest place of a layer.
std::int64_t row_of_layer(ModelShape const& shape) {
    auto const attention =
        product({4, shape.query_row}) + product({8, std::max(shape.embedding, shape.embedding_out)});
    auto const indexer = product({3, shape.index_heads, widest(shape, &LayerShape::index_key_row)});
    auto const recurrent = product({4, shape.recurrent_row});
    auto const dense = product({3, shape.feed_forward});
    auto const expert = product({3, shape.expert_feed_forward}) + product({2, shape.embedding});
    auto const mixture = product({shape.experts_used, expert}) + product({4, shape.experts});
    return attention + indexer + recurrent + std::max(dense, mixture);
}

// Scores for each pair of a token and what it looks at.
std::int64_t scores(ModelShape const& shape, ContextPlan const& plan, std::int64_t looked_at,
                    Kernels kernels) {
    auto const pairs = product({looked_at, plan.ubatch});
    std::int64_t sum = 0;
    if (kernels == Kernels::Separate) {
        sum += product({pairs, shape.heads, float_bytes});
        sum += product({looked_at, widest(shape, &LayerShape::key_row), float_bytes});
    }
    // Of an indexer: its scores, their order and a mask made of them, for each sequence that shares the
    // cells.
    if (shape.index_heads > 0) sum += product({pairs, index_bytes, plan.streams == 1 ? plan.sequences : 1});
    return sum;
}

}  // namespace

ComputeBound compute_bound(ModelShape const& shape, ContextPlan const& plan,
                           engines::PlanRequest const& request) {
    bool const caches =
        shape.memory == Memory::Cache || shape.memory == Memory::Hybrid || shape.memory == Memory::Compressed;
    auto const looked_at = caches ? plan.cells : plan.ubatch;
    auto const outputs = shape.memory == Memory::Encoder ? 0 : std::min(plan.ubatch, plan.outputs);
    bool const fused =
        request.flash_attention != engines::FlashAttention::Off && shape.can_fuse && !shape.has_encoder;
    // For all tokens and for the window; flash attention takes halves.
    auto const mask = product({looked_at + plan.window_cells, plan.ubatch, fused ? half_bytes : float_bytes});
    auto const pairs = scores(shape, plan, looked_at, fused ? Kernels::Fused : Kernels::Separate);
    auto const logits = product({shape.vocabulary, outputs, float_bytes});
    auto const rows = product({row_of_layer(shape), plan.ubatch, float_bytes});
    auto const states = product({4, numbers_of_states(shape), plan.sequences, float_bytes});
    ComputeBound bound{.inputs = {mask + product({2, shape.embedding, plan.ubatch, float_bytes})},
                       .activations = {pairs + logits + rows + states}};
    bound.source = format(
        "at most: masks {}, scores {}, logits {} ({} a row), activations {} ({} tokens), states {}",
        human({mask}), human({pairs}), human({logits}), outputs, human({rows}), plan.ubatch, human({states}));
    return bound;
}

}  // namespace hal0::memory
