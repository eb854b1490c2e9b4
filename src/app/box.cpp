#include "app/box.hpp"

#include <algorithm>
#include <utility>

#include "app/measured_store.hpp"
#include "app/measuring.hpp"
#include "app/probe_command.hpp"
#include "base/format.hpp"
#include "base/text.hpp"
#include "hardware/processes.hpp"
#include "hardware/recorded_machine.hpp"
#include "memory/residents.hpp"
#include "models/gguf_model.hpp"
#include "os/file.hpp"

namespace hal0::app {
namespace {

constexpr Bytes zfs_cache_worth_telling = 1_GiB;

// What a driver gives at a time: 2 GiB by AMD's own (AMDVLK#413), 4 GiB less 4 bytes by RADV
// (llama.cpp#5441). A model's tensor that is larger can't be loaded; buffers are split.
std::optional<Bytes> allocation_max(hardware::GpuReport const& gpu, std::string_view backend) {
    if (backend != "vulkan") return std::nullopt;
    auto const has = [&gpu](std::string_view driver) {
        return std::ranges::find(gpu.vulkan, driver) != gpu.vulkan.end();
    };
    if (has("radv")) return 4_GiB - Bytes{4};
    if (has("amdvlk") || has("amd-proprietary")) return 2_GiB;
    return std::nullopt;
}

memory::GpuApi api_of(std::string_view backend) {
    if (backend == "cuda") return memory::GpuApi::Cuda;
    return backend == "rocm" ? memory::GpuApi::Rocm : memory::GpuApi::Vulkan;
}

// Asked for beside everything, and small: these go last.
bool is_companion(models::Kind kind) {
    using enum models::Kind;
    return kind == Embed || kind == Rerank || kind == Stt || kind == Tts;
}

// What it uses of its model where that is mapped: as its load was planned, and else all of the model.
Bytes mapped_by(slots::LivingWorker const& worker, MeasuredStore const& measured) {
    if (worker.device != "cpu" || worker.model_file.empty()) return {};
    auto const loads = measured.of(worker.model_file);
    auto const load = std::ranges::find(loads, load_name(worker.pid), &memory::Measurement::load);
    auto const planned = load == loads.end() ? std::nullopt : load->planned;
    if (planned) return planned->mappable;
    auto const shards = models::shard_name(worker.model_file);
    Bytes sum{};
    for (std::uint32_t i = 1; i <= (shards ? shards->count : 1); ++i) {
        auto const file = os::status(shards ? shards->of(i) : worker.model_file);
        if (file) sum += file->size;
    }
    return sum;
}

void note_zfs_cache(Box& box, std::optional<Bytes> cache) {
    if (!cache || *cache < zfs_cache_worth_telling) return;
    box.notes.push_back(
        format("ZFS's cache holds {} of this machine's memory: it counts as used here, and "
               "gives way when memory is asked for (zfs_arc_max bounds it)",
               human(*cache)));
}

// What a container's own files can't tell; why not goes into the notes.
memory::HostMemory told_by_host(HostDesk& host, Box& box) {
    if (box.report.platform.kind != "lxc") return {};
    host.begin(box.report.platform);
    auto const told = host.finish();
    if (!told) return {};
    if (*told) {
        note_zfs_cache(box, (*told)->arc);
        return {.total = (*told)->total, .free = (*told)->available};
    }
    box.notes.push_back(told->error().message);
    return {};
}

}  // namespace

std::vector<memory::Resident> Box::residents(memory::Target const& target) const {
    std::vector<std::string> companions;
    for (auto const& worker : workers) {
        if (is_companion(worker.kind)) companions.push_back(worker.slot);
    }
    return memory::residents(holders, report, target, companions);
}

Result<Box> look_at_this_box(os::Places const& places, HostDesk& host) {
    HAL0_TRY(report, box_report(places));
    HAL0_TRY(workers, slots::living_workers(places));
    HAL0_TRY(machine, this_machine());
    Box box{.report = std::move(report), .name = box_name(*machine), .workers = std::move(workers)};
    auto const nvml = box.report.cuda.state == "ok" ? machine->nvml() : hardware::NvmlAnswer{};
    auto const of_host = told_by_host(host, box);
    auto const counters = hardware::read_counters(*machine, box.report, nvml);
    if (counters.host_known) note_zfs_cache(box, counters.zfs_cache);
    box.pools = memory::pools(box.report, counters, of_host);
    std::vector<int> pids;
    std::vector<memory::SlotProcess> slots;
    MeasuredStore const measured{places};
    for (auto const& worker : box.workers) {
        pids.push_back(worker.pid);
        slots.push_back({worker.slot, worker.pid, mapped_by(worker, measured)});
    }
    if (pids.empty()) return box;
    box.holders = memory::holders(hardware::read_processes(*machine, pids), nvml, slots);
    box.pools = memory::with_mapped(std::move(box.pools), box.holders);
    return box;
}

Result<Box> look_at_box(cli::Context& context, std::optional<std::string> const& root) {
    if (root) {
        HAL0_TRY(machine, hardware::RecordedMachine::open(*root));
        auto report = hardware::probe(*machine, {.time = context.now()});
        auto pools = memory::pools(report, hardware::read_counters(*machine, report));
        return Box{.report = std::move(report), .pools = std::move(pools)};
    }
    HAL0_TRY(places, context.places());
    HostDesk host{places};
    return look_at_this_box(places, host);
}

Result<Device> device_of(hardware::HardwareReport const& report, std::optional<std::string> const& name) {
    auto const& best = report.recommended;
    auto const wanted = name.value_or(best.device);
    if (wanted == "cpu" || wanted == memory::host_device || wanted.empty()) return Device{{}, "cpu"};
    if (auto const* const gpu = report.gpu(wanted)) {
        auto const backend = best.device == wanted     ? best.backend
                             : gpu->vendor == "nvidia" ? std::string{"cuda"}
                                                       : std::string{"vulkan"};
        return Device{
            {.device = wanted, .api = api_of(backend), .allocation_max = allocation_max(*gpu, backend)},
            backend};
    }
    std::vector<std::string> there{"cpu"};
    for (auto const& gpu : report.gpus)
        there.push_back(gpu.id);
    return Error{Errc::NotFound,
                 format("this box has no device '{}'; it has {}", clipped(wanted), join(there, ", "))};
}

}  // namespace hal0::app
