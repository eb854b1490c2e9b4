#pragma once
// What an estimate means on a box: whether it goes into the pools as they are now, what would have to go, and
// what is left afterwards. Pure: of a demand, the pools of one moment, and who holds what could be had.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "memory/estimate.hpp"
#include "memory/pools.hpp"

namespace hal0::memory {

// What one load takes, or several together.
struct Demand {
    Bytes host{};
    Bytes gpu{};                     // on the GPU that is planned for
    std::optional<Bytes> largest{};  // allocation at a time there
    [[nodiscard]] Bytes total() const { return host + gpu; }
    Demand& operator+=(Demand const& other);
    bool operator==(Demand const&) const = default;
};
Demand demand_of(MemoryEstimate const& estimate);

// How an engine allocates on a GPU. It decides which parts of a unified pool it has (AMD's compute stack uses
// the larger of carve-out and GTT alone).
enum class GpuApi : std::uint8_t { Vulkan, Rocm, Cuda };

struct Target {
    std::string device{host_device};  // or a GPU's id
    GpuApi api{GpuApi::Vulkan};
    std::optional<Bytes> allocation_max{};  // what the driver gives at a time
};

// What a slot holds, by where it lies.
struct Holding {
    Bytes host{};   // its own memory, what it shares, and the model that it has mapped
    Bytes pages{};  // of the system's memory, bound to a GPU (GTT): charged to no group
    Bytes own{};    // of the target's carve-out, or of its VRAM
    [[nodiscard]] Bytes total() const { return host + pages + own; }
    bool operator==(Holding const&) const = default;
};

// What hal0 holds and could give back: a slot's model.
struct Resident {
    std::string name{};
    Holding holds{};
    bool companion{false};  // small, and wanted beside everything: goes when nothing else helps
    bool operator==(Resident const&) const = default;
};

enum class Verdict : std::uint8_t { Fits, Tight, NeedsEviction, Pages, Never, Unknown };
constexpr std::string_view to_string(Verdict verdict) {
    constexpr std::string_view names[]{"fits", "tight", "needs eviction", "pages", "never", "unknown"};
    return names[static_cast<std::size_t>(verdict)];
}

// What a load must stay under.
enum class Limit : std::uint8_t { Pool, Cap, CarveOut, Processor, Allocation };
constexpr std::string_view to_string(Limit limit) {
    constexpr std::string_view names[]{"pool", "cap", "carve-out", "processor limit", "allocation"};
    return names[static_cast<std::size_t>(limit)];
}
enum class Covers : std::uint8_t { Host, Gpu, Both };  // which part of a demand
// Which parts of a holding come back to a bound when it goes.
struct Regains {
    bool host{false};
    bool pages{false};
    bool own{false};
    bool operator==(Regains const&) const = default;
};
struct Bound {
    Limit limit{Limit::Pool};
    std::string pool{};
    Covers covers{Covers::Both};
    Regains regains{};
    Bytes need{};
    std::optional<Bytes> free{};                      // now
    std::optional<Bytes> capacity{};                  // with nothing else there
    [[nodiscard]] std::optional<Bytes> left() const;  // under 0: short of so much
    bool operator==(Bound const&) const = default;
};

struct Judgement {
    Verdict verdict{Verdict::Unknown};
    Bytes needed{};                      // all of the demand, wherever it lies
    std::optional<Bound> decisive{};     // the bound that decided: the one with the least left
    std::optional<Bytes> headroom{};     // under it, afterwards; nothing where that isn't known
    bool tight{false};                   // it fits, or would with these gone, with less left than the margin
    std::vector<std::string> evicted{};  // who would have to go
    std::vector<std::string> stays{};    // of the residents
    std::vector<Bound> bounds{};
};

// Less than this left is tight: the kernel needs room to move pages, other programs come and go, and an
// estimate sees no fragmentation. A thirty-second of the pool, a gigabyte at least.
Bytes tight_margin(std::optional<Bytes> pool_total);
// Of MemTotal, what Linux and its services keep however empty the box is. Conservative.
inline constexpr Bytes system_reserve = 1_GiB;

std::vector<Bound> bounds_of(Demand const& demand, std::vector<Pool> const& pools, Target const& target);
// `residents` in the order in which they would go. As few go as can be, and of those the one that holds
// least.
Judgement judge(Demand const& demand, std::vector<Pool> const& pools, Target const& target,
                std::vector<Resident> const& residents = {});

// The verdict in a sentence, with its numbers.
std::string sentence(Judgement const& judgement, Target const& target);

}  // namespace hal0::memory
