#pragma once
// The cap on GPU pages (GTT): what this box has, and what it could have.
#include <cstdint>
#include <optional>

#include "doctor/facts.hpp"

namespace hal0::doctor {

// What stays with Linux and everything else that runs: an eighth, at least 8 and at most 16 GiB.
Bytes reserve_of(Bytes visible);

// The cap hal0 advises for so much memory visible to Linux: all but the reserve, in whole steps of 4 GiB, and
// never under the half that is Linux's own cap. 124.9 GiB -> 108 GiB, 15 GiB -> 7.5 GiB.
Bytes advised_cap(Bytes visible);

// ttm.pages_limit counts pages of 4 KiB: GiB x 262144.
std::int64_t pages_of(Bytes size);

// The memory of a box with an integrated AMD GPU, where all of it is known and is the box's own.
struct GttBox {
    hardware::GpuReport const& gpu;
    Bytes visible{};    // MemTotal
    Bytes carve_out{};  // beside it
    Bytes cap{};        // inside it
};
std::optional<GttBox> gtt_box(Facts const& facts);

}  // namespace hal0::doctor
