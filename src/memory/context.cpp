#include "memory/context.hpp"

#include <algorithm>
#include <array>

#include "memory/sizes.hpp"

namespace hal0::memory {
namespace {

using engines::KvType;

constexpr std::int64_t cells_step = 256;  // GGML_PAD(n_ctx, 256)
constexpr std::int64_t context_max = std::int64_t{1} << 32;
constexpr std::int64_t sequences_max = 256;  // LLAMA_MAX_SEQ
constexpr std::int64_t drafted_max = 1024;

struct BlockOf {
    std::int64_t numbers;
    std::int64_t bytes;
};
// In the order of KvType.
constexpr std::array<BlockOf, engines::kv_type_names.size()> blocks{
    {{1, 4}, {1, 2}, {1, 2}, {32, 34}, {32, 24}, {32, 22}, {32, 20}, {32, 18}, {32, 18}}};

Bytes tensor(std::int64_t row, std::int64_t rows) {
    return {round_up(product({row, rows}), tensor_alignment)};
}

Bytes cache(ContextPlan const& plan, std::int64_t cells, std::int64_t key_row, std::int64_t value_row) {
    auto const rows = product({cells, plan.streams});
    return tensor(row_bytes(plan.keys, key_row), rows) + tensor(row_bytes(plan.values, value_row), rows);
}

Bytes layer_context(ModelShape const& shape, LayerShape const& layer, ContextPlan const& plan) {
    Bytes sum{};
    for (auto const state : layer.states)
        sum += tensor(product({state, float_bytes}), plan.sequences * plan.state_copies);
    if (layer.attention == Attention::None) return sum;
    auto const cells = layer.attention == Attention::Sliding ? plan.window_cells : plan.cells;
    auto const values = plan.values_padded ? std::max(layer.value_row, shape.value_row_max) : layer.value_row;
    sum += cache(plan, cells, layer.key_row, values);
    auto const compressed =
        layer.compress > 0
            ? round_up(std::max<std::int64_t>((plan.cells + layer.compress - 1) / layer.compress, 1),
                       cells_step)
            : plan.cells;
    if (layer.compress > 0) sum += cache(plan, compressed, layer.key_row, 0);
    bool const index_pads = plan.values_padded && layer.index_value_row > 0;
    sum += cache(plan, compressed, layer.index_key_row,
                 index_pads ? shape.index_value_row_max : layer.index_value_row);
    return sum;
}

}  // namespace

std::int64_t row_bytes(KvType type, std::int64_t numbers) {
    auto const& block = blocks[static_cast<std::size_t>(type)];
    return (numbers + block.numbers - 1) / block.numbers * block.bytes;
}

ContextPlan context_plan(ModelShape const& shape, engines::PlanRequest const& request) {
    auto const asked = request.context.count > 0 ? request.context.count : shape.context_trained.count;
    auto const context = std::clamp<std::int64_t>(asked, 1, context_max);
    auto const batch = std::max<std::int64_t>(request.batch.count, 1);
    auto const taken = shape.causal ? std::min(context, batch) : batch;
    bool const every_token = request.embeddings || shape.has_encoder;
    ContextPlan plan{
        .sequences = std::clamp<std::int64_t>(request.parallel, 1, sequences_max),
        .batch = taken,
        .ubatch = request.ubatch.count > 0 ? std::min(taken, request.ubatch.count) : taken,
        .keys = request.kv_type_k,
        .values = request.kv_type_v,
        .values_padded = request.flash_attention == engines::FlashAttention::Off || !shape.can_fuse};
    using engines::Drafter;
    bool const checks = request.drafter != Drafter::None && !request.of_mtp;
    auto const drafted = checks ? std::clamp<std::int64_t>(request.drafted, 0, drafted_max) : 0;
    plan.outputs =
        every_token ? std::max(taken, plan.sequences) : std::min(taken, plan.sequences * (1 + drafted));
    plan.outputs = std::max(plan.outputs, plan.sequences);
    if (request.drafter == Drafter::Mtp) plan.state_copies = 1 + drafted;
    auto const padded = round_up(context, cells_step);
    bool const shared = request.unified_kv;
    plan.cells = shared ? padded : round_up(std::max<std::int64_t>(padded / plan.sequences, 1), cells_step);
    // DeepSeek-V4 never shares its caches.
    plan.streams = shared && shape.memory != Memory::Compressed ? 1 : plan.sequences;
    auto const windows = product({shape.window.count, plan.streams == 1 ? plan.sequences : 1});
    plan.window_cells = round_up(std::min(plan.cells, windows + plan.ubatch), cells_step);
    return plan;
}

std::vector<Bytes> context_by_layer(ModelShape const& shape, ContextPlan const& plan) {
    std::vector<Bytes> result;
    result.reserve(shape.layers.size());
    for (auto const& layer : shape.layers)
        result.push_back(layer_context(shape, layer, plan));
    return result;
}

Bytes checkpoint_bytes(ModelShape const& shape, ContextPlan plan) {
    plan.streams = plan.sequences = plan.state_copies = 1;
    Bytes sum{};
    for (auto layer : shape.layers) {
        if (layer.attention == Attention::Global) layer.attention = Attention::None;
        sum += layer_context(shape, layer, plan);
    }
    return sum;
}

}  // namespace hal0::memory
