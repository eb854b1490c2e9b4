#pragma once
// How loaded the box's memory is at this moment, read anew each time: totals too may change while it runs.
#include <optional>
#include <string>
#include <vector>

#include "hardware/machine.hpp"
#include "hardware/report.hpp"

namespace hal0::hardware {

struct GpuCounters {
    static constexpr BodyTitle title{"GpuCounters", "The memory of one GPU now."};
    std::string id{};
    std::optional<bool> unified{};
    std::optional<Bytes> vram_total{};
    std::optional<Bytes> vram_used{};
    std::optional<Bytes> vram_reserved{};
    std::optional<Bytes> gtt_total{};
    std::optional<Bytes> gtt_used{};
    bool operator==(GpuCounters const&) const = default;

    template <class Self, class F> static void fields(Self& self, F& f) {
        f("id", self.id, "the report's");
        f("unified", self.unified, "the report's: whether it computes in the system's memory");
        f("vram_total", self.vram_total, "its own memory: the carve-out of an integrated AMD GPU");
        f("vram_used", self.vram_used, "of that, by everybody: in a container by the whole host");
        f("vram_reserved", self.vram_reserved, "of that, by NVIDIA's driver: neither used nor free");
        f("gtt_total", self.gtt_total,
          "the cap on what it takes of the system's memory: no memory of its own");
        f("gtt_used", self.gtt_used, "what it takes now, by everybody; these pages are charged to no cgroup");
    }
};

struct MemoryCounters {
    static constexpr BodyTitle title{"MemoryCounters", "The memory of the box now."};
    std::optional<Bytes> total{};
    std::optional<Bytes> available{};
    std::optional<Bytes> free{};
    std::optional<Bytes> gpu_pool{};
    std::optional<Bytes> zfs_cache{};
    std::optional<Bytes> swap_total{};
    std::optional<Bytes> swap_free{};
    bool host_known{false};
    std::optional<Bytes> limit{};
    std::optional<Bytes> limit_used{};
    std::optional<Bytes> limit_reclaimable{};
    std::optional<double> pressure_some{};
    std::optional<double> pressure_full{};
    std::optional<std::int64_t> ttm_pages_limit{};
    std::vector<GpuCounters> gpus{};
    std::vector<std::string> warnings{};
    bool operator==(MemoryCounters const&) const = default;

    template <class Self, class F> static void fields(Self& self, F& f) {
        f("total", self.total, "MemTotal");
        f("available", self.available, "MemAvailable: what can be had without swapping");
        f("free", self.free, "MemFree: held by nobody, not even as cache");
        f("gpu_pool", self.gpu_pool,
          "GPUReclaim, where the kernel has it: pages that GPUs gave back and the kernel keeps for their "
          "next "
          "buffer. They give way, and `available` doesn't have them");
        f("zfs_cache", self.zfs_cache,
          "what ZFS keeps of its files (ARC), of the whole machine: it gives way, slowly, and `available` "
          "doesn't "
          "have it; null where there is no ZFS");
        f("swap_total", self.swap_total, "SwapTotal");
        f("swap_free", self.swap_free, "SwapFree");
        f("host_known", self.host_known,
          "whether `available` speaks for the whole machine. In an LXC it speaks for the container alone: "
          "what the "
          "host has left, for a GPU too, is unknown");
        f("limit", self.limit,
          "the least memory limit of this process's cgroups: of processor memory, never of a GPU's pages");
        f("limit_used", self.limit_used, "what the group with that limit holds, page cache with it");
        f("limit_reclaimable", self.limit_reclaimable, "of that the page cache, which gives way");
        f("pressure_some", self.pressure_some,
          "percent of the last 10 s in which something waited for memory (/proc/pressure/memory)");
        f("pressure_full", self.pressure_full, "the same, in which everything did");
        f("ttm_pages_limit", self.ttm_pages_limit,
          "of 4 KiB: above it TTM swaps GPU buffers out, whatever GTT's size is");
        f("gpus", self.gpus, "of every GPU of the report");
        f("warnings", self.warnings, "what was found and makes no sense: it counts as unknown");
    }
};

// `report`: this machine's, for which GPU is which. NVIDIA's library is asked only where the report has it.
MemoryCounters read_counters(Machine& machine, HardwareReport const& report);
// The same with what NVIDIA's library said just now, for who needs the rest of its answer too.
MemoryCounters read_counters(Machine& machine, HardwareReport const& report, NvmlAnswer const& nvml);

// "some avg10=0.22 avg60=…\nfull avg10=…": of the line that begins so.
std::optional<double> parse_pressure(std::string_view text, std::string_view line);

}  // namespace hal0::hardware
