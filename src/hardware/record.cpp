#include "hardware/record.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <utility>

#include "base/format.hpp"
#include "base/text.hpp"
#include "hardware/conditions.hpp"
#include "hardware/counters.hpp"
#include "hardware/dmi.hpp"
#include "hardware/known_devices.hpp"
#include "hardware/probe.hpp"
#include "os/file.hpp"

namespace hal0::hardware {

// What the reading of files says, kept as it is asked: the asking changes nothing, hence `mutable`.
class RecordingMachine::Files final : public os::FileSystem {
  public:
    explicit Files(os::FileSystem const& files) : files_{files} {}

    [[nodiscard]] Result<std::string> read(std::string const& path, Bytes max) const override {
        auto text = files_.read(path, max);
        if (text)
            kept_.set(path, {RecordedFile::Kind::Text, *text});
        else
            keep_fault(path, text.error().kind);
        return text;
    }
    [[nodiscard]] Result<std::vector<std::string>> list(std::string const& path) const override {
        auto names = files_.list(path);
        if (!names) {
            keep_fault(path, names.error().kind);
            return names;
        }
        keep_presence(path);
        for (auto const& name : *names)
            keep_presence(os::join_path(path, name));
        return names;
    }
    [[nodiscard]] std::optional<std::string> link(std::string const& path) const override {
        auto target = files_.link(path);
        if (target) kept_.set(path, {RecordedFile::Kind::Link, *target});
        return target;
    }
    [[nodiscard]] bool exists(std::string const& path) const override {
        bool const there = files_.exists(path);
        if (there) keep_presence(path);
        return there;
    }
    [[nodiscard]] RecordedFiles& kept() const { return kept_; }

