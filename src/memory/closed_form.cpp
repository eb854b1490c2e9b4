#include "memory/closed_form.hpp"

#include <algorithm>
#include <utility>

#include "base/format.hpp"
#include "memory/compute.hpp"
#include "memory/context.hpp"
#include "memory/sizes.hpp"
#include "memory/weights.hpp"

namespace hal0::memory {
namespace {

constexpr std::int64_t context_step = 256;
constexpr std::int64_t context_unknown_most = 131072;  // of a model that doesn't say what it was trained for

struct Split {
    Bytes host{};
    Bytes gpu{};
};

Split split_context(std::vector<Bytes> const& layers, Placement const& placement) {
    Split sum;
    for (std::size_t i = 0; i < layers.size(); ++i)
        (static_cast<std::int64_t>(i) >= placement.first_on_gpu ? sum.gpu : sum.host) += layers[i];
    return sum;
}

std::string context_source(ModelShape const& shape, ContextPlan const& plan) {
    auto const count = [&](Attention kind) {
        return std::ranges::count(shape.layers, kind, &LayerShape::attention);
    };
    auto const recurrent =
        std::ranges::count_if(shape.layers, [](auto const& layer) { return !layer.states.empty(); });
    auto text = format("{} streams of {} cells, keys {}, values {}: {} layers over all of them", plan.streams,
                       plan.cells, engines::to_string(plan.keys), engines::to_string(plan.values),
                       count(Attention::Global));
    if (count(Attention::Sliding) > 0)
        text += format(", {} over {} cells", count(Attention::Sliding), plan.window_cells);
    if (recurrent > 0) text += format(", states of {} layers for {} sequences", recurrent, plan.sequences);
    if (shape.exactness == Exactness::Bound)
        text += format("; the architecture {} is unknown here, so every layer is taken at its most",
                       shape.architecture);
    return text;
}

void add(PoolShare& share, Term term) {
    if (term.bytes.count > 0) share.terms.push_back(std::move(term));
}

void add_weights(MemoryEstimate& estimate, Weights const& sizes) {
    add(estimate.shares[0], {.name = std::string{embeddings_term},
                             .bytes = sizes.embeddings,
                             .source = "sum of the input tensors, which stay on the host",
                             .exactness = Exactness::Exact});
    add(estimate.shares[0], {.name = std::string{weights_term},
                             .bytes = sizes.host,
                             .source = "sum of the tensors of the layers on the host",
                             .exactness = Exactness::Bound});
    if (estimate.shares.size() < 2) return;
    add(estimate.shares[1],
        {.name = std::string{weights_term},
         .bytes = sizes.gpu,
         .source = sizes.tied ? "sum of the tensors on it, the token table a second time as output"
                              : "sum of the tensors on it",
         .exactness = Exactness::Bound});
}

void add_context(MemoryEstimate& estimate, ModelShape const& shape, ContextPlan const& plan,
                 Split const& bytes) {
    auto const source = context_source(shape, plan);
    // Not every architecture has its states several times while it drafts.
    auto const exactness = plan.state_copies > 1 ? Exactness::Bound : shape.exactness;
    Bytes const each[]{bytes.host, bytes.gpu};
    for (std::size_t i = 0; i < estimate.shares.size(); ++i) {
        add(estimate.shares[i],
            {.name = std::string{context_term}, .bytes = each[i], .source = source, .exactness = exactness});
    }
}

void add_buffers(MemoryEstimate& estimate, ModelShape const& shape, ContextPlan const& plan,
                 engines::PlanRequest const& request) {
    auto const bound = compute_bound(shape, plan, request);
    auto const name = std::string{compute_term};
    if (estimate.shares.size() < 2) {
        add(estimate.shares[0],
            {.name = name, .bytes = bound.inputs + bound.activations, .source = bound.source});
    } else {
        add(estimate.shares[0], {.name = name, .bytes = bound.inputs, .source = bound.source});
        // Inputs are copied to where they are used; layers that stay on the host compute there.
        add(estimate.shares[1],
            {.name = name, .bytes = bound.inputs + bound.activations, .source = bound.source});
    }
    bool const embeds = request.embeddings || shape.has_encoder;
    auto const row = shape.vocabulary + (embeds ? shape.embedding_out : 0);
    add(estimate.shares[0], {.name = std::string{output_term},
                             .bytes = {product({row, plan.outputs, 4})},
                             .source = format("{} rows of {} numbers, 4 bytes each", plan.outputs, row)});
}

}  // namespace

Result<MemoryEstimate> closed_form(ModelShape const& shape, models::GgufTensors const& tensors,
                                   engines::PlanRequest const& request,
                                   std::optional<std::string> const& gpu) {
    auto const layers = static_cast<std::int64_t>(shape.layers.size());
    auto const where = gpu ? placement(layers, request.gpu_layers) : all_on_host;
    auto const output = shape.memory == Memory::Encoder ? Output::None : Output::Logits;
    HAL0_TRY(sizes, weights(tensors, where, output));
    auto const plan = context_plan(shape, request);
    MemoryEstimate estimate{.exactness = plan.state_copies > 1 ? Exactness::Bound : shape.exactness,
                            .shares = {PoolShare{.device = "host"}}};
    if (gpu) estimate.shares.push_back(PoolShare{.device = *gpu});
    add_weights(estimate, sizes);
    add_context(estimate, shape, plan, split_context(context_by_layer(shape, plan), where));
    add_buffers(estimate, shape, plan, request);
    return estimate;
}

Result<MemoryEstimate> closed_form_of_mtp(ModelShape const& shape, engines::PlanRequest request,
                                          std::optional<std::string> const& gpu) {
    if (shape.drafting.empty())
        return Error{Errc::Unsupported,
                     "it has no layers that draft (MTP); a smaller model of the same "
                     "vocabulary can draft for it"};
    request.of_mtp = true;
    request.kv_type_k = request.kv_type_v = engines::KvType::F16;
    auto layers = shape;
    layers.layers = shape.drafting;
    layers.memory = Memory::Cache;
    auto const plan = context_plan(layers, request);
    MemoryEstimate estimate{.shares = {PoolShare{.device = "host"}}};
    if (gpu) estimate.shares.push_back(PoolShare{.device = *gpu});
    auto const where = gpu ? placement(0, engines::all_gpu_layers) : all_on_host;
    add_context(estimate, layers, plan, split_context(context_by_layer(layers, plan), where));
    add_buffers(estimate, layers, plan, request);
    // llama_context::output_reserve: the hidden states that are drafted from, of each token of a batch
    add(estimate.shares[0],
        {.name = std::string{hidden_term},
         .bytes = {product({shape.embedding_out, plan.batch + plan.outputs, float_bytes})},
         .source = format("{} numbers for each token of a batch", shape.embedding_out)});
    for (auto& share : estimate.shares) {
        for (auto& term : share.terms)
            term.exactness = Exactness::Bound;
    }
    return estimate;
}

Result<Tokens> largest_context(ModelShape const& shape, models::GgufTensors const& tensors,
                               engines::PlanRequest request, std::optional<std::string> const& gpu,
                               DoesFit const& fits) {
    auto const trained = shape.context_trained.count > 0 ? shape.context_trained.count : context_unknown_most;
    std::int64_t good = 0;  // in steps: the largest known to fit, and the smallest known not to
    auto bad = std::max<std::int64_t>(trained / context_step, 1) + 1;
    while (bad - good > 1) {
        auto const middle = good + (bad - good) / 2;
        request.context = {middle * context_step};
        HAL0_TRY(estimate, closed_form(shape, tensors, request, gpu));
        (fits(estimate) ? good : bad) = middle;
    }
    return Tokens{good * context_step};
}

}  // namespace hal0::memory
