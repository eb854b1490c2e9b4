#include "hardware/conditions.hpp"

#include <algorithm>
#include <array>
#include <set>
#include <utility>

#include "base/format.hpp"
#include "base/text.hpp"
#include "hardware/reader.hpp"

namespace hal0::hardware {
namespace {

constexpr std::string_view service_user = "hal0";
constexpr Bytes accounts_bytes_max = 1_MiB;

// "render:x:992:hal0,ann"
std::vector<GroupFact> read_groups(Reader& reader) {
    std::vector<GroupFact> found;
    auto const text = reader.text("/etc/group", accounts_bytes_max).value_or("");
    for (auto const line : split(text, '\n')) {
        auto const parts = split(line, ':');
        if (parts.size() < 3 || (parts[0] != "render" && parts[0] != "video")) continue;
        auto const number = to_int(parts[2]);
        if (!number) continue;
        auto const members = parts.size() > 3 ? split(parts[3], ',') : std::vector<std::string_view>{};
        bool const has = std::find(members.begin(), members.end(), service_user) != members.end();
        found.push_back({std::string{parts[0]}, *number, has});
    }
    return found;
}

bool has_service_user(Reader& reader) {
    auto const text = reader.text("/etc/passwd", accounts_bytes_max).value_or("");
    auto const lines = split(text, '\n');
    return std::any_of(lines.begin(), lines.end(),
                       [](std::string_view line) { return line.substr(0, line.find(':')) == service_user; });
}

std::vector<NodeAnswer> read_nodes(Machine& machine, HardwareReport const& report) {
    std::vector<std::string> paths;
    for (auto const& gpu : report.gpus) {
        if (gpu.render && gpu.driver != "nvidia") paths.push_back(*gpu.render);
    }
    if (report.rocm.kfd) paths.emplace_back("/dev/kfd");
    if (report.npu && report.npu->node) paths.push_back(*report.npu->node);
    std::vector<NodeAnswer> nodes;
    nodes.reserve(paths.size());
    for (auto const& path : paths)
        nodes.push_back(machine.node(path));
    return nodes;
}

GpuConditions read_gpu(Reader& reader, GpuReport const& gpu) {
    auto const directory = "/sys/bus/pci/devices/" + gpu.pci.value_or("");
    GpuConditions found{.id = gpu.id};
    if (auto const level = reader.text(directory + "/power_dpm_force_performance_level"))
        found.performance_level = printable(*level);
    if (auto const clock = parse_clock_levels(reader.text(directory + "/pp_dpm_sclk").value_or(""))) {
        found.clock_mhz = clock->now;
        found.clock_min_mhz = clock->min;
        found.clock_max_mhz = clock->max;
    }
    auto const busy = reader.number(directory + "/gpu_busy_percent");
    if (busy && *busy >= 0 && *busy <= 100) found.busy_percent = busy;
    if (auto const mes = reader.hex(directory + "/fw_version/mes_fw_version"))
        found.mes_firmware = format("{:#04x}", *mes);
    return found;
}

// Nothing where there is no mains supply: a desktop's power supply tells nothing.
std::optional<bool> read_mains(Reader& reader) {
    std::optional<bool> online;
    for (auto const& name : reader.names("/sys/class/power_supply")) {
        auto const directory = "/sys/class/power_supply/" + name;
        if (reader.text(directory + "/type") != "Mains") continue;
        auto const state = reader.number(directory + "/online");
        if (state) online = online.value_or(false) || *state == 1;
    }
    return online;
}

// A file hides those of its name in the directories after it (modprobe.d(5)).
std::vector<ModuleOption> read_module_options(Reader& reader) {
    std::vector<ModuleOption> found;
    std::set<std::string, std::less<>> seen;
    for (auto const* const directory : {"/etc/modprobe.d", "/run/modprobe.d", "/usr/lib/modprobe.d"}) {
        for (auto const& name : reader.names(directory)) {
            if (!name.ends_with(".conf") || !seen.insert(name).second) continue;
            auto const path = format("{}/{}", directory, name);
            auto const text = reader.text(path).value_or("");
            for (auto const line : split(text, '\n')) {
                if (matters_of_modprobe(line))
                    found.push_back({path, printable(join(words_of_line(line), " "))});
            }
        }
    }
    return found;
}

std::vector<std::string> read_environment(Reader& reader) {
    std::vector<std::string> found;
    auto const text = reader.text("/proc/self/environ", 4_MiB).value_or("");
    for (auto const variable : split(text, '\0')) {
        if (matters_of_environment(variable)) found.push_back(printable(variable));
    }
    return found;
}

std::vector<std::string> read_boot(Reader& reader) {
    constexpr std::array signs{std::pair{"/run/ostree-booted", "ostree"},
                               std::pair{"/etc/kernel/proxmox-boot-uuids", "proxmox-boot"},
                               std::pair{"/etc/kernelstub/configuration", "kernelstub"},
                               std::pair{"/etc/kernel/cmdline", "kernel-cmdline"},
                               std::pair{"/etc/default/grub", "grub"},
                               std::pair{"/boot/loader/loader.conf", "systemd-boot"}};
    std::vector<std::string> found;
    for (auto const& [path, way] : signs) {
        if (reader.files().exists(path)) found.emplace_back(way);
    }
    return found;
}

}  // namespace

NodeAnswer const* Conditions::node(std::string const& path) const {
    auto const found = std::find_if(nodes.begin(), nodes.end(),
                                    [&path](NodeAnswer const& other) { return other.path == path; });
    return found == nodes.end() ? nullptr : &*found;
}

GroupFact const* Conditions::group(std::string_view name) const {
    auto const found = std::find_if(groups.begin(), groups.end(),
                                    [name](GroupFact const& other) { return other.name == name; });
    return found == groups.end() ? nullptr : &*found;
}

std::optional<std::string> Conditions::variable(std::string_view name) const {
    for (auto const& entry : environment) {
        auto const equals = entry.find('=');
        if (std::string_view{entry}.substr(0, equals) == name && equals != std::string::npos)
            return entry.substr(equals + 1);
    }
    return std::nullopt;
}

bool Conditions::boots_with(std::string_view way) const {
    return std::find(boot.begin(), boot.end(), way) != boot.end();
}

std::optional<ClockLevels> parse_clock_levels(std::string_view text) {
    std::optional<ClockLevels> levels;
    for (auto const line : split(text, '\n')) {
        auto const colon = line.find(": ");
        if (colon == std::string_view::npos) continue;
        auto const rest = line.substr(colon + 2);
        auto const mhz = to_int(rest.substr(0, std::min(rest.find('M'), rest.size())));
        if (!mhz || *mhz <= 0) continue;
        if (!levels) levels = ClockLevels{.min = *mhz, .max = *mhz};
        levels->min = std::min(levels->min, *mhz);
        levels->max = std::max(levels->max, *mhz);
        if (trim(rest).ends_with('*')) levels->now = mhz;
    }
    return levels;
}

bool matters_of_environment(std::string_view variable) {
    constexpr std::array<std::string_view, 7> wanted{
        "HSA_OVERRIDE_GFX_VERSION=", "AMD_VULKAN_ICD=",       "VK_ICD_FILENAMES=",       "VK_DRIVER_FILES=",
        "HIP_VISIBLE_DEVICES=",      "ROCR_VISIBLE_DEVICES=", "GGML_VK_VISIBLE_DEVICES="};
    return std::any_of(wanted.begin(), wanted.end(),
                       [variable](std::string_view prefix) { return variable.starts_with(prefix); });
}

std::vector<std::string> words_of_line(std::string_view line) {
    std::string blanks{line};
    std::ranges::replace(blanks, '\t', ' ');
    std::vector<std::string> words;
    for (auto const word : split(trim(blanks), ' ')) {
        if (!word.empty()) words.emplace_back(word);
    }
    return words;
}

std::vector<std::string> parse_swaps(std::string_view text) {
    constexpr std::size_t used = 3;  // Filename, Type, Size, Used, Priority
    std::vector<std::string> areas;
    for (auto const line : split(text, '\n')) {
        auto const words = words_of_line(line);
        if (words.size() <= used || !words[0].starts_with('/')) continue;
        if (to_int(words[used]).value_or(0) > 0) areas.push_back(printable(words[0]));
    }
    return areas;
}

bool matters_of_modprobe(std::string_view line) {
    constexpr std::array<std::string_view, 2> directives{"options", "blacklist"};
    constexpr std::array<std::string_view, 5> modules{"amdgpu", "ttm", "amdttm", "amdxdna", "nvidia"};
    auto const words = words_of_line(line);
    if (words.size() < 2) return false;
    return std::find(directives.begin(), directives.end(), words[0]) != directives.end() &&
           std::find(modules.begin(), modules.end(), words[1]) != modules.end();
}

Conditions read_conditions(Machine& machine, HardwareReport const& report) {
    Reader reader{machine.files()};
    auto const system = machine.system();
    Conditions conditions{.user = system.user,
                          .user_groups = system.groups,
                          .groups = read_groups(reader),
                          .service_user = has_service_user(reader),
                          .nodes = read_nodes(machine, report),
                          .on_mains = read_mains(reader),
                          .module_options = read_module_options(reader),
                          .ttm_module = reader.files().exists("/sys/module/amdttm") ? "amdttm" : "ttm",
                          .environment = read_environment(reader),
                          .boot = read_boot(reader),
                          .swap = parse_swaps(reader.text("/proc/swaps").value_or(""))};
    for (auto const& gpu : report.gpus) {
        if (gpu.driver == "amdgpu" && gpu.suspended != true) conditions.gpus.push_back(read_gpu(reader, gpu));
    }
    if (auto const profile = reader.text("/sys/firmware/acpi/platform_profile"))
        conditions.platform_profile = printable(*profile);
    auto const choices = reader.text("/sys/firmware/acpi/platform_profile_choices").value_or("");
    for (auto const choice : split(choices, ' '))
        conditions.platform_profiles.push_back(printable(choice));
    conditions.warnings = reader.take_warnings();
    return conditions;
}

}  // namespace hal0::hardware
