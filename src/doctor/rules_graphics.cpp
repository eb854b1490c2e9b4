// Vulkan and its drivers: what engines compute through.
#include <algorithm>

#include "base/format.hpp"
#include "base/text.hpp"
#include "doctor/remedies.hpp"
#include "doctor/rules.hpp"
#include "doctor/subjects.hpp"
#include "hardware/reader.hpp"

namespace hal0::doctor {
namespace {

constexpr Package loader{.debian = "libvulkan1", .fedora = "vulkan-loader", .arch = "vulkan-icd-loader"};
constexpr Package amdvlk{.debian = "amdvlk", .fedora = "amdvlk", .arch = "amdvlk"};

// Mesa 25.0 is the first whose RADV is said to be whole on RDNA 3.5 and RDNA 4.
constexpr Version mesa_least{{25, 0, 0}};
constexpr std::int64_t bad_mes_firmware = 0x83;

Package mesa_for(hardware::GpuReport const& gpu) {
    return {.debian = "mesa-vulkan-drivers",
            .fedora = "mesa-vulkan-drivers",
            .arch = gpu.vendor == "intel" ? "vulkan-intel" : "vulkan-radeon"};
}

bool uses_mesa(hardware::GpuReport const& gpu) { return gpu.vendor == "amd" || gpu.vendor == "intel"; }

bool lists(hardware::GpuReport const& gpu, std::string_view driver) {
    return std::find(gpu.vulkan.begin(), gpu.vulkan.end(), driver) != gpu.vulkan.end();
}

// Variables that hide drivers from Vulkan's loader.
Lines forced_drivers(Facts const& facts) {
    Lines lines;
    for (auto const* const name : {"VK_DRIVER_FILES", "VK_ICD_FILENAMES", "AMD_VULKAN_ICD"}) {
        if (facts.conditions.variable(name))
            lines.push_back(format("unset {}  # and take it out of where it is set", name));
    }
    return lines;
}

Symptoms look_vulkan_loader(Facts const& facts) {
    if (facts.report.vulkan.state != "no loader") return {};
    for (auto const& gpu : facts.report.gpus) {
        if (!uses_mesa(gpu)) continue;
        return {{.severity = Severity::Error,
                 .evidence = "libvulkan.so.1 isn't installed",
                 .fix = Remedies{facts}.install({loader, mesa_for(gpu)})}};
    }
    return {};
}

std::string listed_instead(Facts const& facts) {
    Lines names;
    for (auto const& device : facts.report.vulkan.devices)
        names.push_back(device.driver);
    return names.empty() ? "Vulkan lists nothing" : format("Vulkan lists {} alone", join(names, ", "));
}

Symptoms look_vulkan_driver(Facts const& facts) {
    if (facts.report.vulkan.state != "ok") return {};
    Symptoms found;
    for (auto const& gpu : facts.report.gpus) {
        if (!uses_mesa(gpu) || gpu.openable != true || gpu.suspended == true || !gpu.vulkan.empty()) continue;
        auto fix = forced_drivers(facts);
        for (auto& line : Remedies{facts}.install({mesa_for(gpu)}))
            fix.push_back(std::move(line));
        fix.emplace_back("vulkaninfo --summary  # lists it then");
        found.push_back(
            {.severity = Severity::Error,
             .headline = format("Vulkan doesn't list {}", shown(gpu)),
             .evidence = format("{} opens, and {}", gpu.render.value_or("it"), listed_instead(facts)),
             .fix = std::move(fix)});
    }
    return found;
}

Symptoms look_vulkan_failed(Facts const& facts) {
    auto const& vulkan = facts.report.vulkan;
    if (vulkan.state != "failed" || !any_gpu(facts, uses_mesa)) return {};
    return {{.severity = Severity::Error,
             .evidence = vulkan.fault.value_or("no reason was given"),
             .fix = {"vulkaninfo --summary  # says more"}}};
}

Symptoms look_vulkan_silent(Facts const& facts) {
    auto const& vulkan = facts.report.vulkan;
    if (vulkan.state != "unknown" || !any_gpu(facts, uses_mesa)) return {};
    return {{.severity = Severity::Warning,
             .evidence = vulkan.fault.value_or("it didn't answer in time"),
             .fix = {"vulkaninfo --summary  # shows whether it answers at all, and how long it takes",
                     "hal0 doctor  # once more"}}};
}

Symptoms look_amdvlk(Facts const& facts) {
    for (auto const& gpu : facts.report.gpus) {
        if (!lists(gpu, "amdvlk") && !lists(gpu, "amd-proprietary")) continue;
        bool const has_radv = lists(gpu, "radv");
        auto fix = forced_drivers(facts);
        Remedies const remedies{facts};
        if (!has_radv) fix = remedies.install({mesa_for(gpu)});
        for (auto& line : remedies.remove(amdvlk))
            fix.push_back(std::move(line));
        return {{.severity = Severity::Warning,
                 .headline = has_radv ? "AMDVLK is installed beside RADV" : "AMDVLK is used in RADV's stead",
                 .evidence = format("Vulkan lists {} by {}", shown(gpu), join(gpu.vulkan, " and ")),
                 .fix = std::move(fix)}};
    }
    return {};
}

bool needs_new_mesa(hardware::GpuReport const& gpu) {
    return is_gfx115x(gpu) || (gpu.gfx && gpu.gfx->starts_with("gfx12"));
}

Symptoms look_mesa(Facts const& facts) {
    auto const installed = facts.report.software.mesa.value_or("");
    auto const mesa = version_of(installed);
    if (!mesa || *mesa >= mesa_least) return {};
    for (auto const& gpu : facts.report.gpus) {
        if (!needs_new_mesa(gpu) || !lists(gpu, "radv")) continue;
        auto fix = Remedies{facts}.upgrade(mesa_for(gpu));
        if (is_of_ubuntu(facts.report.software))
            fix.insert(fix.begin(), "# the updates of Ubuntu 24.04 have Mesa 25:");
        return {{.severity = Severity::Warning,
                 .evidence = format("Mesa {}; {} wants 25.0 or newer", installed, shown(gpu)),
                 .fix = std::move(fix)}};
    }
    return {};
}

Symptoms look_mes_firmware(Facts const& facts) {
    for (auto const& conditions : facts.conditions.gpus) {
        auto const* const gpu = gpu_called(facts, conditions.id);
        auto const version = conditions.mes_firmware.value_or("");
        auto const mes = hardware::from_hex(version);
        if (gpu == nullptr || !is_gfx115x(*gpu) || !mes || (*mes & 0xfff) != bad_mes_firmware) continue;
        bool const uses_rocm = facts.report.rocm.installed.has_value();
        return {{.severity = uses_rocm ? Severity::Warning : Severity::Info,
                 .evidence = format("mes_fw_version of {} is {}", shown(*gpu), version),
                 .fix = Remedies{facts}.newer_firmware({.debian = "firmware-amd-graphics",
                                                        .ubuntu = "linux-firmware",
                                                        .fedora = "amd-gpu-firmware",
                                                        .arch = "linux-firmware-amdgpu"})}};
    }
    return {};
}

}  // namespace

std::vector<Rule> graphics_rules() {
    return {
        {.id = "vulkan-loader-missing",
         .headline = "Vulkan isn't installed",
         .why =
             "hal0 computes with Vulkan on AMD's and Intel's GPUs; without it models run on the processor.",
         .seen = "libvulkan.so.1 can't be loaded",
         .remedy = "Install the loader and Mesa's Vulkan drivers.",
         .reference = "hal0's page on Strix Halo: \"If vulkaninfo is empty\"",
         .look = look_vulkan_loader},
        {.id = "vulkan-driver-missing",
         .headline = "Vulkan doesn't list the GPU",
         .why =
             "Its Vulkan driver isn't installed, or is hidden: models run on the processor. llvmpipe is the "
             "processor posing as a GPU.",
         .seen =
             "the GPU's node opens, and of Vulkan's devices none is it. A node that doesn't open is told of "
             "instead: it leaves llvmpipe alone too",
         .remedy = "Install Mesa's Vulkan drivers: mesa-vulkan-drivers (Debian, Ubuntu, Fedora), "
                   "vulkan-radeon (Arch).",
         .reference = "hal0's page on Strix Halo: \"If vulkaninfo is empty\"",
         .look = look_vulkan_driver},
        {.id = "vulkan-failed",
         .headline = "Vulkan failed",
         .why = "hal0 computes with Vulkan on this GPU; until it works models run on the processor.",
         .seen = "vkCreateInstance or vkEnumeratePhysicalDevices gives an error",
         .remedy = "See what vulkaninfo says.",
         .reference = "hal0's page on Strix Halo: \"If vulkaninfo is empty\"",
         .look = look_vulkan_failed},
        {.id = "vulkan-silent",
         .headline = "Vulkan didn't answer in time",
         .why = "Whether its driver works isn't known. A driver that hangs here hangs engines too.",
         .seen = "a child that asked Vulkan was killed when it hadn't answered in 2 s, or died",
         .remedy = "Ask again; see what vulkaninfo says.",
         .reference = "ollama/ollama#14855",
         .look = look_vulkan_silent},
        {.id = "amdvlk",
         .headline = "AMDVLK is used in RADV's stead",
         .why = "RADV, of Mesa, is the supported path. AMDVLK is no longer made, allows smaller buffers, and "
                "was a "
                "quarter to a third slower in prompts on gfx1151.",
         .seen = "Vulkan lists the GPU by AMD's own driver (DRIVER_ID_AMD_OPEN_SOURCE or _PROPRIETARY)",
         .remedy = "Install RADV, remove AMDVLK.",
         .reference = "hal0's page on Strix Halo: \"not AMDVLK\"; GPUOpen-Drivers/AMDVLK#420, #413",
         .look = look_amdvlk},
        {.id = "mesa-old",
         .headline = "Mesa is too old for this GPU",
         .why = "Its RADV knows RDNA 3.5 and RDNA 4 badly or not at all: slow, or wrong.",
         .seen = "RADV of a Mesa under 25.0 drives a gfx115x or gfx12xx",
         .remedy = "Install the newest Mesa of the distribution.",
         .reference =
             "hal0's page on Strix Halo: \"a recent Mesa with RADV\"; that it is 25.0 is general knowledge",
         .look = look_mesa},
        {.id = "mes-firmware",
         .headline = "the GPU's firmware is one with a known fault",
         .why = "MES 0x83 hangs the GPU, or faults in memory, under ROCm. Vulkan isn't known to suffer.",
         .seen = "fw_version/mes_fw_version of a gfx115x is 0x83. A warning where ROCm is installed",
         .remedy =
             "Install the linux-firmware in which it was taken back (after December 2025), start again.",
         .reference = "ROCm/legacy-rocm-build#5724",
         .look = look_mes_firmware}};
}

}  // namespace hal0::doctor
