// Bare metal, VM or container: systemd's signs in systemd's order (src/basic/virt.c), and those of LXC that a
// container without systemd shows.
#include <algorithm>
#include <array>
#include <utility>

#include "base/format.hpp"
#include "base/text.hpp"
#include "hardware/probe_parts.hpp"

namespace hal0::hardware {
namespace {

bool contains_fold(std::string_view text, std::string_view what) {
    return lower(text).find(lower(what)) != std::string::npos;
}

bool is_wsl(Reader& reader, SystemAnswer const& system) {
    auto const release = reader.text("/proc/sys/kernel/osrelease").value_or(system.kernel);
    return contains_fold(release, "microsoft") || release.find("WSL") != std::string::npos;
}

// /proc/1/environ: "container=lxc" between NULs; only root may read it.
std::optional<std::string> container_of_init(Reader& reader) {
    auto const environment = reader.text("/proc/1/environ", 1_MiB);
    if (!environment) return std::nullopt;
    constexpr std::string_view name = "container=";
    for (auto const variable : split(*environment, '\0')) {
        if (variable.starts_with(name)) return std::string{variable.substr(name.size())};
    }
    return std::nullopt;
}

// A mount of lxcfs over /proc/meminfo: nothing but LXC and its like has it.
bool has_lxcfs(Reader& reader) {
    auto const mounts = reader.text("/proc/self/mountinfo", 4_MiB).value_or("");
    for (auto const line : split(mounts, '\n')) {
        if (line.find(" /proc/meminfo ") != std::string_view::npos &&
            line.find("lxcfs") != std::string_view::npos)
            return true;
    }
    return false;
}

// "oci" is no manager's name: the files below say which it is.
std::optional<std::string> known_manager(std::optional<std::string> const& name) {
    auto word = name ? printable(*name) : "";
    if (word.empty() || word == "oci") return std::nullopt;
    return word;
}

std::optional<std::string> container_of(Reader& reader, bool lxcfs) {
    auto const& files = reader.files();
    if (files.exists("/proc/vz") && !files.exists("/proc/bc")) return "openvz";
    if (auto const name = known_manager(reader.text("/run/host/container-manager"))) return name;
    if (auto const name = known_manager(reader.text("/run/systemd/container"))) return name;
    if (auto const name = known_manager(container_of_init(reader))) return name;
    if (files.exists("/run/.containerenv")) return "podman";
    if (files.exists("/.dockerenv")) return "docker";
    if (lxcfs) return "lxc";
    if (files.exists("/sys/fs/cgroup/cgroup.events") && files.exists("/sys/fs/cgroup/cgroup.type"))
        return "container-other";
    return std::nullopt;
}

std::optional<std::string> vm_by_dmi(Reader& reader) {
    struct Maker {
        std::string_view begins;
        std::string_view name;
    };
    constexpr std::array makers{Maker{"KVM", "kvm"},
                                Maker{"OpenStack", "kvm"},
                                Maker{"KubeVirt", "kvm"},
                                Maker{"Amazon EC2", "amazon"},
                                Maker{"QEMU", "qemu"},
                                Maker{"VMware", "vmware"},
                                Maker{"VMW", "vmware"},
                                Maker{"innotek GmbH", "oracle"},
                                Maker{"VirtualBox", "oracle"},
                                Maker{"Oracle Corporation", "oracle"},
                                Maker{"Xen", "xen"},
                                Maker{"Bochs", "bochs"},
                                Maker{"Parallels", "parallels"},
                                Maker{"BHYVE", "bhyve"},
                                Maker{"Hyper-V", "microsoft"},
                                Maker{"Apple Virtualization", "apple"},
                                Maker{"Google Compute Engine", "google"}};
    constexpr std::array files{"product_name", "sys_vendor", "board_vendor", "bios_vendor",
                               "product_version"};
    for (auto const* const file : files) {
        auto const text = reader.text(format("/sys/class/dmi/id/{}", file)).value_or("");
        for (auto const& maker : makers) {
            if (text.starts_with(maker.begins)) return std::string{maker.name};
        }
    }
    return std::nullopt;
}

std::optional<std::string> vm_by_cpuid(std::optional<std::string> const& word) {
    constexpr std::array words{std::pair{"XenVMMXenVMM", "xen"},    std::pair{"KVMKVMKVM", "kvm"},
                               std::pair{"Linux KVM Hv", "kvm"},    std::pair{"TCGTCGTCGTCG", "qemu"},
                               std::pair{"VMwareVMware", "vmware"}, std::pair{"Microsoft Hv", "microsoft"},
                               std::pair{"bhyve bhyve ", "bhyve"},  std::pair{"QNXQVMBSQG", "qnx"},
                               std::pair{"ACRNACRNACRN", "acrn"},   std::pair{"SRESRESRESRE", "sre"},
                               std::pair{"Apple VZ", "apple"}};
    if (!word) return std::nullopt;
    for (auto const& [signature, name] : words) {
        if (*word == signature) return name;
    }
    return "vm-other";
}

// Some hypervisors pose as another in CPUID: their DMI goes first.
std::optional<std::string> vm_of(Reader& reader, SystemAnswer const& system) {
    auto dmi = vm_by_dmi(reader);
    constexpr std::array poses{"amazon", "oracle", "xen", "parallels", "google"};
    if (dmi && std::find(poses.begin(), poses.end(), *dmi) != poses.end()) return dmi;
    auto cpuid = vm_by_cpuid(system.hypervisor);
    if (cpuid && cpuid != "vm-other") return cpuid;
    if (dmi) return dmi;
    return cpuid;
}

// "         0          0 4294967295": the ids are the host's own. Nothing where it can't be read.
std::optional<bool> has_hosts_root(Reader& reader) {
    auto const map = reader.text("/proc/self/uid_map");
    if (!map) return std::nullopt;
    std::vector<std::int64_t> numbers;
    for (auto const part : split(std::string_view{*map}.substr(0, map->find('\n')), ' ')) {
        if (part.empty()) continue;
        auto const number = to_int(part);
        if (!number) return std::nullopt;
        numbers.push_back(*number);
    }
    if (numbers.size() != 3) return std::nullopt;
    return numbers[0] == 0 && numbers[1] == 0;
}

std::string kind_of(PlatformReport const& platform, bool wsl) {
    if (wsl) return "wsl2";
    if (platform.container) return platform.container->starts_with("lxc") ? "lxc" : "container";
    return platform.vm ? "vm" : "bare metal";
}

// Reading fails with EINVAL where no security module is active.
std::optional<std::string> apparmor_of(Reader& reader) {
    auto const text = reader.files().read("/proc/self/attr/current", 4_KiB);
    if (!text) return std::nullopt;
    auto const profile = printable(std::string_view{*text}.substr(0, text->find('\0')));
    return profile.empty() ? std::nullopt : std::optional{profile};
}

}  // namespace

PlatformReport probe_platform(Reader& reader, SystemAnswer const& system) {
    bool const wsl = is_wsl(reader, system);
    PlatformReport platform{.lxcfs = has_lxcfs(reader)};
    platform.vm = wsl ? std::optional<std::string>{"microsoft"} : vm_of(reader, system);
    platform.container = wsl ? std::nullopt : container_of(reader, platform.lxcfs);
    if (platform.container) platform.privileged = has_hosts_root(reader);
    platform.kind = kind_of(platform, wsl);
    bool const pve_kernel = system.kernel.ends_with("-pve");
    platform.proxmox_host = !platform.container && reader.files().exists("/etc/pve/nodes");
    platform.proxmox_kernel = pve_kernel;
    platform.apparmor = apparmor_of(reader);
    return platform;
}

BoardReport probe_board(Reader& reader) {
    auto const read = [&reader](std::string_view file) -> std::optional<std::string> {
        constexpr std::array<std::string_view, 6> blanks{"To be filled by O.E.M.", "System Product Name",
                                                         "System manufacturer",    "Default string",
                                                         "Not Specified",          "System Version"};
        auto const text = reader.text(format("/sys/class/dmi/id/{}", file));
        auto word = text ? printable(*text) : "";
        auto const blank = [&word](std::string_view other) { return equal_fold(word, other); };
        if (word.empty() || std::any_of(blanks.begin(), blanks.end(), blank)) return std::nullopt;
        return word;
    };
    BoardReport board{.vendor = read("sys_vendor"),
                      .product = read("product_name"),
                      .product_version = read("product_version"),
                      .board = read("board_name"),
                      .firmware = read("bios_version")};
    auto const date = read("bios_date");
    if (board.firmware && date) *board.firmware += format(" ({})", *date);
    return board;
}

}  // namespace hal0::hardware
