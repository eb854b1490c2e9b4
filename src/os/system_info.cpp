#include "os/system_info.hpp"

#include <linux/magic.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/statfs.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <string_view>

#include "base/format.hpp"
#include "os/cpu.hpp"
#include "os/file.hpp"

namespace hal0::os {
namespace {

std::vector<std::uint32_t> groups_of_process() {
    std::vector<std::uint32_t> groups{::getegid()};
    auto const count = ::getgroups(0, nullptr);
    if (count <= 0) return groups;
    std::vector<gid_t> more(static_cast<std::size_t>(count));
    auto const got = ::getgroups(count, more.data());
    more.resize(static_cast<std::size_t>(std::max(got, 0)));
    for (auto const group : more) {
        if (group != groups.front()) groups.push_back(group);
    }
    return groups;
}

std::optional<int> allowed_cpus() {
    // As many as Linux can have: the plain cpu_set_t ends at 1024.
    constexpr int cpus_max = 8192;
    std::array<cpu_set_t, cpus_max / CPU_SETSIZE> sets{};
    if (::sched_getaffinity(0, sizeof sets, sets.data()) != 0) return std::nullopt;
    return CPU_COUNT_S(sizeof sets, sets.data());
}

std::string type_name(std::uint64_t magic) {
    struct Type {
        std::uint64_t magic;
        std::string_view name;
    };
    constexpr std::uint64_t xfs = 0x58465342;
    constexpr std::uint64_t zfs = 0x2fc12fc1;
    constexpr std::uint64_t ntfs3 = 0x7366746e;
    constexpr std::uint64_t bcachefs = 0xca451a4e;
    constexpr std::array types{Type{EXT4_SUPER_MAGIC, "ext4"},   Type{xfs, "xfs"},
                               Type{BTRFS_SUPER_MAGIC, "btrfs"}, Type{zfs, "zfs"},
                               Type{TMPFS_MAGIC, "tmpfs"},       Type{OVERLAYFS_SUPER_MAGIC, "overlay"},
                               Type{F2FS_SUPER_MAGIC, "f2fs"},   Type{NFS_SUPER_MAGIC, "nfs"},
                               Type{CIFS_SUPER_MAGIC, "cifs"},   Type{SMB2_SUPER_MAGIC, "cifs"},
                               Type{FUSE_SUPER_MAGIC, "fuse"},   Type{V9FS_MAGIC, "9p"},
                               Type{EXFAT_SUPER_MAGIC, "exfat"}, Type{ntfs3, "ntfs3"},
                               Type{bcachefs, "bcachefs"}};
    auto const* const found =
        std::find_if(types.begin(), types.end(), [magic](Type const& type) { return type.magic == magic; });
    return found == types.end() ? format("{:#x}", magic) : std::string{found->name};
}

}  // namespace

SystemInfo system_info() {
    SystemInfo info;
    utsname name{};
    if (::uname(&name) == 0) {
        info.kernel = name.release;
        info.architecture = name.machine;
    }
    info.user = ::geteuid();
    info.groups = groups_of_process();
    info.allowed_cpus = allowed_cpus();
    rlimit memlock{};
    if (::getrlimit(RLIMIT_MEMLOCK, &memlock) == 0 && memlock.rlim_cur != RLIM_INFINITY)
        info.memlock = Bytes{static_cast<std::int64_t>(memlock.rlim_cur)};
    info.hypervisor = cpu_hypervisor();
    info.page_size = {::sysconf(_SC_PAGESIZE)};
    return info;
}

Result<FileSystemSpace> file_system_space(std::string const& path) {
    struct statfs fs{};
    if (::statfs(path.c_str(), &fs) != 0)
        return errno_error(errno, format("asking for the space at {}", path));
    auto const bytes = [&fs](std::uint64_t blocks) {
        return Bytes{static_cast<std::int64_t>(blocks) * static_cast<std::int64_t>(fs.f_bsize)};
    };
    return FileSystemSpace{.type = type_name(static_cast<std::uint64_t>(fs.f_type)),
                           .total = bytes(fs.f_blocks),
                           .available = bytes(fs.f_bavail)};
}

}  // namespace hal0::os
