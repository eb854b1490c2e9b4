#include "memory/pools.hpp"

#include <algorithm>
#include <utility>

#include "memory/known.hpp"

namespace hal0::memory {
namespace {

using hardware::GpuCounters;
using hardware::MemoryCounters;

using Size = std::optional<Bytes>;

// Nothing where one of them isn't known, or where the difference can't be.
Size less(Size from, Size what) {
    if (!from || !what || *what > *from) return std::nullopt;
    return *from - *what;
}

Size least(Size a, Size b) {
    if (!a || !b) return a ? a : b;
    return std::min(*a, *b);
}

// MemAvailable hasn't what TTM keeps of buffers that were freed (si_mem_available of mm/show_mem.c).
Size available(MemoryCounters const& counters) {
    if (!counters.available) return std::nullopt;
    return least(*counters.available + counters.gpu_pool.value_or(Bytes{}), counters.total);
}

// In an LXC /proc/meminfo is of the container: of the machine is known what its host tells.
PoolPart system_part(MemoryCounters const& counters, HostMemory const& host) {
    PoolPart part{.kind = PoolPart::Kind::System, .device = std::string{host_device}, .reserved = Bytes{}};
    part.total = counters.host_known ? counters.total : host.total;
    part.free = counters.host_known ? available(counters) : host.free;
    part.used = less(part.total, part.free);
    return part;
}

PoolPart own_part(GpuCounters const& gpu, PoolPart::Kind kind) {
    PoolPart part{.kind = kind,
                  .device = gpu.id,
                  .total = gpu.vram_total,
                  .used = gpu.vram_used,
                  .reserved = gpu.vram_reserved.value_or(Bytes{})};
    part.free = less(less(part.total, part.used), part.reserved);
    return part;
}

std::optional<ProcessorLimit> processor_limit(MemoryCounters const& counters) {
    // Page cache counts as used, but gives way.
    auto const held = less(counters.limit_used, counters.limit_reclaimable.value_or(Bytes{}));
    auto const total = counters.host_known ? counters.limit : least(counters.limit, counters.total);
    if (!total) return std::nullopt;
    auto const left = counters.limit ? less(counters.limit, held) : Size{};
    return ProcessorLimit{*total, counters.host_known ? left : least(left, counters.available)};
}

// AMD's alone have a carve-out and a cap, also where no driver tells how large.
void add_unified(Pool& pool, GpuCounters const& gpu, bool is_amd, Size cap) {
    pool.kind = Pool::Kind::Unified;
    pool.id = unified_pool;
    pool.devices.push_back(gpu.id);
    if (!is_amd) return;
    pool.parts.push_back(own_part(gpu, PoolPart::Kind::CarveOut));
    pool.caps.push_back({.device = gpu.id,
                         .total = cap,
                         .used = gpu.gtt_used,
                         .left = less(cap, gpu.gtt_used),
                         .gtt_size = gpu.gtt_total});
}

}  // namespace

Size Pool::total() const { return sum_of(parts, &PoolPart::total); }
Size Pool::used() const { return sum_of(parts, &PoolPart::used); }
Size Pool::reserved() const { return sum_of(parts, &PoolPart::reserved); }
Size Pool::free() const { return sum_of(parts, &PoolPart::free); }

PoolPart const* Pool::part(PoolPart::Kind counted, std::string_view device) const {
    auto const found = std::ranges::find_if(
        parts, [&](PoolPart const& part) { return part.kind == counted && part.device == device; });
    return found == parts.end() ? nullptr : &*found;
}

PoolCap const* Pool::cap(std::string_view device) const {
    auto const found = std::ranges::find(caps, device, &PoolCap::device);
    return found == caps.end() ? nullptr : &*found;
}

std::vector<Pool> pools(hardware::HardwareReport const& report, MemoryCounters const& counters,
                        HostMemory const& host) {
    std::vector<Pool> found{Pool{.kind = Pool::Kind::System,
                                 .id = std::string{system_pool},
                                 .devices = {std::string{host_device}},
                                 .parts = {system_part(counters, host)},
                                 .limit = processor_limit(counters),
                                 .host_known = counters.host_known || host.free.has_value()}};
    for (auto const& gpu : report.gpus) {
        auto const counted = std::ranges::find(counters.gpus, gpu.id, &GpuCounters::id);
        auto now = counted == counters.gpus.end() ? GpuCounters{.id = gpu.id} : *counted;
        // A card that sleeps isn't woken to be read: how large it is the report knows.
        if (!now.vram_total) now.vram_total = gpu.vram_total;
        if (!now.gtt_total) now.gtt_total = gpu.gtt_total;
        if (gpu.unified == true) {
            add_unified(found.front(), now, gpu.vendor == "amd",
                        hardware::gtt_cap(now.gtt_total, counters.ttm_pages_limit));
            continue;
        }
        found.push_back({.kind = Pool::Kind::Device,
                         .id = gpu.id,
                         .devices = {gpu.id},
                         .parts = {own_part(now, PoolPart::Kind::Vram)}});
    }
    return found;
}

Pool const* pool_of(std::vector<Pool> const& pools, std::string_view device) {
    auto const found = std::ranges::find_if(pools, [&](Pool const& pool) {
        return std::ranges::find(pool.devices, device) != pool.devices.end();
    });
    return found == pools.end() ? nullptr : &*found;
}

}  // namespace hal0::memory
