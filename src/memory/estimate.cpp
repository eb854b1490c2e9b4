#include "memory/estimate.hpp"

#include <algorithm>

namespace hal0::memory {

Bytes PoolShare::total() const {
    Bytes sum{};
    for (auto const& term : terms)
        sum += term.bytes;
    return sum;
}

Bytes MemoryEstimate::total() const {
    Bytes sum{};
    for (auto const& share : shares)
        sum += share.total();
    return sum;
}

Bytes MemoryEstimate::of(std::string_view term) const {
    Bytes sum{};
    for (auto const& share : shares) {
        for (auto const& one : share.terms) {
            if (one.name == term) sum += one.bytes;
        }
    }
    return sum;
}

PoolShare& share_of(MemoryEstimate& estimate, std::string_view device) {
    auto const share = std::ranges::find(estimate.shares, device, &PoolShare::device);
    return share == estimate.shares.end()
               ? estimate.shares.emplace_back(PoolShare{.device = std::string{device}})
               : *share;
}

}  // namespace hal0::memory
