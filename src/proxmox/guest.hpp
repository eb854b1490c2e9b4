#pragma once
// Which guest of Proxmox this is, as far as its own files tell. A host name, an address or a machine's UUID
// says nothing: clones share them, and people change them.
#include <cstdint>
#include <optional>
#include <string_view>

#include "base/result.hpp"
#include "os/file_system.hpp"

namespace hal0::proxmox {

struct Guest {
    enum class Kind : std::uint8_t { Unknown, Container, Machine } kind{Kind::Unknown};
    std::optional<std::int64_t> vmid{};
    bool operator==(Guest const&) const = default;
};
// As the asking process is told it, and as Proxmox calls it: "lxc", "qemu"; "unknown".
std::string_view to_string(Guest::Kind kind);
std::optional<Guest::Kind> guest_kind(std::string_view name);

// Of a container: by its AppArmor profile, else by the volume of its root. A VM's files don't have it.
Guest look_at_guest(os::FileSystem const& files, Guest::Kind kind);

// "lxc-101_</var/lib/lxc>": the profile that Proxmox makes for one container.
std::optional<std::int64_t> vmid_of_profile(std::string_view profile);
// /proc/self/mountinfo: "rpool/data/subvol-101-disk-0", "/dev/mapper/pve-vm--101--disk--0" at "/".
std::optional<std::int64_t> vmid_of_root(std::string_view mountinfo);

// The number in proxmox.json and what the guest's own files say, held against each other. Invalid, with where
// to look it up, when neither has it; Conflict when they differ: a clone has its original's file.
Result<std::int64_t> vmid_of(Guest const& guest, std::optional<std::int64_t> configured);

}  // namespace hal0::proxmox
