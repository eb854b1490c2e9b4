// Room: engines that fit the box, disk, memory that isn't the GPU's; and what couldn't be read.
#include <algorithm>

#include "base/format.hpp"
#include "base/text.hpp"
#include "doctor/remedies.hpp"
#include "doctor/rules.hpp"
#include "doctor/subjects.hpp"

namespace hal0::doctor {
namespace {

constexpr Bytes disk_warning = 20_GiB;  // one model of the middle sizes
constexpr Bytes disk_error = 1_GiB;
constexpr Bytes container_least = 4_GiB;
constexpr Bytes swap_info = 256_MiB;
constexpr Bytes swap_warning = 1_GiB;
constexpr double pressure_most = 10;  // percent of the last 10 s

Symptoms look_engines(Facts const& facts) {
    auto const& report = facts.report;
    auto const& wanted = report.recommended.backend;
    auto installed = report.engines;
    installed.insert(installed.end(), report.toolboxes.begin(), report.toolboxes.end());
    auto const fits = [&wanted](hardware::InstalledReport const& other) { return other.backend == wanted; };
    if (installed.empty() || wanted.empty() || std::any_of(installed.begin(), installed.end(), fits))
        return {};
    Lines names;
    for (auto const& engine : installed)
        names.push_back(format("{} {} ({})", engine.id, engine.version, engine.backend));
    return {{.severity = Severity::Warning,
             .headline = format("no engine that is installed computes with {}", wanted),
             .evidence = format("installed: {}; best here: {} on {}", join(names, ", "), wanted,
                                report.recommended.device),
             .fix = {format("hal0 engine list  # then install one whose backend is {}", wanted)}}};
}

Symptoms look_storage(Facts const& facts) {
    auto const& storage = facts.report.storage;
    if (!storage || !storage->available || *storage->available >= disk_warning) return {};
    return {{.severity = *storage->available < disk_error ? Severity::Error : Severity::Warning,
             .evidence = format("{} has {} left of {}", storage->path, human(*storage->available),
                                storage->total ? human(*storage->total) : "an unknown size"),
             .fix = {"hal0 model list  # their sizes; what no slot uses can be deleted",
                     "# or name a directory on another disk: 'roots' in hal0.toml (docs/settings.md)"}}};
}

// lxcfs shows an LXC's limit as MemTotal; others have a limit of their cgroup.
std::optional<Bytes> limit_of_container(Facts const& facts) {
    auto const& memory = facts.report.memory;
    if (!facts.report.platform.container) return std::nullopt;
    auto limit = memory.limit;
    if (memory.total_is == "container" && memory.total)
        limit = limit ? std::min(*limit, *memory.total) : memory.total;
    return limit;
}

Symptoms look_container(Facts const& facts) {
    auto const limit = limit_of_container(facts);
    if (!limit || *limit >= container_least) return {};
    auto const fix = facts.report.platform.kind == "lxc"
                         ? Lines{"# on the host: pct set ID --memory 8192"}
                         : Lines{"# start the container with --memory 8g or more, or without a limit"};
    return {{.severity = Severity::Warning,
             .evidence = format("this container may have {}", human(*limit)),
             .fix = fix}};
}

bool is_zram(std::string const& area) { return area.starts_with("/dev/zram"); }

// Each by its name: `swapon -a` knows fstab alone, so that zram, and what systemd or somebody by hand has
// switched on, would be gone until the next start. zram isn't emptied at all.
Lines empty_swap(Facts const& facts) {
    auto const& areas = facts.conditions.swap;
    if (areas.empty())
        return {"swapon --show  # what is swapped to",
                "# then for each of them that is no zram: sudo swapoff NAME && sudo swapon NAME"};
    Lines lines;
    for (auto const& area : areas) {
        if (is_zram(area)) continue;
        lines.push_back(format(
            "sudo swapoff {0} && sudo swapon {0}  # brings it back, once enough memory is available", area));
    }
    return lines;
}

Symptoms look_swap(Facts const& facts) {
    auto const& counters = facts.counters;
    if (!counters.swap_total || !counters.swap_free) return {};
    auto const used = *counters.swap_total - *counters.swap_free;
    if (used < swap_info) return {};
    Symptom symptom{.severity = used < swap_warning ? Severity::Info : Severity::Warning,
                    .evidence = format("{} of {} are in use", human(used), human(*counters.swap_total)),
                    .fix = {"hal0 slot list  # unload what isn't needed: hal0 slot unload NAME"}};
    auto commands = empty_swap(facts);
    if (commands.empty()) {
        symptom.why =
            "What was swapped lies compressed in memory (zram), and is unpacked when it is next used: that "
            "is faster than a disk, but models can't have that memory.";
        symptom.fix.emplace_back(
            "# no more than that: zram comes back as it is used, and emptying it takes more memory at once");
        return {symptom};
    }
    for (auto& line : Remedies{facts}.on_host(std::move(commands)))
        symptom.fix.push_back(std::move(line));
    return {symptom};
}

Symptoms look_pressure(Facts const& facts) {
    auto const some = facts.counters.pressure_some;
    if (!some || *some < pressure_most) return {};
    return {{.severity = Severity::Warning,
             .evidence = format("in {:.0f} % of the last 10 s something waited for memory", *some),
             .fix = {"hal0 slot list  # unload what isn't needed: hal0 slot unload NAME"}}};
}

Symptoms look_own_files(Facts const& facts) {
    Symptoms symptoms;
    symptoms.reserve(facts.own_files.size());
    for (auto const& file : facts.own_files)
        symptoms.push_back({.severity = file.needed ? Severity::Error : Severity::Warning,
                            .headline = format("{} can't be used as it is", file.path),
                            .evidence = file.fault,
                            .fix = {file.fix}});
    return symptoms;
}

Symptoms look_nonsense(Facts const& facts) {
    auto all = facts.report.warnings;
    for (auto const* const more : {&facts.counters.warnings, &facts.conditions.warnings}) {
        for (auto const& warning : *more) {
            if (std::find(all.begin(), all.end(), warning) == all.end()) all.push_back(warning);
        }
    }
    if (all.empty()) return {};
    return {{.severity = Severity::Warning,
             .evidence = join(all, "; "),
             .fix = {"hal0 probe --record my-box  # for a report of a fault: it holds no names and no serial "
                     "numbers"}}};
}

}  // namespace

std::vector<Rule> room_rules() {
    return {
        {.id = "engine-backend",
         .headline = "no engine that is installed fits this box",
         .why = "What is installed computes with something slower than what the box has.",
         .seen = "of the engines and toolboxes none has the backend that `hal0 probe` recommends",
         .remedy = "Install one that has.",
         .reference = "hal0's page on Strix Halo (wrong toolbox)",
         .look = look_engines},
        {.id = "storage-full",
         .headline = "there is little room for models",
         .why = "A model of the middle sizes needs some 20 GB: pulling it will fail.",
         .seen = "under 20 GiB can still be written where models are kept. An error under 1 GiB",
         .remedy = "Delete models, or name a directory on another disk.",
         .reference = "statfs(2)",
         .look = look_storage},
        {.id = "container-memory",
         .headline = "this container may have little memory",
         .why = "GPU pages aren't charged to it, so large models may load all the same; but what the engine "
                "keeps "
                "in the processor's memory, and a prompt cache, can end in the kernel killing it.",
         .seen = "the memory limit of the container, or what lxcfs shows as its memory, is under 4 GiB",
         .remedy = "Raise the limit.",
         .reference = "llamastash/llamastash#82, #83; ROCm/legacy-rocm-build#6370",
         .look = look_container},
        {.id = "swap-in-use",
         .headline = "memory has been swapped out",
         .why =
             "What was swapped is read back from disk when it is next used: weights and caches among it make "
             "answers stall.",
         .seen = "SwapTotal less SwapFree is over 256 MiB; a warning over 1 GiB",
         .remedy = "Unload what isn't needed, then empty the swap, but for zram: that lies in memory, and "
                   "comes back as it is used.",
         .reference = "proc_meminfo(5); swapon(8); zram-generator(8)",
         .look = look_swap},
        {.id = "memory-pressure",
         .headline = "memory is short now",
         .why = "Programs wait for memory to be freed: answers stall, and the kernel may soon kill one.",
         .seen = "/proc/pressure/memory: `some` is over 10 % in the last 10 s",
         .remedy = "Unload what isn't needed.",
         .reference = "kernel, pressure stall information",
         .look = look_pressure},
        {.id = "own-file",
         .headline = "a file of hal0's own can't be used as it is",
         .why = "What it says isn't done until it is mended.",
         .seen =
             "hal0.toml (an error) or hardware.json can't be read or is of a newer hal0; proxmox.json may be "
             "read by others, can't be read, or Proxmox doesn't answer by it",
         .remedy = "What the fault says; `hal0 probe` writes hardware.json anew.",
         .reference = "docs/settings.md",
         .look = look_own_files},
        {.id = "facts-nonsense",
         .headline = "some of what the box says makes no sense",
         .why = "It counts as unknown: what hangs on it isn't judged.",
         .seen = "a file of the kernel's can't be read, or holds what can't be",
         .remedy = "Record the box and report it.",
         .reference = "docs/hardware.md",
         .look = look_nonsense}};
}

}  // namespace hal0::doctor
