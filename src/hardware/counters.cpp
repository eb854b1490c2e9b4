#include "hardware/counters.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

#include "base/format.hpp"
#include "base/text.hpp"
#include "hardware/cgroups.hpp"
#include "hardware/known_devices.hpp"
#include "hardware/probe_parts.hpp"
#include "hardware/reader.hpp"

namespace hal0::hardware {
namespace {

// More than there is can't be used: it counts as unknown.
std::optional<Bytes> used_of(Reader& reader, std::optional<Bytes> used, std::optional<Bytes> total,
                             std::string_view what) {
    if (!used || !total || *used <= *total) return used;
    reader.warn(format("{}: {} are in use of {}", what, human(*used), human(*total)));
    return std::nullopt;
}

std::optional<Bytes> most_vram(GpuReport const& gpu) {
    auto const known = known_gpu({.vendor = from_hex(gpu.vendor_id.value_or("")).value_or(0),
                                  .device = from_hex(gpu.device_id.value_or("")).value_or(0)});
    return known ? known->memory_max : std::nullopt;
}

void read_amdgpu(Reader& reader, std::string const& directory, std::optional<Bytes> most, GpuCounters& gpu) {
    gpu.vram_total = reader.bytes_up_to(directory + "/mem_info_vram_total", most);
    gpu.vram_used =
        used_of(reader, reader.bytes(directory + "/mem_info_vram_used"), gpu.vram_total, directory + " VRAM");
    gpu.gtt_total = reader.bytes(directory + "/mem_info_gtt_total");
    gpu.gtt_used =
        used_of(reader, reader.bytes(directory + "/mem_info_gtt_used"), gpu.gtt_total, directory + " GTT");
}

void read_nvidia(Reader& reader, NvmlAnswer const& nvml, std::string const& address, GpuCounters& gpu) {
    for (auto const& device : nvml.devices) {
        if (device.pci != address) continue;
        gpu.vram_total = device.memory_total;
        gpu.vram_used = used_of(reader, device.memory_used, device.memory_total, gpu.id);
        gpu.vram_reserved = device.memory_reserved;
    }
}

std::vector<GpuCounters> read_gpus(Reader& reader, HardwareReport const& report, NvmlAnswer const& nvml) {
    std::vector<GpuCounters> found;
    for (auto const& gpu : report.gpus) {
        GpuCounters counters{.id = gpu.id, .unified = gpu.unified};
        auto const directory = "/sys/bus/pci/devices/" + gpu.pci.value_or("");
        // One that sleeps is not woken, nor believed: what it says then is an error, or nothing.
        bool const asleep = reader.text(directory + "/power/runtime_status") == "suspended";
        if (gpu.driver == "amdgpu" && !asleep) read_amdgpu(reader, directory, most_vram(gpu), counters);
        if (gpu.vendor == "nvidia") read_nvidia(reader, nvml, gpu.pci.value_or(""), counters);
        found.push_back(std::move(counters));
    }
    return found;
}

void read_meminfo(Reader& reader, MemoryCounters& counters) {
    auto const info = reader.pairs("/proc/meminfo", ':');
    auto const size = [&](std::string_view key) -> std::optional<Bytes> {
        auto const found = info.find(key);
        if (found == info.end()) return std::nullopt;
        auto const bytes = to_bytes_of_kib(found->second);
        if (!bytes)
            reader.warn(format("/proc/meminfo holds {}: '{}', which can't be", key,
                               clipped(printable(found->second))));
        return bytes;
    };
    counters.total = size("MemTotal");
    if (counters.total == Bytes{}) {  // lxcfs, broken: the rest is as false
        reader.warn("/proc/meminfo holds no memory at all");
        counters.total.reset();
        return;
    }
    counters.available = used_of(reader, size("MemAvailable"), counters.total, "MemAvailable");
    counters.free = used_of(reader, size("MemFree"), counters.total, "MemFree");
    counters.gpu_pool = used_of(reader, size("GPUReclaim"), counters.total, "GPUReclaim");
    counters.swap_total = size("SwapTotal");
    counters.swap_free = used_of(reader, size("SwapFree"), counters.swap_total, "SwapFree");
}

// "size 4 17179869184": name, type, value.
std::optional<Bytes> zfs_cache(Reader& reader) {
    auto const stats = reader.pairs("/proc/spl/kstat/zfs/arcstats", ' ');
    auto const size = stats.find("size");
    if (size == stats.end()) return std::nullopt;
    auto const words = split(size->second, ' ');
    return to_bytes(words.back());
}

}  // namespace

std::optional<double> parse_pressure(std::string_view text, std::string_view line) {
    for (auto const candidate : split(text, '\n')) {
        constexpr std::string_view key = " avg10=";
        auto const at = candidate.find(key);
        if (!candidate.starts_with(line) || at == std::string_view::npos) continue;
        auto const number = candidate.substr(at + key.size());
        double percent = 0;
        auto const [end, fault] = std::from_chars(number.data(), number.data() + number.size(), percent);
        if (fault == std::errc{} && percent >= 0 && percent <= 100) return percent;
    }
    return std::nullopt;
}

MemoryCounters read_counters(Machine& machine, HardwareReport const& report) {
    return read_counters(machine, report, report.cuda.state == "ok" ? machine.nvml() : NvmlAnswer{});
}

MemoryCounters read_counters(Machine& machine, HardwareReport const& report, NvmlAnswer const& nvml) {
    Reader reader{machine.files()};
    MemoryCounters counters;
    read_meminfo(reader, counters);
    auto const limits = read_cgroups(reader);
    counters.limit = limits.memory_limit;
    counters.limit_used = limits.memory_used;
    counters.limit_reclaimable = limits.memory_reclaimable;
    counters.zfs_cache = zfs_cache(reader);
    counters.ttm_pages_limit = ttm_pages_limit(reader);
    auto const pressure = reader.text("/proc/pressure/memory").value_or("");
    counters.pressure_some = parse_pressure(pressure, "some");
    counters.pressure_full = parse_pressure(pressure, "full");
    counters.host_known = counters.available.has_value() && report.memory.total_is != "container" &&
                          report.platform.kind != "lxc" && report.memory.total_is != "unknown";
    counters.gpus = read_gpus(reader, report, nvml);
    counters.warnings = reader.take_warnings();
    return counters;
}

}  // namespace hal0::hardware
