#pragma once
// What the system's memory is used for, by the kernel's own counters: classes that don't overlap, so that
// their sum can be held against the total.
#include <optional>
#include <string>
#include <vector>

#include "hardware/machine.hpp"

namespace hal0::hardware {

struct MemoryUse {
    std::optional<Bytes> total{};
    std::optional<Bytes> free{};          // MemFree
    std::optional<Bytes> free_on_cpus{};  // free too, but on the CPUs' own lists: MemFree doesn't have them
    std::optional<Bytes> anonymous{};     // AnonPages: of processes
    std::optional<Bytes> cache{};         // Cached and Buffers, less `shared`
    std::optional<Bytes> shared{};        // Shmem: shared memory, tmpfs, what some drivers keep in such
    std::optional<Bytes> swap_cached{};   // partly in `anonymous` as well: nobody tells which part
    std::optional<Bytes> slab{};          // SUnreclaim
    std::optional<Bytes> slab_reclaimable{};  // KReclaimable, where the kernel has it, else SReclaimable
    std::optional<Bytes> page_tables{};       // PageTables and SecPageTables
    std::optional<Bytes> stacks{};            // KernelStack
    std::optional<Bytes> per_cpu{};           // Percpu
    std::optional<Bytes> vmalloc{};           // VmallocUsed, less the stacks, which are in it
    std::optional<Bytes> huge_pages{};        // reserved for hugetlbfs, of all sizes, used or not
    std::optional<Bytes>
        gpu_pool{};  // GPUReclaim, where the kernel has it: kept by TTM for the next GPU buffer
    std::optional<Bytes> compressed{};  // what zram and zswap hold
    // All that the kernel holds for this process's own control group and those in it. In an LXC the classes
    // above that are the kernel's own are the whole machine's, for lxcfs passes them through.
    std::optional<Bytes> kernel_of_group{};
    std::vector<std::string> warnings{};
    bool operator==(MemoryUse const&) const = default;
};

MemoryUse read_memory_use(Machine& machine);

}  // namespace hal0::hardware
