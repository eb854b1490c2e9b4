// ROCm, which hal0 doesn't need, and which others on the box may use.
#include <algorithm>

#include "base/format.hpp"
#include "base/text.hpp"
#include "doctor/nodes.hpp"
#include "doctor/remedies.hpp"
#include "doctor/rules.hpp"
#include "doctor/subjects.hpp"

namespace hal0::doctor {
namespace {

constexpr Version kernel_with_whole_carve_out{{6, 16, 9}};
constexpr Version kernel_with_wave_saving{{6, 18, 4}};
constexpr std::string_view override_name = "HSA_OVERRIDE_GFX_VERSION";

// "11.0.0" -> "gfx1100"; the last two are hexadecimal digits of the name.
std::string gfx_of_override(std::string_view value) {
    std::string name = "gfx";
    for (auto const part : split(value, '.')) {
        auto const number = to_int(part);
        if (!number || *number < 0) return std::string{value};
        name += name == "gfx" ? std::to_string(*number) : format("{:x}", *number);
    }
    return name;
}

Symptoms look_forced(Facts const& facts) {
    auto const value = facts.conditions.variable(override_name);
    if (!value) return {};
    auto const forced = gfx_of_override(*value);
    Lines own;
    for (auto const& gpu : facts.report.gpus) {
        if (gpu.vendor == "amd" && gpu.gfx) own.push_back(*gpu.gfx);
    }
    bool const needless = std::find(own.begin(), own.end(), forced) != own.end();
    return {
        {.severity = needless ? Severity::Info : Severity::Warning,
         .headline = needless ? "ROCm is told what it knows" : "ROCm is forced on another GPU's code",
         .evidence = format("{}={} means {}; this box has {}", override_name, *value, forced,
                            own.empty() ? "no GPU of AMD's that is known" : join(own, ", ")),
         .fix = {
             format("unset {}", override_name),
             format(
                 "grep -rs {} ~/.profile ~/.bashrc ~/.config/environment.d /etc/environment /etc/profile.d "
                 "/etc/systemd/system  # where it is set: take it out there",
                 override_name)}}};
}

// Of a Strix Halo on which ROCm is installed.
hardware::GpuReport const* halo_with_rocm(Facts const& facts) {
    if (!facts.report.rocm.installed) return nullptr;
    auto const& gpus = facts.report.gpus;
    auto const found = std::find_if(gpus.begin(), gpus.end(), is_halo);
    return found == gpus.end() ? nullptr : &*found;
}

bool kernel_is_before(Facts const& facts, Version const& version) {
    auto const kernel = version_of(facts.report.software.kernel);
    return kernel && *kernel < version;
}

Symptoms look_carve_out_unseen(Facts const& facts) {
    auto const* const gpu = halo_with_rocm(facts);
    if (gpu == nullptr || !kernel_is_before(facts, kernel_with_whole_carve_out)) return {};
    if (!gpu->vram_total || !gpu->gtt_total || *gpu->vram_total < *gpu->gtt_total) return {};
    return {{.severity = Severity::Warning,
             .evidence = format("kernel {}, ROCm {}, carve-out {}", facts.report.software.kernel,
                                facts.report.rocm.installed.value_or(""), human(*gpu->vram_total)),
             .fix = Remedies{facts}.newer_kernel()}};
}

Symptoms look_wave_saving(Facts const& facts) {
    if (halo_with_rocm(facts) == nullptr || !kernel_is_before(facts, kernel_with_wave_saving)) return {};
    return {{.severity = Severity::Info,
             .evidence = format("kernel {}, ROCm {}", facts.report.software.kernel,
                                facts.report.rocm.installed.value_or("")),
             .fix = Remedies{facts}.newer_kernel()}};
}

Symptoms look_carve_out_unused(Facts const& facts) {
    auto const* const gpu = halo_with_rocm(facts);
    constexpr Bytes worth_telling = 4_GiB;
    if (gpu == nullptr || !gpu->vram_total || !gpu->gtt_total) return {};
    if (*gpu->vram_total < worth_telling || *gpu->vram_total >= *gpu->gtt_total) return {};
    return {{.severity = Severity::Info,
             .evidence = format("carve-out {}, less than the cap of {}", human(*gpu->vram_total),
                                human(*gpu->gtt_total)),
             .fix = {"# the smallest carve-out of the BIOS, where ROCm is what you use; Vulkan uses both"}}};
}

Symptoms look_kfd(Facts const& facts) {
    auto const* const node = facts.conditions.node("/dev/kfd");
    // Where the GPU itself doesn't open, that is told, and mends this too.
    auto const opens = [](hardware::GpuReport const& gpu) {
        return gpu.vendor == "amd" && gpu.openable == true;
    };
    if (node == nullptr || node->opens() || !any_gpu(facts, opens)) return {};
    return {{.severity = facts.report.rocm.installed ? Severity::Warning : Severity::Info,
             .evidence = seen_of(facts, *node),
             .fix = way_to_open(facts, *node)}};
}

}  // namespace

std::vector<Rule> rocm_rules() {
    return {
        {.id = "rocm-gfx-forced",
         .headline = "ROCm is forced on another GPU's code",
         .why = "Code made for another GPU crashes, or computes nonsense without a word. ROCm has known "
                "gfx1151 by "
                "itself since 6.4.",
         .seen = "HSA_OVERRIDE_GFX_VERSION is set in the environment, and no GPU of the box is of that kind. "
                 "Info "
                 "where one is",
         .remedy = "Unset it, and take it out of where it is set.",
         .reference = "kyuz0/amd-strix-halo-toolboxes#43; that ROCm 6.4 knows gfx1151 is general knowledge",
         .look = look_forced},
        {.id = "rocm-carve-out-unseen",
         .headline = "ROCm sees little of the carve-out on this kernel",
         .why = "Before kernel 6.16.9 ROCm was shown some 15.5 GB of a carve-out of 96 GB: large models "
                "don't load.",
         .seen = "a kernel under 6.16.9, ROCm in /opt/rocm, Strix Halo with a carve-out that isn't less than "
                 "the cap",
         .remedy = "Start a newer kernel, or use Vulkan.",
         .reference = "ROCm/legacy-rocm-build#5444",
         .look = look_carve_out_unseen},
        {.id = "rocm-wave-saving",
         .headline = "ROCm can hang on this kernel",
         .why = "Saving the state of waves (CWSR) on gfx1151 was mended in kernel 6.18.4.",
         .seen = "a kernel under 6.18.4, ROCm in /opt/rocm, Strix Halo",
         .remedy = "Start a newer kernel, or use Vulkan.",
         .reference = "noamsto/nix-amd-ai#81",
         .look = look_wave_saving},
        {.id = "rocm-one-pool",
         .headline = "ROCm doesn't use the carve-out",
         .why = "Where the carve-out is smaller than the cap, ROCm takes all of its memory from under the "
                "cap, and the "
                "carve-out lies idle.",
         .seen = "ROCm in /opt/rocm, and a carve-out of 4 GiB or more that is smaller than the cap",
         .remedy = "Nothing with Vulkan; with ROCm the smallest carve-out.",
         .reference = "amdgpu's apu_prefer_gtt; ggml-org/llama.cpp#20472; noamsto/nix-amd-ai#42",
         .look = look_carve_out_unused},
        {.id = "kfd-closed",
         .headline = "ROCm can't be used: /dev/kfd doesn't open",
         .why = "ROCm computes through it; Vulkan does without. A warning where ROCm is installed.",
         .seen = "the kernel has KFD, the GPU's own node opens, and /dev/kfd doesn't",
         .remedy = "As for the GPU's node.",
         .reference = "hal0's page on Strix Halo (dev0-dev3); ROCm/TheRock#4240",
         .look = look_kfd}};
}

}  // namespace hal0::doctor
