#pragma once
// Who holds the memory of the box: for each pool its total, taken apart to the last byte. What no source
// explains is a line of its own, and is never put into another.
#include <optional>
#include <vector>

#include "hardware/counters.hpp"
#include "hardware/memory_use.hpp"
#include "hardware/processes.hpp"
#include "hardware/report.hpp"
#include "memory/holders.hpp"
#include "memory/pools.hpp"
#include "wire/memory_view.hpp"

namespace hal0::memory {

inline constexpr std::size_t named_processes_max = 10;  // in each pool; the rest is one line
// Of a GPU's memory that no process has, what a driver needs for itself: the screen, firmware, page tables.
// Idle boxes were seen with 14 to 270 MiB.
inline constexpr Bytes driver_share_max = 512_MiB;

// What was read, in one go.
struct LedgerFacts {
    hardware::MemoryCounters counters{};
    hardware::MemoryUse use{};
    hardware::Processes processes{};
    hardware::NvmlAnswer nvml{};
    Bytes moved{};  // by how much free memory changed meanwhile: so much may be counted twice, or not at all
};

// Reads some hundred files for each hundred processes: not on a loop's thread.
LedgerFacts read_ledger_facts(hardware::Machine& machine, hardware::HardwareReport const& report);

// Of the system's memory that GPUs have in use (GTT), what no process that can be looked at holds; nothing
// where none could be. Pure.
struct GttUnattributed {
    Bytes bytes{};
    bool all_seen{true};  // false: some processes may not be looked at, and may hold it
    bool operator==(GttUnattributed const&) const = default;
};
std::optional<GttUnattributed> gtt_unattributed(hardware::HardwareReport const& report,
                                                LedgerFacts const& facts);

// Pure. Of `report` the GPUs count.
wire::MemoryView ledger(hardware::HardwareReport const& report, LedgerFacts const& facts,
                        std::vector<SlotProcess> const& slots, WallTime now);

}  // namespace hal0::memory
