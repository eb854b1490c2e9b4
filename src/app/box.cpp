#include "app/box.hpp"

#include <algorithm>
#include <utility>

#include "app/probe_command.hpp"
#include "base/format.hpp"
#include "base/text.hpp"
#include "hardware/recorded_machine.hpp"
#include "os/file.hpp"

namespace hal0::app {
namespace {

constexpr Bytes report_file_max = 4_MiB;

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

std::optional<hardware::HardwareReport> kept_report(os::Places const& places) {
    auto const text = os::read_file(report_path(places), report_file_max);
    if (!text) return std::nullopt;
    auto report = hardware::decode_report(*text);
    return report ? std::optional{std::move(*report)} : std::nullopt;
}

Box box_of(hardware::Machine& machine, hardware::HardwareReport report) {
    auto pools = memory::pools(report, hardware::read_counters(machine, report));
    return {std::move(report), std::move(pools)};
}

}  // namespace

Result<Box> look_at_box(cli::Context& context, std::optional<std::string> const& root) {
    if (root) {
        HAL0_TRY(machine, hardware::RecordedMachine::open(*root));
        return box_of(*machine, hardware::probe(*machine, {.time = context.now()}));
    }
    HAL0_TRY(places, context.places());
    HAL0_TRY(machine, this_machine());
    auto kept = kept_report(places);
    return box_of(*machine, kept ? std::move(*kept) : hardware::probe(*machine, probe_input(places)));
}

Result<Device> device_of(hardware::HardwareReport const& report, std::optional<std::string> const& name) {
    auto const& best = report.recommended;
    auto const wanted = name.value_or(best.device);
    if (wanted == "cpu" || wanted == memory::host_device || wanted.empty()) return Device{{}, "cpu"};
    std::vector<std::string> there{"cpu"};
    for (auto const& gpu : report.gpus) {
        there.push_back(gpu.id);
        if (gpu.id != wanted) continue;
        auto const backend = best.device == wanted    ? best.backend
                             : gpu.vendor == "nvidia" ? std::string{"cuda"}
                                                      : std::string{"vulkan"};
        return Device{
            {.device = wanted, .api = api_of(backend), .allocation_max = allocation_max(gpu, backend)},
            backend};
    }
    return Error{Errc::NotFound,
                 format("this box has no device '{}'; it has {}", clipped(wanted), join(there, ", "))};
}

}  // namespace hal0::app
