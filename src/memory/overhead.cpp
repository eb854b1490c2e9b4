#include "memory/overhead.hpp"

#include <algorithm>
#include <utility>

#include "base/format.hpp"
#include "base/text.hpp"
#include "memory/sizes.hpp"

namespace hal0::memory {
namespace {

// Of a model whose vocabulary isn't known, taken at the largest.
constexpr Bytes process_unknown = 256_MiB;
// llama-server's own pages above its plan, taken at more than was measured (docs/memory.md).
constexpr Bytes process_base = 48_MiB;
constexpr Bytes process_base_with_driver = 256_MiB;  // its libraries' part on the host: not measured yet
constexpr Bytes process_per_token{384};

Term process_of(Known const& known, Target const& target) {
    Term term{.name = std::string{process_term}};
    auto const base = target.device == host_device ? process_base : process_base_with_driver;
    if (auto const& learned = known.learned.process) {
        term.bytes = learned->bytes;
        term.source = learned->source;
    } else if (known.vocabulary > 0) {
        auto const further = Bytes{product({sequence_bytes(known.vocabulary).count, known.sequences - 1})};
        term.bytes = base + Bytes{product({known.vocabulary, process_per_token.count})} + further;
        term.source = format(
            "{}, {} bytes for each of {} tokens of the vocabulary, {} for further sequences: more than "
            "was measured",
            human(base), process_per_token.count, known.vocabulary, human(further));
    } else {
        term.bytes = process_unknown + Bytes{product({sequence_bytes(0).count, known.sequences - 1})};
        term.source = "vocabulary, threads, HTTP: taken at more than was measured";
    }
    return term;
}

struct DriverContext {
    Bytes bytes{};
    std::string_view source{};
};
constexpr DriverContext driver_context(GpuApi api) {
    if (api == GpuApi::Cuda) return {736_MiB, "CUDA's context and workspaces, as measured on an H100"};
    if (api == GpuApi::Rocm) return {512_MiB, "HIP's context, taken at more than has been reported"};
    return {256_MiB, "Vulkan's pipelines and staging, taken at more than has been reported"};
}

Term driver_of(PoolShare const& share, GpuApi api, Learned const& learned) {
    Term term{.name = std::string{driver_term}};
    if (learned.driver) {
        term.bytes = learned.driver->bytes;
        term.source = learned.driver->source;
    } else if (learned.gpu_total) {  // nobody planned: what the terms before don't cover of all that it took
        term.bytes = std::max(learned.gpu_total->bytes - share.total(), Bytes{});
        term.source = learned.gpu_total->source;
    } else {
        auto const driver = driver_context(api);
        term.bytes = driver.bytes;
        term.source = driver.source;
    }
    return term;
}

}  // namespace

Bytes sequence_bytes(std::int64_t vocabulary) {
    constexpr std::int64_t candidate = 12;
    constexpr std::int64_t unknown_vocabulary = 262'144;
    auto const tokens = vocabulary > 0 ? vocabulary : unknown_vocabulary;
    return Bytes{product({tokens, candidate})} + 256_KiB;
}

Term drafter_term(std::string name, std::int64_t vocabulary, std::int64_t sequences) {
    auto const samplers = Bytes{product({sequence_bytes(vocabulary).count, sequences})};
    return {.name = std::move(name),
            .bytes = Bytes{product({vocabulary, process_per_token.count})} + samplers,
            .source =
                format("{} bytes for each of {} tokens of its vocabulary, {} for a sampler of each sequence: "
                       "more than was measured",
                       process_per_token.count, vocabulary, human(samplers))};
}

void add_sampling(MemoryEstimate& layers, std::string const& device, Known const& known) {
    auto const row = product({known.vocabulary, float_bytes});
    // llama_context::output_reserve: logits, probabilities and candidates of each sequence, and the chosen
    // one.
    share_of(layers, host_device)
        .terms.push_back({std::string{sampling_term},
                          {product({3 * row + float_bytes, known.sequences})},
                          "logits, probabilities and candidates of each sequence",
                          Exactness::Bound});
    // llm_graph_context::build_sampling: the logits once more with a row that is nobody's. One sequence's are
    // sorted at a time, in room for twice as many.
    share_of(layers, device)
        .terms.push_back({std::string{sampling_compute_term},
                          {product({row, known.sequences + 1 + 2})},
                          "a copy of the logits, and the room to sort those of one sequence",
                          Exactness::Bound});
    layers.exactness = std::max(layers.exactness, Exactness::Bound);
}

void add_overhead(MemoryEstimate& estimate, Target const& target, Known const& known) {
    share_of(estimate, host_device).terms.push_back(process_of(known, target));
    if (target.device == host_device) return;
    auto& share = share_of(estimate, target.device);
    share.terms.push_back(driver_of(share, target.api, known.learned));
}

}  // namespace hal0::memory
