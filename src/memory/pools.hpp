#pragma once
// One model of memory for every box. Where a GPU computes in the system's memory there is one pool: what
// Linux sees, and beside it what the firmware carved out of it. GTT is a cap on what a GPU takes of the
// former, no memory of its own, and is never added. A GPU with memory of its own has a pool beside that.
// Pure: of the report and the counters of one moment. What isn't known is empty, and so is every sum with it.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/units.hpp"
#include "hardware/counters.hpp"
#include "hardware/report.hpp"

namespace hal0::memory {

// Names of devices and pools; a GPU's is its id in the report.
inline constexpr std::string_view host_device = "host";
inline constexpr std::string_view system_pool = "system";
inline constexpr std::string_view unified_pool = "unified";

// What one counter counts, and no other does.
struct PoolPart {
    enum class Kind : std::uint8_t { System, CarveOut, Vram } kind{Kind::System};
    std::string device{};  // who counts it: "host", or the GPU whose carve-out or VRAM it is
    std::optional<Bytes> total{};
    std::optional<Bytes> used{};      // by anybody; of the system's what can't be had without swapping
    std::optional<Bytes> reserved{};  // by the driver: neither used nor free
    std::optional<Bytes> free{};  // total less both; of the system's MemAvailable, with caches that give way
    bool operator==(PoolPart const&) const = default;
};
constexpr std::string_view to_string(PoolPart::Kind kind) {
    if (kind == PoolPart::Kind::System) return "system memory";
    return kind == PoolPart::Kind::CarveOut ? "carve-out" : "VRAM";
}

// The most that a GPU takes of the pool's system part.
struct PoolCap {
    std::string device{};
    std::optional<Bytes> total{};
    std::optional<Bytes> used{};
    std::optional<Bytes> left{};
    std::optional<Bytes> gtt_size{};  // as the driver has it, also where TTM gives less
    bool operator==(PoolCap const&) const = default;
};

// The most that this process and its children take as processor memory: a cgroup's limit, or the container
// that lxcfs shows. A GPU's pages are charged to nobody.
struct ProcessorLimit {
    Bytes total{};
    std::optional<Bytes> left{};
    bool operator==(ProcessorLimit const&) const = default;
};

struct Pool {
    enum class Kind : std::uint8_t { System, Unified, Device } kind{Kind::System};
    std::string id{};                    // "system", "unified", or the GPU's
    std::vector<std::string> devices{};  // that compute in it
    std::vector<PoolPart> parts{};       // the system's first, where it has one
    std::vector<PoolCap> caps{};         // of its GPUs, where it has a system part
    std::optional<ProcessorLimit> limit{};
    bool host_known{true};  // false in an LXC whose host tells nothing: what the machine has left is unknown
    bool operator==(Pool const&) const = default;

    // Sums of all parts.
    [[nodiscard]] std::optional<Bytes> total() const;
    [[nodiscard]] std::optional<Bytes> used() const;
    [[nodiscard]] std::optional<Bytes> reserved() const;
    [[nodiscard]] std::optional<Bytes> free() const;
    [[nodiscard]] PoolPart const* part(PoolPart::Kind counted, std::string_view device) const;
    [[nodiscard]] PoolCap const* cap(std::string_view device) const;
};

// What the host of a container says of its machine.
struct HostMemory {
    std::optional<Bytes> total{};
    std::optional<Bytes> free{};
};

// The pool that the processor computes in first, then those of GPUs, in the order of the report. `host`
// stands in where the counters don't speak for the machine, and only there.
std::vector<Pool> pools(hardware::HardwareReport const& report, hardware::MemoryCounters const& counters,
                        HostMemory const& host = {});

// That in which `device` computes; nothing for one the box hasn't.
Pool const* pool_of(std::vector<Pool> const& pools, std::string_view device);

}  // namespace hal0::memory
