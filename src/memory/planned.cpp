#include "memory/planned.hpp"

#include <algorithm>
#include <utility>

#include "base/format.hpp"
#include "memory/closed_form.hpp"
#include "memory/context.hpp"
#include "memory/pools.hpp"
#include "memory/sizes.hpp"

namespace hal0::memory {
namespace {

void add(PoolShare& share, std::string_view name, Bytes bytes, std::string const& by) {
    if (bytes.count <= 0) return;
    share.terms.push_back({std::string{name}, bytes, by + "'s own plan", Exactness::Exact});
}

}  // namespace

MemoryEstimate planned(engines::Plan const& plan, std::string const& gpu, std::string const& by) {
    MemoryEstimate estimate{.exactness = Exactness::Exact, .shares = {{.device = std::string{host_device}}}};
    for (auto const& device : engines::by_device(plan)) {
        bool const on_host = device.name == engines::planned_host;
        if (!on_host) estimate.shares.push_back({.device = gpu});
        auto& share = on_host ? estimate.shares.front() : estimate.shares.back();
        add(share, weights_term, device.model, by);
        add(share, context_term, device.context, by);
        add(share, compute_term, device.compute, by);
    }
    add(estimate.shares.front(), output_term, plan.output.value_or(Bytes{}), by);
    return estimate;
}

void add_beside(MemoryEstimate& estimate, MemoryEstimate const& beside, std::string_view prefix) {
    for (auto const& share : beside.shares) {
        auto& terms = share_of(estimate, share.device).terms;
        for (auto term : share.terms) {
            term.name.insert(0, prefix);
            terms.push_back(std::move(term));
        }
    }
    estimate.exactness = std::max(estimate.exactness, beside.exactness);
}

Bytes checkpoints(ModelShape const& shape, engines::PlanRequest const& request) {
    if (request.embeddings) return {};
    auto const one = checkpoint_bytes(shape, context_plan(shape, request));
    // While somebody drafts, one more for what may be taken back (spec_ckpt of server-context.cpp).
    auto const drafts = request.drafter == engines::Drafter::None ? 0 : 1;
    return {product({one.count, request.checkpoints + drafts, request.parallel})};
}

void add_growing(MemoryEstimate& estimate, ModelShape const& shape, engines::PlanRequest const& request) {
    if (estimate.shares.empty()) return;
    auto& terms = estimate.shares.front().terms;
    if (auto const copies = checkpoints(shape, request); copies > Bytes{}) {
        terms.push_back({std::string{checkpoints_term}, copies,
                         format("at most {} for each sequence, of what the model can't go back in by itself",
                                request.checkpoints)});
    }
    if (request.cache_ram > Bytes{}) {
        terms.push_back({std::string{prompt_cache_term}, request.cache_ram,
                         "cache_ram_mib: the most that prompts kept in memory take"});
    }
}

}  // namespace hal0::memory
