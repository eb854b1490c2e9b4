#include "memory/verdict.hpp"

#include <algorithm>
#include <utility>

#include "base/format.hpp"
#include "base/text.hpp"

namespace hal0::memory {
namespace {

using Size = std::optional<Bytes>;

Size plus(Size a, Size b) {
    if (!a || !b) return std::nullopt;
    return *a + *b;
}

Size without_reserve(Size total) {
    if (!total) return std::nullopt;
    return std::max(*total - system_reserve, Bytes{});
}

// Of a GPU's own memory, what its driver doesn't keep.
Size capacity_of(PoolPart const& own) {
    if (!own.total) return std::nullopt;
    return std::max(*own.total - own.reserved.value_or(Bytes{}), Bytes{});
}

Bytes part_of(Demand const& demand, Covers covers) {
    if (covers == Covers::Both) return demand.total();
    return covers == Covers::Host ? demand.host : demand.gpu;
}

struct Room {
    Size free{};
    Size capacity{};  // with nothing loaded
};

// What is asked of one pool, and by whom.
struct Asked {
    Demand const& demand;
    Pool const& pool;
    Target const& target;

    [[nodiscard]] Bound bound(Limit limit, Covers covers, Regains regains, Room room) const {
        return {.limit = limit,
                .pool = pool.id,
                .covers = covers,
                .regains = regains,
                .need = part_of(demand, covers),
                .free = room.free,
                .capacity = room.capacity};
    }
    [[nodiscard]] Bound in_system(Covers covers) const {
        auto const& system = pool.parts.front();
        return bound(Limit::Pool, covers, {.host = true, .pages = true},
                     {system.free, without_reserve(system.total)});
    }
};

// Both parts of a unified pool, as Vulkan has them: what is not in the carve-out is in the system's memory,
// and there under the cap.
void add_both_parts(std::vector<Bound>& bounds, Asked const& asked) {
    auto const* const carved = asked.pool.part(PoolPart::Kind::CarveOut, asked.target.device);
    auto const* const cap = asked.pool.cap(asked.target.device);
    if (carved == nullptr || cap == nullptr) {  // a chip that shares all of it
        bounds.push_back(asked.in_system(Covers::Both));
        return;
    }
    auto const& system = asked.pool.parts.front();
    bounds.push_back(asked.in_system(Covers::Host));
    bounds.push_back(asked.bound(
        Limit::Pool, Covers::Both, {.host = true, .pages = true, .own = true},
        {plus(system.free, carved->free), plus(without_reserve(system.total), capacity_of(*carved))}));
    bounds.push_back(asked.bound(Limit::Cap, Covers::Gpu, {.pages = true, .own = true},
                                 {plus(cap->left, carved->free), plus(cap->total, capacity_of(*carved))}));
}

// AMD's compute stack has the carve-out alone, or where that is smaller than GTT's size none of it
// (apu_prefer_gtt of amdgpu_ttm_init: it knows nothing of TTM's own limit).
void add_larger_part(std::vector<Bound>& bounds, Asked const& asked) {
    auto const* const carved = asked.pool.part(PoolPart::Kind::CarveOut, asked.target.device);
    auto const* const cap = asked.pool.cap(asked.target.device);
    if (carved == nullptr || cap == nullptr) return add_both_parts(bounds, asked);
    auto const gtt = cap->gtt_size ? cap->gtt_size : cap->total;
    bool const has_carved = carved->total && gtt && *carved->total >= *gtt;
    bounds.push_back(asked.in_system(has_carved ? Covers::Host : Covers::Both));
    if (has_carved)
        bounds.push_back(
            asked.bound(Limit::CarveOut, Covers::Gpu, {.own = true}, {carved->free, capacity_of(*carved)}));
    else
        bounds.push_back(asked.bound(Limit::Cap, Covers::Gpu, {.pages = true}, {cap->left, cap->total}));
}

// With what a resident gives back.
Bound released(Bound bound, Holding const& holds) {
    if (!bound.free || bound.limit == Limit::Allocation) return bound;
    auto const back = (bound.regains.host ? holds.host : Bytes{}) +
                      (bound.regains.pages ? holds.pages : Bytes{}) +
                      (bound.regains.own ? holds.own : Bytes{});
    bound.free = *bound.free + back;
    if (bound.capacity) bound.free = std::min(*bound.free, *bound.capacity);
    return bound;
}

// The least left of those that are known; no bound where none is.
struct Tightest {
    Bound const* bound{nullptr};
    Bytes left{};
};
Tightest tightest(std::vector<Bound> const& bounds) {
    Tightest found;
    for (auto const& bound : bounds) {
        auto const left = bound.left();
        if (bound.limit == Limit::Allocation || !left) continue;
        if (found.bound == nullptr || *left < found.left) found = {&bound, *left};
    }
    return found;
}

bool over(Size most, Bytes need) { return most && need > *most; }

Bound const* impossible(std::vector<Bound> const& bounds) {
    auto const found =
        std::ranges::find_if(bounds, [](Bound const& bound) { return over(bound.capacity, bound.need); });
    return found == bounds.end() ? nullptr : &*found;
}

// The one that most is needed under, of those that nothing tells the free memory of.
Bound const* largest_unknown(std::vector<Bound> const& bounds) {
    Bound const* found = nullptr;
    for (auto const& bound : bounds) {
        if (bound.limit == Limit::Allocation || bound.free) continue;
        if (found == nullptr || bound.need > found->need) found = &bound;
    }
    return found;
}

void decide(Judgement& judgement, Bound const& bound, Verdict verdict) {
    judgement.verdict = verdict;
    judgement.decisive = bound;
    judgement.headroom = bound.left();
}

using Residents = std::vector<Resident const*>;

// The bounds as they are with all of these gone.
std::vector<Bound> without(std::vector<Bound> bounds, Residents const& gone) {
    for (auto const* resident : gone) {
        for (auto& bound : bounds)
            bound = released(bound, resident->holds);
    }
    return bounds;
}

bool all_met(std::vector<Bound> const& bounds) {
    auto const worst = tightest(bounds);
    return worst.bound != nullptr && worst.left >= Bytes{};
}

// One is enough: the last such in their order holds least, but no companion goes where another would do.
Residents one_enough(std::vector<Bound> const& bounds, std::vector<Resident> const& residents) {
    Residents found;
    for (auto const& resident : residents) {
        if (resident.companion && !found.empty()) break;
        if (all_met(without(bounds, {&resident}))) found = {&resident};
    }
    return found;
}

// One after the other until it fits; then back with those whose place wasn't needed after all.
Residents several_enough(std::vector<Bound> const& bounds, std::vector<Resident> const& residents) {
    Residents gone;
    for (auto const& resident : residents) {
        gone.push_back(&resident);
        if (all_met(without(bounds, gone))) break;
    }
    if (!all_met(without(bounds, gone))) return {};
    for (auto i = gone.size(); i-- > 0;) {
        auto fewer = gone;
        fewer.erase(fewer.begin() + static_cast<std::ptrdiff_t>(i));
        if (all_met(without(bounds, fewer))) gone = std::move(fewer);
    }
    return gone;
}

bool evict(Judgement& judgement, std::vector<Resident> const& residents) {
    auto gone = one_enough(judgement.bounds, residents);
    if (gone.empty()) gone = several_enough(judgement.bounds, residents);
    if (gone.empty()) return false;
    for (auto const* resident : gone)
        judgement.evicted.push_back(resident->name);
    decide(judgement, *tightest(without(judgement.bounds, gone)).bound, Verdict::NeedsEviction);
    return true;
}

// Whoever doesn't go.
void name_who_stays(Judgement& judgement, std::vector<Resident> const& residents) {
    for (auto const& resident : residents) {
        if (std::ranges::find(judgement.evicted, resident.name) == judgement.evicted.end())
            judgement.stays.push_back(resident.name);
    }
}

Judgement judged(Demand const& demand, std::vector<Pool> const& pools, Target const& target,
                 std::vector<Resident> const& residents) {
    Judgement judgement{.needed = demand.total(), .bounds = bounds_of(demand, pools, target)};
    if (auto const* const bound = impossible(judgement.bounds)) {
        decide(judgement, *bound, Verdict::Never);
        judgement.headroom = bound->capacity.value_or(Bytes{}) - bound->need;
        return judgement;
    }
    auto const worst = tightest(judgement.bounds);
    auto const* const pool = pool_of(pools, target.device);
    if (worst.bound != nullptr && worst.left < Bytes{}) {
        bool const enough = evict(judgement, residents);
        judgement.tight = enough && judgement.headroom.value_or(Bytes{}) < tight_margin(pool->total());
        if (!enough) decide(judgement, *worst.bound, Verdict::Pages);
        if (!enough || largest_unknown(judgement.bounds) == nullptr) return judgement;
    }
    if (auto const* const unknown = largest_unknown(judgement.bounds)) {
        judgement.verdict = Verdict::Unknown;  // also where slots that go would be enough for all others
        judgement.decisive = *unknown;
        judgement.headroom.reset();
        judgement.tight = false;
        return judgement;
    }
    if (worst.bound == nullptr) return judgement;  // a box without memory
    judgement.tight = worst.left < tight_margin(pool->total());
    decide(judgement, *worst.bound, judgement.tight ? Verdict::Tight : Verdict::Fits);
    return judgement;
}

// Where a limit holds, with its preposition.
std::string place_of(Bound const& bound, Target const& target) {
    switch (bound.limit) {
        case Limit::Pool: return format("in the {} pool", bound.pool);
        case Limit::Cap:
            return target.api == GpuApi::Rocm
                       ? format("in what {} may take (its GTT cap, all that ROCm uses here)", target.device)
                       : format("in what {} may take (its carve-out and GTT cap)", target.device);
        case Limit::CarveOut: return format("in the carve-out of {}, all that ROCm uses here", target.device);
        case Limit::Processor: return "under this process's memory limit (cgroup or container)";
        case Limit::Allocation: return {};
    }
    return {};
}

// All of it, and how much of that the limit is for, where that is less.
std::string needed_text(Judgement const& judgement, Bound const& bound, Target const& target) {
    auto const place = place_of(bound, target);
    auto const all = human(judgement.needed);
    auto const part = human(bound.need);
    return all == part ? format("{} needed {}", all, place)
                       : format("{} needed, {} of it {}", all, part, place);
}

// With what would have to be otherwise, where that can be.
std::string sentence_of_never(Judgement const& judgement, Bound const& bound, Target const& target) {
    auto const most = human(bound.capacity.value_or(Bytes{}));
    if (bound.limit == Limit::Allocation)
        return format("It never loads here: a tensor of {}, and {}'s driver gives {} at a time.",
                      human(bound.need), target.device, most);
    auto const needed = needed_text(judgement, bound, target);
    if (bound.limit == Limit::Cap)
        return format(
            "It never fits as this box is set: {}, which is {}; 'hal0 doctor' tells whether that can be "
            "raised.",
            needed, most);
    if (bound.limit == Limit::Processor) return format("It never fits: {}, which is {}.", needed, most);
    return format("It never fits here: {}, which has {} for models.", needed, most);
}

}  // namespace

Demand& Demand::operator+=(Demand const& other) {
    host += other.host;
    gpu += other.gpu;
    if (other.largest) largest = std::max(largest.value_or(Bytes{}), *other.largest);
    return *this;
}

Demand demand_of(MemoryEstimate const& estimate) {
    Demand demand;
    for (auto const& share : estimate.shares)
        (share.device == host_device ? demand.host : demand.gpu) += share.total();
    return demand;
}

std::optional<Bytes> Bound::left() const {
    if (!free) return std::nullopt;
    return *free - need;
}

Bytes tight_margin(std::optional<Bytes> pool_total) {
    return std::max(1_GiB, Bytes{pool_total.value_or(Bytes{}).count / 32});
}

std::vector<Bound> bounds_of(Demand const& demand, std::vector<Pool> const& pools, Target const& target) {
    std::vector<Bound> bounds;
    auto const* const host = pool_of(pools, host_device);
    auto const* const pool = pool_of(pools, target.device);
    if (host == nullptr || pool == nullptr) return bounds;
    bool const all_on_host = target.device == host_device;
    Asked const asked{demand, *pool, target};
    Asked const of_host{demand, *host, target};
    if (all_on_host) {
        bounds.push_back(of_host.in_system(Covers::Both));
    } else if (pool->kind == Pool::Kind::Device) {
        auto const& own = pool->parts.front();
        bounds.push_back(asked.bound(Limit::Pool, Covers::Gpu, {.own = true}, {own.free, capacity_of(own)}));
        bounds.push_back(of_host.in_system(Covers::Host));
    } else if (target.api == GpuApi::Rocm) {
        add_larger_part(bounds, asked);
    } else {
        add_both_parts(bounds, asked);
    }
    if (host->limit) {
        bounds.push_back(of_host.bound(Limit::Processor, all_on_host ? Covers::Both : Covers::Host,
                                       {.host = true}, {host->limit->left, host->limit->total}));
    }
    if (target.allocation_max && demand.largest)
        bounds.push_back({.limit = Limit::Allocation,
                          .pool = pool->id,
                          .covers = Covers::Gpu,
                          .need = *demand.largest,
                          .capacity = target.allocation_max});
    return bounds;
}

Judgement judge(Demand const& demand, std::vector<Pool> const& pools, Target const& target,
                std::vector<Resident> const& residents) {
    auto judgement = judged(demand, pools, target, residents);
    name_who_stays(judgement, residents);
    return judgement;
}

std::string sentence(Judgement const& judgement, Target const& target) {
    if (!judgement.decisive)
        return format("Whether it fits isn't known: nothing says how much memory {} has.", target.device);
    auto const& bound = *judgement.decisive;
    auto const needed = needed_text(judgement, bound, target);
    auto const left = judgement.headroom.value_or(Bytes{});
    switch (judgement.verdict) {
        case Verdict::Fits: return format("It fits: {}, {} left there.", needed, human(left));
        case Verdict::Tight: return format("It fits, but tightly: {}, {} left there.", needed, human(left));
        case Verdict::NeedsEviction:
            return format("It fits when {} {}{}: {}, {} left there then.", join(judgement.evicted, ", "),
                          judgement.evicted.size() == 1 ? "goes" : "go",
                          judgement.tight ? ", but tightly" : "", needed, human(left));
        case Verdict::Pages:
            return format(
                "It doesn't fit now: {}, {} free, so {} are missing that others hold; it would page, or be "
                "refused.",
                needed, human(bound.free.value_or(Bytes{})), human(Bytes{} - left));
        case Verdict::Never: return sentence_of_never(judgement, bound, target);
        case Verdict::Unknown:
            return format(
                "Whether it fits isn't known: {}, {}and nothing here tells how much of that is free.", needed,
                bound.capacity ? format("{} with nothing loaded, ", human(*bound.capacity)) : std::string{});
    }
    return {};
}

}  // namespace hal0::memory