  private:
    void keep_presence(std::string const& path) const { kept_.all().try_emplace(path); }
    void keep_fault(std::string const& path, Errc kind) const {
        if (kind == Errc::NotFound) return;
        auto const* const name = kind == Errc::Forbidden ? "EACCES"
                                 : kind == Errc::Invalid ? "EINVAL"
                                                         : "EIO";
        kept_.set(path, {RecordedFile::Kind::Fault, name});
    }
    os::FileSystem const& files_;
    mutable RecordedFiles kept_{};
};

RecordingMachine::RecordingMachine(Machine& machine)
    : machine_{machine}, files_{std::make_unique<Files>(machine.files())} {}
RecordingMachine::~RecordingMachine() = default;

os::FileSystem const& RecordingMachine::files() const { return *files_; }
RecordedFiles& RecordingMachine::recorded_files() { return files_->kept(); }

SystemAnswer RecordingMachine::system() {
    facts_.system = machine_.system();
    return *facts_.system;
}

NodeAnswer RecordingMachine::node(std::string const& path) {
    auto answer = machine_.node(path);
    std::erase_if(facts_.nodes, [&path](NodeAnswer const& node) { return node.path == path; });
    facts_.nodes.push_back(answer);
    return answer;
}

VulkanAnswer RecordingMachine::vulkan() {
    facts_.vulkan = machine_.vulkan();
    return *facts_.vulkan;
}

NvmlAnswer RecordingMachine::nvml() {
    facts_.nvml = machine_.nvml();
    return *facts_.nvml;
}

std::optional<SpaceAnswer> RecordingMachine::space(std::string const& path) {
    facts_.space = machine_.space(path);
    return facts_.space;
}

namespace {

// Lines that hold one of `words`.
std::string lines_with(std::string_view text, std::vector<std::string> const& words) {
    std::string kept;
    for (auto const line : split(text, '\n')) {
        auto const holds = [line](std::string const& word) {
            return line.find(word) != std::string_view::npos;
        };
        if (std::any_of(words.begin(), words.end(), holds)) kept += format("{}\n", line);
    }
    return kept;
}

PciIds ids_of(GpuReport const& gpu) {
    auto const hex = [](std::optional<std::string> const& text) {
        return text ? from_hex(*text) : std::nullopt;
    };
    return {hex(gpu.vendor_id).value_or(0), hex(gpu.device_id).value_or(0), hex(gpu.revision)};
}

// The names of these GPUs alone.
std::string scrubbed_ids(std::string const& path, std::string const& text,
                         std::vector<GpuReport> const& gpus) {
    std::string kept;
    for (auto const& gpu : gpus) {
        auto const ids = ids_of(gpu);
        if (path == amdgpu_ids_path) {
            if (auto const name = name_in_amdgpu_ids(text, ids))
                kept += format("{:04X},\t{:02X},\t{}\n", ids.device, ids.revision.value_or(0), *name);
        } else if (auto const name = name_in_pci_ids("\n" + text, ids)) {
            kept += format("{:04x}  {}\n\t{:04x}  {}\n", ids.vendor, gpu.vendor, ids.device, *name);
        }
    }
    return kept;
}

// Only the first processor, of which nothing is its own.
std::string scrubbed_cpuinfo(std::string_view text) {
    auto const first = text.substr(0, text.find("\n\n"));
    std::vector<std::string> const keys{"vendor_id", "cpu family", "model", "stepping", "flags", "Features"};
    return lines_with(first, keys);
}

// Parameters that the probe asks for are of the kernel; others can name disks, hosts and people.
std::string scrubbed_cmdline(std::string_view text) {
    std::string kept;
    for (auto const word : split(trim(text), ' ')) {
        constexpr std::array<std::string_view, 10> known{
            "amd",   "ttm", "iommu=", "intel_iommu=", "nvidia",
            "i915.", "xe.", "mem=",   "hugepages",    "nomodeset"};
        auto const begins = [word](std::string_view prefix) { return word.starts_with(prefix); };
        if (std::any_of(known.begin(), known.end(), begins))
            kept += format("{}{}", kept.empty() ? "" : " ", word);
    }
    return kept + "\n";
}

// Variables of an environment for which `wanted` holds.
std::string scrubbed_environment(std::string_view text, bool (*wanted)(std::string_view)) {
    std::string kept;
    for (auto const variable : split(text, '\0')) {
        if (wanted(variable)) kept += std::string{variable} + '\0';
    }
    return kept;
}

// container=… is all that is asked of the first process's environment.
bool names_container(std::string_view variable) { return variable.starts_with("container="); }

// The groups that devices belong to, and of their members hal0's own user alone.
std::string scrubbed_group(std::string_view text) {
    std::string kept;
    for (auto const line : split(text, '\n')) {
        auto const parts = split(line, ':');
        if (parts.size() < 4 || (parts[0] != "render" && parts[0] != "video")) continue;
        auto const members = split(parts[3], ',');
        bool const has = std::find(members.begin(), members.end(), "hal0") != members.end();
        kept += format("{}:x:{}:{}\n", parts[0], parts[2], has ? "hal0" : "");
    }
    return kept;
}

// Whether hal0 has a user of its own.
std::string scrubbed_passwd(std::string_view text) {
    auto const lines = split(text, '\n');
    bool const has = std::any_of(lines.begin(), lines.end(),
                                 [](std::string_view line) { return line.starts_with("hal0:"); });
    return has ? "hal0:x::::::\n" : "";
}

std::string scrubbed_modprobe(std::string_view text) {
    std::string kept;
    for (auto const line : split(text, '\n')) {
        if (matters_of_modprobe(line)) kept += format("{}\n", line);
    }
    return kept;
}

// Areas of swap, and of a file not where it lies: that may be somebody's home.
std::string scrubbed_swaps(std::string_view text) {
    std::string kept;
    for (auto const line : split(text, '\n')) {
        auto words = words_of_line(line);
        if (words.empty() || !words.front().starts_with('/')) continue;
        if (!words.front().starts_with("/dev/")) words.front() = "/swapfile";
        kept += join(words, " ") + "\n";
    }
    return kept;
}

bool is_of_modprobe(std::string_view path) { return path.find("/modprobe.d/") != std::string_view::npos; }

// Batteries of mice and headsets have names that tell of one device alone, and files of modprobe's may have
// any name: those in which nothing was found are left out.
void drop_names(RecordedFiles& files) {
    constexpr std::string_view supplies = "/sys/class/power_supply/";
    auto const is_mains = [&files, supplies](std::string_view path) {
        auto const name = path.substr(0, path.find('/', supplies.size()));
        auto const type = files.all().find(format("{}/type", name));
        return type != files.all().end() && trim(type->second.text) == "Mains";
    };
    std::vector<std::string> gone;
    for (auto const& [path, file] : files.all()) {
        bool const others_supply = path.starts_with(supplies) && !is_mains(path);
        if (others_supply || (is_of_modprobe(path) && file.text.empty())) gone.push_back(path);
    }
    for (auto const& path : gone)
        files.all().erase(path);
}

constexpr std::string_view cgroup_file = "/proc/self/cgroup";
constexpr std::string_view cgroup_mount = "/sys/fs/cgroup/";

using Renamed = std::map<std::string, std::string, std::less<>>;

// Components of a path that have other names now.
std::string renamed(std::string_view path, Renamed const& names) {
    std::vector<std::string> parts;
    for (auto const part : split(path, '/')) {
        auto const found = names.find(part);
        parts.push_back(found == names.end() ? std::string{part} : found->second);
    }
    return join(parts, "/");
}

// A user's slices and a container's scopes have names that tell who it is: "/user.slice/ann.scope" becomes
// "/group1/group2", there and below /sys/fs/cgroup.
void rename_cgroups(RecordedFiles& files) {
    auto const own = files.all().find(cgroup_file);
    if (own == files.all().end()) return;
    Renamed names;
    std::string text;
    for (auto const line : split(trim(own->second.text), '\n')) {
        auto const path_at = line.find(':', line.find(':') + 1) + 1;
        for (auto const part : split(line.substr(path_at), '/')) {
            if (!part.empty()) names.try_emplace(std::string{part}, format("group{}", names.size() + 1));
        }
        text += format("{}/{}\n", line.substr(0, path_at), renamed(line.substr(path_at), names));
    }
    own->second.text = text;
    std::map<std::string, RecordedFile, std::less<>> kept;
    for (auto& [path, file] : files.all()) {
        bool const group = path.starts_with(cgroup_mount);
        auto const rest = std::string_view{path}.substr(group ? cgroup_mount.size() : 0);
        kept.insert_or_assign(group ? format("{}{}", cgroup_mount, renamed(rest, names)) : path,
                              std::move(file));
    }
    files.all() = std::move(kept);
}

}  // namespace

std::string scrubbed(std::string const& path, std::string const& text, std::vector<GpuReport> const& gpus) {
    bool const is_pci_ids =
        std::find(pci_ids_paths.begin(), pci_ids_paths.end(), path) != pci_ids_paths.end();
    if (path == amdgpu_ids_path || is_pci_ids) return scrubbed_ids(path, text, gpus);
    if (path == "/proc/cpuinfo") return scrubbed_cpuinfo(text);
    if (path == "/proc/cmdline") return scrubbed_cmdline(text);
    if (path == "/proc/1/environ") return scrubbed_environment(text, names_container);
    if (path == "/proc/self/environ") return scrubbed_environment(text, matters_of_environment);
    if (path == "/proc/swaps") return scrubbed_swaps(text);
    if (path == "/etc/group") return scrubbed_group(text);
    if (path == "/etc/passwd") return scrubbed_passwd(text);
    if (is_of_modprobe(path)) return scrubbed_modprobe(text);
    if (path == "/proc/self/mountinfo") return lines_with(text, {" /proc/meminfo "});
    if (path.starts_with(dmi_entries_directory)) {
        auto const length = text.size() > 1 ? static_cast<unsigned char>(text[1]) : 0U;
        return text.substr(0, length);  // the strings come after it: makers, places, serial numbers
    }
    return text;
}

Result<void> record(Machine& machine, std::string const& directory) {
    auto const files_path = os::join_path(directory, recorded_files_name);
    if (os::exists(files_path))
        return Error{Errc::Exists, format("{} has a recording already; name another directory", directory)};
    RecordingMachine recording{machine};
    auto const report = probe(recording, {.store = "/"});
    (void)read_counters(recording, report);
    (void)read_conditions(recording, report);
    auto& kept = recording.recorded_files();
    for (auto& [path, file] : kept.all()) {
        if (file.kind == RecordedFile::Kind::Text) file.text = scrubbed(path, file.text, report.gpus);
    }
    drop_names(kept);
    rename_cgroups(kept);
    HAL0_CHECK(os::make_directories(directory));
    HAL0_CHECK(os::atomic_write(files_path, kept.to_text()));
    return os::atomic_write(os::join_path(directory, recorded_facts_name), wire::encode(recording.facts()));
}

}  // namespace hal0::hardware
