#pragma once
// Whether a device node's owner, group and mode let a user in: what still keeps it shut is no mode then.
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "hardware/machine.hpp"
#include "hardware/report.hpp"

namespace hal0::hardware {

inline constexpr std::int64_t nobody = 65534;  // of who owns it and has no number in this container

struct Asker {
    std::int64_t user{0};
    std::vector<std::string> const& groups;
};
// Root is let in whatever the mode is (CAP_DAC_OVERRIDE), but in an unprivileged container only by what
// belongs to users and groups that have a number there (capable_wrt_inode_uidgid of the kernel).
bool mode_lets_in(NodeAnswer const& node, Asker const& asker, PlatformReport const& platform);

}  // namespace hal0::hardware
