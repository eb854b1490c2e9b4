#include <algorithm>
#include <cstddef>
#include <utility>

#include "base/format.hpp"
#include "base/text.hpp"
#include "hardware/dmi.hpp"
#include "hardware/probe_parts.hpp"

namespace hal0::hardware {
namespace {

// lxcfs can break and show nothing at all: no box has no memory.
std::optional<Bytes> size_in(Reader& reader, std::map<std::string, std::string, std::less<>> const& pairs,
                             std::string_view key) {
    auto const found = pairs.find(key);
    if (found == pairs.end()) return std::nullopt;
    auto const size = to_bytes_of_kib(found->second);
    if (!size || (key == "MemTotal" && size->count == 0)) {
        reader.warn(
            format("/proc/meminfo holds {}: '{}', which can't be", key, clipped(printable(found->second))));
        return std::nullopt;
    }
    return size;
}

// Unknown where any part of it is.
std::optional<Bytes> carve_out_of(std::vector<GpuReport> const& gpus) {
    Bytes sum{};
    for (auto const& gpu : gpus) {
        if (gpu.unified == false || !gpu.has_own_memory()) continue;
        if (!gpu.unified || !gpu.vram_total) return std::nullopt;
        sum += *gpu.vram_total;
    }
    return sum;
}

std::optional<bool> unified_of(std::vector<GpuReport> const& gpus) {
    bool all_known = true;
    for (auto const& gpu : gpus) {
        if (gpu.unified == true) return true;
        all_known = all_known && gpu.unified.has_value();
    }
    return all_known ? std::optional{false} : std::nullopt;
}

std::string owner_of_total(PlatformReport const& platform) {
    if (platform.lxcfs) return "container";
    if (platform.vm) return "vm";
    return platform.kind == "unknown" ? "unknown" : "host";
}

// Only where all three are of the same box.
std::optional<Bytes> hidden_of(Reader& reader, MemoryReport const& memory) {
    if (memory.total_is != "host" || !memory.installed || !memory.total || !memory.carve_out)
        return std::nullopt;
    auto const hidden = *memory.installed - *memory.total - *memory.carve_out;
    if (hidden.count >= 0) return hidden;
    reader.warn(format("the modules hold {}, less than MemTotal and the carve-out together",
                       human(*memory.installed)));
    return std::nullopt;
}

}  // namespace

MemoryReport probe_memory(Reader& reader, PlatformReport const& platform, std::vector<GpuReport> const& gpus,
                          CgroupLimits const& limits) {
    auto const info = reader.pairs("/proc/meminfo", ':');
    auto const modules = read_memory_modules(reader);
    MemoryReport memory{.total = size_in(reader, info, "MemTotal"),
                        .total_is = owner_of_total(platform),
                        .carve_out = carve_out_of(gpus),
                        .installed = modules.installed,
                        .swap_total = size_in(reader, info, "SwapTotal"),
                        .limit = limits.memory_limit,
                        .unified = unified_of(gpus),
                        .speed_mts = modules.speed_mts};
    memory.hidden = hidden_of(reader, memory);
    return memory;
}

}  // namespace hal0::hardware
