#include "doctor/remedies.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "base/format.hpp"
#include "base/text.hpp"

namespace hal0::doctor {
namespace {

std::optional<Family> family_named(std::string_view id) {
    constexpr std::array names{std::pair{"debian", Family::Debian}, std::pair{"ubuntu", Family::Debian},
                               std::pair{"fedora", Family::Fedora}, std::pair{"rhel", Family::Fedora},
                               std::pair{"centos", Family::Fedora}, std::pair{"arch", Family::Arch}};
    for (auto const& [name, family] : names) {
        if (id == name) return family;
    }
    return std::nullopt;
}

void append(Lines& lines, Lines more) {
    lines.insert(lines.end(), std::make_move_iterator(more.begin()), std::make_move_iterator(more.end()));
}

// "ttm.pages_limit" as an extended regular expression has it.
std::string escaped(std::string_view name) {
    std::string out;
    for (char const c : name)
        out += c == '.' ? std::string{"\\."} : std::string{c};
    return out;
}

// Whether a shell takes it as it stands.
bool is_plain_word(std::string_view word) {
    return std::ranges::all_of(word, [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               std::string_view{"_.,:=-"}.find(c) != std::string_view::npos;
    });
}

// What takes parameters of these names out of a line, for `sed -E`; they may have a value or none.
std::string removal(Lines const& names) {
    if (names.empty()) return {};
    Lines escapes;
    for (auto const& name : names)
        escapes.push_back(escaped(name));
    return format(R"(s/ *\b({})\b(=[[:alnum:]_.,:-]*)?//g)", join(escapes, "|"));
}

std::string sed(std::vector<std::string> const& parts) {
    Lines some;
    for (auto const& part : parts) {
        if (!part.empty()) some.push_back(part);
    }
    return join(some, "; ");
}

// A value of one word, or none, may stand without quotes.
constexpr char const* quote_bare =
    "s/^(GRUB_CMDLINE_LINUX_DEFAULT=)([[:alnum:]][^[:space:]]*)?[[:space:]]*(#.*)?$/\\1\"\\2\"/";

constexpr std::string_view reboot = "sudo reboot";

constexpr std::string_view install_from_backports =
    "sudo apt install -t \"$(. /etc/os-release; echo $VERSION_CODENAME)-backports\" ";

}  // namespace

Family family_of(hardware::SoftwareReport const& software) {
    if (auto const family = family_named(software.distribution_id.value_or(""))) return *family;
    auto const like = software.distribution_like.value_or("");
    for (auto const name : split(like, ' ')) {
        if (auto const family = family_named(name)) return *family;
    }
    return Family::Unknown;
}

bool is_of_ubuntu(hardware::SoftwareReport const& software) {
    auto const like = software.distribution_like.value_or("");
    auto const names = split(like, ' ');
    return software.distribution_id == "ubuntu" || std::ranges::find(names, "ubuntu") != names.end();
}

Lines without_sudo(Lines commands) {
    constexpr std::string_view word = "sudo ";
    for (auto& line : commands) {
        for (auto at = line.find(word); at != std::string::npos; at = line.find(word, at))
            line.erase(at, word.size());
    }
    return commands;
}

Remedies::Remedies(Facts const& facts)
    : facts_{facts},
      family_{family_of(facts.report.software)},
      in_container_{facts.report.platform.container.has_value()} {}

// Of a container's host nothing is known but Proxmox's kernel.
Family Remedies::host_family() const {
    if (!in_container_) return family_;
    return facts_.report.platform.proxmox_kernel ? Family::Debian : Family::Unknown;
}

// This box, or the host of this container.
bool Remedies::is_proxmox() const {
    auto const& platform = facts_.report.platform;
    return platform.proxmox_kernel || platform.proxmox_host;
}

// Silverblue, Bazzite: the system is an image, and another one is started in its stead.
bool Remedies::is_image() const { return facts_.conditions.boots_with("ostree"); }

std::string_view Remedies::name_of(Package const& package) const {
    switch (family_) {
        case Family::Fedora: return package.fedora;
        case Family::Arch: return package.arch;
        case Family::Debian:
        case Family::Unknown: break;
    }
    bool const has_own = !package.ubuntu.empty() && is_of_ubuntu(facts_.report.software);
    return has_own ? package.ubuntu : package.debian;
}

Lines Remedies::on_host(Lines commands) const {
    if (!in_container_) return commands;
    if (is_proxmox()) commands = without_sudo(std::move(commands));
    auto const* const where = is_proxmox() ? "# on the Proxmox host, not in this container:"
                                           : "# on the host, not in this container:";
    commands.insert(commands.begin(), where);
    return commands;
}

Lines Remedies::install(std::vector<Package> const& packages) const {
    Lines names;
    for (auto const& package : packages) {
        auto const name = name_of(package);
        if (!name.empty()) names.emplace_back(name);
    }
    auto const all = join(names, " ");
    if (is_image()) return {format("sudo rpm-ostree install {}", all), std::string{reboot}};
    switch (family_) {
        case Family::Debian: return {format("sudo apt install {}", all)};
        case Family::Fedora: return {format("sudo dnf install {}", all)};
        case Family::Arch: return {format("sudo pacman -S --needed {}", all)};
        case Family::Unknown: break;
    }
    return {format("# install what Debian calls {}, by this distribution's package manager", all)};
}

Lines Remedies::upgrade(Package const& package) const {
    auto const name = name_of(package);
    if (is_image()) return {"sudo rpm-ostree upgrade", std::string{reboot}};
    switch (family_) {
        case Family::Debian: {
            Lines lines{"sudo apt update", format("sudo apt install --only-upgrade {}", name)};
            if (is_of_ubuntu(facts_.report.software)) return lines;
            lines.emplace_back(
                "# where that is too old still, backports may have a newer one (https://backports.debian.org "
                "says "
                "how to add them):");
            lines.push_back(format("{}{}", install_from_backports, name));
            return lines;
        }
        case Family::Fedora: return {format("sudo dnf upgrade --refresh {}", name)};
        case Family::Arch: return {format("sudo pacman -Syu {}", name)};
        case Family::Unknown: break;
    }
    return {
        format("# install the newest of what Debian calls {}, by this distribution's package manager", name)};
}

Lines Remedies::remove(Package const& package) const {
    auto const name = name_of(package);
    if (is_image())
        return {
            format("sudo rpm-ostree uninstall {0}  # part of the image: sudo rpm-ostree override remove {0}",
                   name),
            std::string{reboot}};
    switch (family_) {
        case Family::Debian: return {format("sudo apt remove {}", name)};
        case Family::Fedora: return {format("sudo dnf remove {}", name)};
        case Family::Arch: return {format("sudo pacman -Rs {}", name)};
        case Family::Unknown: break;
    }
    return {format("# remove the package {}, by this distribution's package manager", name)};
}

Lines Remedies::newer_kernel() const {
    auto const& software = facts_.report.software;
    if (is_proxmox()) return on_host({"sudo apt update && sudo apt full-upgrade", std::string{reboot}});
    if (is_image()) return on_host({"sudo rpm-ostree upgrade", std::string{reboot}});
    switch (host_family()) {
        case Family::Debian:
            if (software.distribution_id == "ubuntu" && software.distribution_version)
                return {format("sudo apt install --install-recommends linux-generic-hwe-{}",
                               *software.distribution_version),
                        std::string{reboot}};
            // The version of one that is made of Ubuntu is its own, and names none of Ubuntu's kernels.
            if (is_of_ubuntu(software)) break;
            return {
                "# a newer kernel is in backports (https://backports.debian.org says how to add them), then:",
                format("{}linux-image-amd64", install_from_backports), std::string{reboot}};
        case Family::Fedora: return {"sudo dnf upgrade --refresh 'kernel*'", std::string{reboot}};
        case Family::Arch: return {"sudo pacman -Syu", std::string{reboot}};
        case Family::Unknown: break;
    }
    return on_host({"# install the newest kernel of the distribution, and start again"});
}

Lines Remedies::newer_firmware(Package const& package) const {
    // Its kernel comes with firmware of its own, in the stead of Debian's packages.
    if (is_proxmox())
        return on_host(
            {"sudo apt update", "sudo apt install --only-upgrade pve-firmware", std::string{reboot}});
    if (in_container_)
        return on_host({"# install the newest linux-firmware of the host, and start it again"});
    if (family_ == Family::Unknown && !is_image())
        return {
            "# install the newest linux-firmware, by this distribution's package manager, and start again"};
    auto lines = upgrade(package);
    if (lines.back() != reboot) lines.emplace_back(reboot);
    return lines;
}

// The line may be quoted with " or ': `.` is either.
Lines Remedies::grub(std::string const& edit) const {
    auto const* const apply =
        host_family() == Family::Arch ? "sudo grub-mkconfig -o /boot/grub/grub.cfg" : "sudo update-grub";
    return {format("sudo sed -i -E '{}' /etc/default/grub", edit), apply};
}

// Pop!_OS, where it boots by UEFI: nobody reads GRUB's file there.
bool Remedies::has_kernelstub() const {
    if (in_container_) return false;
    auto const& conditions = facts_.conditions;
    bool const is_pop = facts_.report.software.distribution_id == "pop";
    return conditions.boots_with("kernelstub") || (is_pop && !conditions.boots_with("grub"));
}

// It takes off whole words, with their values: those that this kernel was started with. What is given in one
// call is added first, and then taken off.
Lines Remedies::kernelstub(std::string const& parameters, Lines const& obsolete) const {
    Lines words;
    for (auto const& word : facts_.report.software.kernel_parameters) {
        auto const name = word.substr(0, word.find('='));
        bool const is_obsolete = std::ranges::find(obsolete, name) != obsolete.end();
        if (is_obsolete && is_plain_word(word)) words.push_back(word);
    }
    Lines lines;
    if (!words.empty()) lines.push_back(format("sudo kernelstub -d \"{}\"", join(words, " ")));
    if (!parameters.empty()) lines.push_back(format("sudo kernelstub -a \"{}\"", parameters));
    if (lines.empty())
        lines.emplace_back("sudo kernelstub -p  # the options that the next kernel starts with");
    return lines;
}

Lines Remedies::kernel_parameters(std::string const& parameters, Lines const& obsolete) const {
    auto const& conditions = facts_.conditions;
    auto const gone = removal(obsolete);
    auto const in_grub = sed(
        {parameters.empty() ? "" : quote_bare, gone,
         parameters.empty() ? "" : format("s/^GRUB_CMDLINE_LINUX_DEFAULT=[\\x22\\x27]/&{} /", parameters)});
    auto const at_end = sed({gone, parameters.empty() ? "" : format("s/$/ {}/", parameters)});
    auto const cmdline = format("sudo sed -i -E '{}' /etc/kernel/cmdline", at_end);
    // The boot partition may be root's alone: it is root's shell that must find the files.
    auto const entries =
        format(R"(sudo sh -c 'sed -i -E "/^options/{{ {} }}" /boot/loader/entries/*.conf')", at_end);
    Lines lines;
    if (is_image()) {
        std::string flags;
        for (auto const& name : obsolete)
            flags += format(" --delete-if-present={}", name);
        for (auto const word : split(parameters, ' '))
            flags += format(" --append-if-missing={}", word);
        lines = {format("sudo rpm-ostree kargs{}", flags)};
    } else if (host_family() == Family::Fedora) {
        lines = {format("sudo grubby --update-kernel=ALL{}{}",
                        gone.empty() ? "" : format(" --remove-args=\"{}\"", join(obsolete, " ")),
                        parameters.empty() ? "" : format(" --args=\"{}\"", parameters))};
    } else if (conditions.boots_with("proxmox-boot") && conditions.boots_with("kernel-cmdline")) {
        lines = {cmdline, "sudo proxmox-boot-tool refresh"};
    } else if (has_kernelstub()) {
        lines = kernelstub(parameters, obsolete);
        if (conditions.boots_with("grub")) {
            lines.emplace_back("# where it boots by GRUB, without UEFI, in their stead:");
            append(lines, grub(in_grub));
        }
    } else if (host_family() == Family::Debian) {
        lines = grub(in_grub);
        if (facts_.report.platform.proxmox_kernel && !conditions.boots_with("grub"))
            append(lines, {"# a host that boots by proxmox-boot-tool has its line elsewhere:", cmdline,
                           "sudo proxmox-boot-tool refresh"});
    } else if (host_family() == Family::Arch && conditions.boots_with("grub")) {
        lines = grub(in_grub);
    } else if (host_family() == Family::Arch && conditions.boots_with("kernel-cmdline")) {
        lines = {cmdline, "sudo mkinitcpio -P"};
    } else if (host_family() == Family::Arch) {
        lines = {"# with systemd-boot:", entries, "# with GRUB:"};
        append(lines, grub(in_grub));
    } else {
        if (!gone.empty())
            lines.push_back(format("# take off the kernel's command line: {}", join(obsolete, ", ")));
        if (!parameters.empty())
            lines.push_back(format("# add to the kernel's command line: {}", parameters));
        lines.emplace_back("# and start again; the boot loader's manual says where that line stands");
        return on_host(std::move(lines));
    }
    lines.emplace_back(reboot);
    return on_host(std::move(lines));
}

Lines Remedies::rebuild_initramfs() const {
    // The image's own holds no file of /etc; what is tracked is laid over it.
    if (is_image()) return {"sudo rpm-ostree initramfs-etc --force-sync --track=/etc/modprobe.d"};
    switch (host_family()) {
        case Family::Debian: return {"sudo update-initramfs -u -k all"};
        case Family::Fedora: return {"sudo dracut --regenerate-all --force"};
        case Family::Arch: return {"sudo mkinitcpio -P"};
        case Family::Unknown: break;
    }
    return {"# make the initial RAM disk anew, as this distribution does it"};
}

// The group's number as this container has it: that is what `gid=` means.
std::string Remedies::gid_for(std::string_view node) const {
    bool const is_card = node.starts_with("/dev/dri/card");
    auto const* const group = facts_.conditions.group(is_card ? "video" : "render");
    if (group != nullptr) return std::to_string(group->number);
    return is_card ? "44" : "GID";
}

Lines Remedies::pass_devices(Lines const& nodes) const {
    auto const& platform = facts_.report.platform;
    if (platform.kind != "lxc") {
        std::string flags;
        for (auto const& node : nodes)
            flags += format(" --device {}", node);
        if (platform.container == "podman")
            return {format("# start the container with{} --group-add keep-groups", flags)};
        return {format("# start the container with{} --group-add \"$(getent group render | cut -d: -f3)\"",
                       flags)};
    }
    Lines lines{
        "# on the host, in /etc/pve/lxc/ID.conf (ID: what 'pct list' calls this container), Proxmox 8.2 or "
        "newer:"};
    std::size_t number = 0;
    bool knows_all = true;
    for (auto const& node : nodes) {
        auto const gid = gid_for(node);
        knows_all = knows_all && gid != "GID";
        lines.push_back(format("dev{}: {},gid={}", number++, node, gid));
    }
    if (!knows_all)
        lines.emplace_back("# GID: what 'getent group render' says in this container, its third part");
    lines.emplace_back("# then on the host: pct reboot ID");
    return lines;
}

}  // namespace hal0::doctor
