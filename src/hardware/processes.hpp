#pragma once
// What each process holds: of the system's memory by smaps_rollup, of GPUs' by the fdinfo of what it has open
// (Documentation/gpu/drm-usage-stats.rst). A process that ends while it is read is simply not there.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "hardware/machine.hpp"

namespace hal0::hardware {

// A GPU's memory as one opening of its node has it. Duplicated and inherited descriptors are one opening.
struct GpuClient {
    std::string pci{};  // "0000:c5:00.0"; empty where the driver doesn't say
    std::string id{};   // the driver's, unique for that GPU
    std::string driver{};
    Bytes vram{};    // the GPU's own, or the carve-out
    Bytes gtt{};     // of the system's, bound to the GPU
    Bytes system{};  // of the system's, not bound: evicted, or in a driver that knows no GTT
    // Of these, buffers that others have too.
    Bytes shared_vram{};
    Bytes shared_gtt{};
    bool operator==(GpuClient const&) const = default;
};

struct ProcessMemory {
    // Bound: the kernel keeps the exact figures from this user, and these aren't less (pages shared with a
    // parent count whole, and of `file` and `shared` nothing is known but what is mapped).
    enum class Sure : std::uint8_t { Exact, Bound, Unknown };
    int pid{0};
    int parent{0};
    int session{0};
    std::string name{};
    std::int64_t start{0};  // clock ticks since boot
    Sure sure{Sure::Unknown};
    // Its share of what it has mapped (PSS): shared pages are divided among those that share them.
    Bytes anonymous{};
    Bytes file{};
    Bytes shared{};
    Bytes swapped{};
    bool gpu_known{false};  // whether its descriptors could be looked at
    std::vector<GpuClient> gpu{};
    std::vector<int> gpu_counted_with{};  // processes that have some of the same clients, counted there
    bool operator==(ProcessMemory const&) const = default;
};

struct Processes {
    std::vector<ProcessMemory> all{};  // but for the kernel's own, by pid
    // Why there may be processes on this machine that aren't among them; empty: there are none.
    std::string unseen{};
    std::vector<std::string> warnings{};
    bool operator==(Processes const&) const = default;
};

// All that this process can see. A GPU's client that several share is counted with the one that started
// first.
Processes read_processes(Machine& machine);
// Only these; of them, those that are still there.
Processes read_processes(Machine& machine, std::vector<int> const& pids);

// A worker and all that it started: what descends from it, and what is of the session that it leads. Empty
// when it has ended.
std::vector<int> family_of(Machine& machine, int worker);

// "drm-client-id:\t30\n…": nothing where it is no GPU's. The id is "" where the driver gives none.
std::optional<GpuClient> parse_fdinfo(std::string_view text);

}  // namespace hal0::hardware
