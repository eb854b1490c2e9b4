#include "hardware/recommend.hpp"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "base/format.hpp"
#include "base/text.hpp"

namespace hal0::hardware {
namespace {

struct Candidate {
    GpuReport const* gpu;
    std::string backend;
};

std::string shown(GpuReport const& gpu) {
    return gpu.name.value_or(format("the {} GPU {}", gpu.vendor, gpu.device_id.value_or("")));
}

// What a server's board, or a hypervisor, draws its console with.
bool computes(GpuReport const& gpu) {
    return gpu.vendor == "amd" || gpu.vendor == "nvidia" || gpu.vendor == "intel";
}

bool in_vulkan(GpuReport const& gpu) {
    // Dozen speaks Direct3D in WSL2, and engines can't compute with it.
    return std::any_of(gpu.vulkan.begin(), gpu.vulkan.end(),
                       [](std::string const& driver) { return driver != "dozen"; });
}

// What to compute with on it, as things are; nothing where that is not possible.
std::optional<std::string> backend_of(HardwareReport const& report, GpuReport const& gpu) {
    if (!computes(gpu) || gpu.openable != true) return std::nullopt;
    bool const cuda = gpu.vendor == "nvidia" && report.cuda.state == "ok" && gpu.compute_capability;
    if (cuda) return "cuda";
    // A driver that is still at it says nothing against itself.
    if (in_vulkan(gpu) || report.vulkan.state == "unknown") return "vulkan";
    return std::nullopt;
}

std::string why_unusable(HardwareReport const& report, GpuReport const& gpu) {
    if (gpu.openable != true) return gpu.why_not.value_or("whether it can be opened isn't known");
    if (gpu.vendor == "nvidia" && report.cuda.state != "ok")
        return format("NVIDIA's library gives no answer ({}), and Vulkan doesn't list it", report.cuda.state);
    if (report.vulkan.state == "no loader") return "Vulkan isn't installed";
    if (report.vulkan.state == "failed")
        return format("Vulkan failed ({})", report.vulkan.fault.value_or("?"));
    return "Vulkan doesn't list it: its driver isn't installed";
}

// What it can hold: its own memory, and what it may take of the system's.
Bytes reach(GpuReport const& gpu) {
    auto const own = gpu.vram_total.value_or(Bytes{});
    return gpu.unified == true ? own + gpu.gtt_total.value_or(Bytes{}) : own;
}

// An ordinary integrated GPU has little more than the processor's own speed: a card of its own memory goes
// before it. Strix Halo and GB10 have memory as wide as a card's, and more of it.
int rank(GpuReport const& gpu) {
    if (gpu.unified == true) return gpu.family == "Strix Halo" || gpu.family == "GB10" ? 2 : 0;
    constexpr Bytes little = 4_GiB;
    return gpu.vram_total && *gpu.vram_total < little ? 0 : 2;
}

bool is_better(Candidate const& a, Candidate const& b) {
    return std::pair{rank(*a.gpu), reach(*a.gpu)} > std::pair{rank(*b.gpu), reach(*b.gpu)};
}

std::string reason_for(HardwareReport const& report, Candidate const& best) {
    auto const& gpu = *best.gpu;
    if (best.backend == "cuda") return format("{} with NVIDIA's driver: CUDA is its fastest way", shown(gpu));
    auto reason = format("{} opens", shown(gpu));
    if (in_vulkan(gpu))
        reason += format(", and Vulkan ({}) reaches all of its memory", join(gpu.vulkan, ", "));
    else
        reason += "; Vulkan didn't answer in time";
    if (gpu.vendor == "amd" && (report.rocm.installed || report.rocm.kfd))
        reason +=
            ". ROCm is no reason to change: which memory it can use, and whether it runs, depends on its "
            "version";
    bool const amdvlk = std::find(gpu.vulkan.begin(), gpu.vulkan.end(), "amdvlk") != gpu.vulkan.end();
    bool const radv = std::find(gpu.vulkan.begin(), gpu.vulkan.end(), "radv") != gpu.vulkan.end();
    if (amdvlk)
        reason += radv ? ". AMDVLK is installed beside RADV: RADV should be used"
                       : ". AMDVLK is used: RADV is the better driver";
    return reason;
}

}  // namespace

Recommendation recommend(HardwareReport const& report) {
    std::vector<Candidate> usable;
    std::vector<std::string> faults;
    for (auto const& gpu : report.gpus) {
        if (auto backend = backend_of(report, gpu))
            usable.push_back({&gpu, std::move(*backend)});
        else if (computes(gpu))
            faults.push_back(format("{} can't be used: {}", shown(gpu), why_unusable(report, gpu)));
    }
    if (usable.empty()) {
        auto const reason =
            faults.empty() ? std::string{"no GPU that computes is visible"} : join(faults, "; ");
        return {.engine = "llama.cpp", .backend = "cpu", .device = "cpu", .reason = reason};
    }
    auto const best = std::min_element(usable.begin(), usable.end(), is_better);
    return {.engine = "llama.cpp",
            .backend = best->backend,
            .device = best->gpu->id,
            .reason = reason_for(report, *best)};
}

}  // namespace hal0::hardware
