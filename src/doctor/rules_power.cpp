// Power states, which make a good box a slow one.
#include <algorithm>
#include <array>

#include "base/format.hpp"
#include "base/text.hpp"
#include "doctor/remedies.hpp"
#include "doctor/rules.hpp"
#include "doctor/subjects.hpp"

namespace hal0::doctor {
namespace {

constexpr std::int64_t busy_least = 90;  // percent
constexpr std::int64_t idle_most = 2;

Symptoms look_level(Facts const& facts) {
    Symptoms found;
    for (auto const& conditions : facts.conditions.gpus) {
        constexpr std::array<std::string_view, 3> low{"low", "profile_min_sclk", "profile_min_mclk"};
        auto const level = conditions.performance_level.value_or("");
        auto const* const gpu = gpu_called(facts, conditions.id);
        if (gpu == nullptr || std::find(low.begin(), low.end(), level) == low.end()) continue;
        auto const file =
            format("/sys/bus/pci/devices/{}/power_dpm_force_performance_level", gpu->pci.value_or(""));
        found.push_back({.severity = Severity::Warning,
                         .headline = format("{} is held at its lowest clocks", shown(*gpu)),
                         .evidence = format("power_dpm_force_performance_level is '{}'", level),
                         .fix = Remedies{facts}.on_host({format("echo auto | sudo tee {}", file)})});
    }
    return found;
}

Symptoms look_profile(Facts const& facts) {
    auto const& profile = facts.conditions.platform_profile;
    if (profile != "low-power" && profile != "quiet") return {};
    auto const& choices = facts.conditions.platform_profiles;
    bool const has_best = std::find(choices.begin(), choices.end(), "performance") != choices.end();
    auto const* const better = has_best ? "performance" : "balanced";
    return {{.severity = Severity::Warning,
             .evidence = format("/sys/firmware/acpi/platform_profile is '{}'", *profile),
             .fix = Remedies{facts}.on_host(
                 {format("powerprofilesctl set {}", better), "# without power-profiles-daemon:",
                  format("echo {} | sudo tee /sys/firmware/acpi/platform_profile", better)})}};
}

Symptoms look_battery(Facts const& facts) {
    if (facts.conditions.on_mains != false) return {};
    return {{.severity = Severity::Info,
             .evidence = "the mains supply says that it is off",
             .fix = {"# plug it in"}}};
}

Symptoms look_clock_low(Facts const& facts) {
    Symptoms found;
    for (auto const& now : facts.conditions.gpus) {
        auto const* const gpu = gpu_called(facts, now.id);
        if (gpu == nullptr || !now.clock_mhz || !now.clock_min_mhz || !now.clock_max_mhz) continue;
        bool const is_least = *now.clock_mhz <= *now.clock_min_mhz && *now.clock_min_mhz < *now.clock_max_mhz;
        auto const busy = now.busy_percent.value_or(0);
        if (!is_least || busy < busy_least) continue;
        found.push_back(
            {.severity = Severity::Warning,
             .headline = format("{} works at its lowest clock", shown(*gpu)),
             .evidence = format("{} % busy at {} MHz of {}", busy, *now.clock_mhz, *now.clock_max_mhz),
             .fix = Remedies{facts}.on_host(
                 {"hal0 doctor  # once more: one look can meet a change of clocks",
                  "# if it stays: what 'hal0 doctor' says of power comes first, then cooling and the "
                  "power supply, then: sudo reboot"})});
    }
    return found;
}

Symptoms look_clock_high(Facts const& facts) {
    Symptoms found;
    for (auto const& now : facts.conditions.gpus) {
        auto const* const gpu = gpu_called(facts, now.id);
        if (gpu == nullptr || !is_halo(*gpu) || !now.clock_mhz || !now.clock_max_mhz || !now.busy_percent)
            continue;
        if (*now.clock_mhz < *now.clock_max_mhz || *now.busy_percent > idle_most) continue;
        found.push_back({.severity = Severity::Info,
                         .evidence = format("{} % busy at {} MHz", *now.busy_percent, *now.clock_mhz),
                         .fix = {"# leave one process that uses ROCm, or use Vulkan"}});
    }
    return found;
}

Symptoms look_suspended(Facts const& facts) {
    Symptoms found;
    for (auto const& gpu : facts.report.gpus) {
        if (!computes(gpu) || gpu.suspended != true) continue;
        found.push_back(
            {.severity = Severity::Info,
             .headline = format("{} is asleep", shown(gpu)),
             .evidence = format("power/runtime_status of {} is suspended", gpu.pci.value_or("it")),
             .fix = {"# nothing: it wakes when it is used"}});
    }
    return found;
}

// A driver that has a device and shows none of its memory: it is being reset, or is gone.
Symptoms look_mute(Facts const& facts) {
    Symptoms found;
    for (auto const& gpu : facts.report.gpus) {
        bool const tells = gpu.vram_total || gpu.gtt_total || !facts.report.warnings.empty();
        if (gpu.driver != "amdgpu" || gpu.openable != true || gpu.suspended == true || tells) continue;
        found.push_back(
            {.severity = Severity::Warning,
             .headline = format("{} says nothing of its memory", shown(gpu)),
             .evidence = format("mem_info_vram_total and mem_info_gtt_total of {} can't be read",
                                gpu.pci.value_or("it")),
             .fix = Remedies{facts}.on_host({"sudo dmesg | grep -iE 'amdgpu.*(reset|lost|fail)' | tail -n 50",
                                             "# what a reset didn't bring back needs: sudo reboot"})});
    }
    return found;
}

}  // namespace

std::vector<Rule> power_rules() {
    constexpr std::string_view slow = "In a low power state the GPU has a fraction of its speed.";
    return {
        {.id = "gpu-power-low",
         .headline = "the GPU is held at its lowest clocks",
         .why = slow,
         .seen = "power_dpm_force_performance_level is low, profile_min_sclk or profile_min_mclk",
         .remedy = "Set it to auto. It is so until the next start: something sets it.",
         .reference = "hal0's page on Strix Halo (power state); kernel, amdgpu thermal controls",
         .look = look_level},
        {.id = "power-profile",
         .headline = "the box saves power",
         .why = slow,
         .seen = "the firmware's platform profile is low-power or quiet",
         .remedy = "Set it to performance, or to balanced where that is the best there is.",
         .reference = "hal0's page on Strix Halo: \"if the system is on AC saver mode\"",
         .look = look_profile},
        {.id = "on-battery",
         .headline = "the box runs on its battery",
         .why = slow,
         .seen = "no power supply of type Mains is online",
         .remedy = "Plug it in.",
         .reference = "hal0's page on Strix Halo (power state)",
         .look = look_battery},
        {.id = "gpu-clock-low",
         .headline = "the GPU works at its lowest clock",
         .why =
             "A GPU that is busy raises its clock; one that doesn't is held down by power, heat or a fault.",
         .seen =
             "gpu_busy_percent is 90 or more while pp_dpm_sclk is at its least level. One look, so it may be "
             "chance",
         .remedy = "Look again; then power, cooling, a reboot.",
         .reference = "ROCm/legacy-rocm-build#5750 (stuck clocks)",
         .look = look_clock_low},
        {.id = "gpu-clock-high",
         .headline = "the idle GPU runs at its highest clock",
         .why =
             "Two or more idle processes that use ROCm pin it at 2900 MHz, some 25 W; with one it idles at "
             "600 MHz.",
         .seen = "gpu_busy_percent is 2 or less while pp_dpm_sclk is at its greatest level, on Strix Halo",
         .remedy = "Leave one process that uses ROCm, or use Vulkan.",
         .reference = "ollama/ollama#17958; ROCm/legacy-rocm-build#6639",
         .look = look_clock_high},
        {.id = "gpu-suspended",
         .headline = "a GPU is asleep",
         .why = "hal0 doesn't wake it to read its counters, so they are unknown.",
         .seen = "power/runtime_status is suspended",
         .remedy = "Nothing.",
         .reference = "kernel, runtime power management",
         .look = look_suspended},
        {.id = "gpu-mute",
         .headline = "a GPU says nothing of its memory",
         .why = "Its driver has it and shows none of its memory: it is being reset, or is gone. What fits "
                "can't be "
                "told.",
         .seen = "amdgpu is bound, the node opens, and neither mem_info_vram_total nor mem_info_gtt_total "
                 "can be read",
         .remedy = "Look at what the kernel says of a reset; start again.",
         .reference = "ROCm/legacy-rocm-build#6027",
         .look = look_mute}};
}

}  // namespace hal0::doctor
