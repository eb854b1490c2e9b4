#pragma once
// Device nodes: whether this process can open one, which only opening it tells, and what the kernel's
// graphics drivers say through one (drm(7)).
#include <cstdint>
#include <optional>
#include <string>

namespace hal0::os {

struct NodeStatus {
    std::string verdict{};                // "ok", or the errno's name: "EACCES", "EPERM", "ENODEV", …
    std::optional<std::uint32_t> mode{};  // permission bits
    std::optional<std::uint32_t> owner_user{};
    std::optional<std::uint32_t> owner_group{};
    std::optional<std::uint32_t> major{};
    std::optional<std::uint32_t> minor{};
};
// Opens it for reading and writing, and closes it. EACCES is the file's mode, or a security module
// (AppArmor, SELinux); EPERM is a container's device cgroup; anything else is the driver's own answer.
NodeStatus try_node(std::string const& path);

struct DrmDriver {
    std::string name{};                // "amdgpu"
    int major{0}, minor{0}, patch{0};  // of the driver's interface
    std::optional<bool> fusion{};      // amdgpu: the chip is CPU and GPU in one (AMDGPU_IDS_FLAGS_FUSION)
};
// Nothing where the node doesn't open or no DRM driver is behind it.
std::optional<DrmDriver> ask_drm(std::string const& node);

}  // namespace hal0::os
