#pragma once
// The commands that mend things, as this distribution has them. What belongs on the host of a container is
// said so, with the host's commands where it is known (Proxmox).
#include <string>
#include <string_view>
#include <vector>

#include "doctor/facts.hpp"

namespace hal0::doctor {

using Lines = std::vector<std::string>;

enum class Family { Debian, Fedora, Arch, Unknown };
// By os-release's ID, else its ID_LIKE.
Family family_of(hardware::SoftwareReport const& software);
// Ubuntu, or one that is made of it: Mint, Pop!_OS.
bool is_of_ubuntu(hardware::SoftwareReport const& software);

// A stock Proxmox has no sudo: who logs in there is root.
Lines without_sudo(Lines commands);

// A package, as each family calls it; empty: it has none of that kind.
struct Package {
    std::string_view debian{};
    std::string_view ubuntu{};  // where it isn't Debian's name
    std::string_view fedora{};
    std::string_view arch{};
};

class Remedies {
  public:
    explicit Remedies(Facts const& facts);

    [[nodiscard]] Family family() const { return family_; }
    [[nodiscard]] bool in_container() const { return in_container_; }

    // Of this system, also in a container.
    [[nodiscard]] Lines install(std::vector<Package> const& packages) const;
    [[nodiscard]] Lines upgrade(Package const& package) const;
    [[nodiscard]] Lines remove(Package const& package) const;

    // All below change the machine itself: in a container they are the host's.
    [[nodiscard]] Lines newer_kernel() const;
    [[nodiscard]] Lines newer_firmware(Package const& package) const;
    // `parameters`: "ttm.pages_limit=1 …", may be empty; `obsolete`: names that are to go first.
    [[nodiscard]] Lines kernel_parameters(std::string const& parameters, Lines const& obsolete) const;
    // After a change of /etc/modprobe.d: modules may be loaded from the initial RAM disk.
    [[nodiscard]] Lines rebuild_initramfs() const;
    // Commands that are the same on all distributions.
    [[nodiscard]] Lines on_host(Lines commands) const;

    // Lines of /etc/pve/lxc/ID.conf that pass `nodes` on ("/dev/kfd"), and what else that takes; for other
    // containers the flags that do so.
    [[nodiscard]] Lines pass_devices(Lines const& nodes) const;

  private:
    [[nodiscard]] Family host_family() const;
    [[nodiscard]] bool is_proxmox() const;
    [[nodiscard]] bool is_image() const;
    [[nodiscard]] std::string_view name_of(Package const& package) const;
    [[nodiscard]] bool has_kernelstub() const;
    [[nodiscard]] Lines grub(std::string const& edit) const;
    [[nodiscard]] Lines kernelstub(std::string const& parameters, Lines const& obsolete) const;
    [[nodiscard]] std::string gid_for(std::string_view node) const;

    Facts const& facts_;
    Family family_;
    bool in_container_;
};

}  // namespace hal0::doctor
