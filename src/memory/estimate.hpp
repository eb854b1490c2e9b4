#pragma once
// What a model with its context will take, term by term, for each device.
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/units.hpp"

namespace hal0::memory {

// Exact: what the engine will allocate, to the byte. Bound: not less than that. Least: more may come, and
// nobody knows how much.
enum class Exactness : std::uint8_t { Exact, Bound, Least };
constexpr std::string_view to_string(Exactness exactness) {
    if (exactness == Exactness::Exact) return "exact";
    return exactness == Exactness::Bound ? "bound" : "least";
}

struct Term {
    std::string name{};  // "weights", "context", …
    Bytes bytes{};
    std::string source{};  // where the figure comes from: a formula with its numbers, or a file
    Exactness exactness{Exactness::Bound};
    bool operator==(Term const&) const = default;
};

struct PoolShare {
    std::string device{};  // "host", "gpu0"
    std::vector<Term> terms{};
    [[nodiscard]] Bytes total() const;
    bool operator==(PoolShare const&) const = default;
};

struct MemoryEstimate {
    Exactness exactness{Exactness::Bound};  // of the context; each term has its own
    std::vector<PoolShare> shares{};        // the host's first
    [[nodiscard]] Bytes total() const;
    [[nodiscard]] Bytes of(std::string_view term) const;  // on all devices
    bool operator==(MemoryEstimate const&) const = default;
};
// Added where there is none yet.
PoolShare& share_of(MemoryEstimate& estimate, std::string_view device);

}  // namespace hal0::memory
