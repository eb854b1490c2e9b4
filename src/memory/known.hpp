#pragma once
// Sums of what may be unknown.
#include <optional>
#include <vector>

#include "base/units.hpp"

namespace hal0::memory {

// Of `member` of all `parts`; nothing as soon as one of them is unknown.
template <class Part>
std::optional<Bytes> sum_of(std::vector<Part> const& parts, std::optional<Bytes> Part::* member) {
    Bytes sum{};
    for (auto const& part : parts) {
        auto const value = part.*member;
        if (!value) return std::nullopt;
        sum += *value;
    }
    return sum;
}

}  // namespace hal0::memory
