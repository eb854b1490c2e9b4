#include "memory/estimate.hpp"

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

}  // namespace hal0::memory
