#include "os/device_node.hpp"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstring>

#include "os/unique_fd.hpp"

namespace hal0::os {
namespace {

// From the kernel's drm.h and amdgpu_drm.h, which a box that builds hal0 need not have.
struct DrmVersion {
    int major, minor, patch;
    std::size_t name_size;
    char* name;
    std::size_t date_size;
    char* date;
    std::size_t description_size;
    char* description;
};

struct AmdgpuInfo {
    std::uint64_t answer;  // a pointer
    std::uint32_t answer_size;
    std::uint32_t query;
    std::array<std::uint32_t, 4> parameters;
};
static_assert(sizeof(AmdgpuInfo) == 32);

// The beginning of drm_amdgpu_info_device: the kernel writes as much as is asked for.
struct AmdgpuDevice {
    std::array<std::uint32_t, 8> ids;
    std::array<std::uint64_t, 2> clocks;
    std::array<std::uint32_t, 2 + 16 + 4> units;
    std::uint64_t flags;
};
static_assert(offsetof(AmdgpuDevice, flags) == 136);

constexpr unsigned long drm_version = _IOWR('d', 0x00, DrmVersion);
constexpr unsigned long amdgpu_info = _IOW('d', 0x40 + 0x05, AmdgpuInfo);
constexpr std::uint32_t amdgpu_info_device = 0x16;
constexpr std::uint64_t flag_fusion = 0x1;

UniqueFd open_node(std::string const& path) {
    return UniqueFd{::open(path.c_str(), O_RDWR | O_CLOEXEC | O_NOCTTY | O_NONBLOCK)};
}

std::optional<bool> fusion_of(int fd) {
    AmdgpuDevice device{};
    AmdgpuInfo request{};
    request.answer = reinterpret_cast<std::uintptr_t>(&device);
    request.answer_size = sizeof device;
    request.query = amdgpu_info_device;
    if (::ioctl(fd, amdgpu_info, &request) != 0) return std::nullopt;
    return (device.flags & flag_fusion) != 0;
}

}  // namespace

NodeStatus try_node(std::string const& path) {
    NodeStatus status;
    struct stat st{};
    if (::stat(path.c_str(), &st) == 0) {
        status.mode = st.st_mode & 07777U;
        status.owner_user = st.st_uid;
        status.owner_group = st.st_gid;
        status.major = ::major(st.st_rdev);
        status.minor = ::minor(st.st_rdev);
    }
    auto const fd = open_node(path);
    int const fault = fd.open() ? 0 : errno;
    char const* const name = ::strerrorname_np(fault);
    status.verdict = fault == 0 ? "ok" : name != nullptr ? name : std::to_string(fault);
    return status;
}

std::optional<DrmDriver> ask_drm(std::string const& node) {
    auto const fd = open_node(node);
    if (!fd.open()) return std::nullopt;
    std::array<char, 64> name{};
    DrmVersion version{};
    version.name = name.data();
    version.name_size = name.size() - 1;
    if (::ioctl(fd.get(), drm_version, &version) != 0) return std::nullopt;
    DrmDriver driver{
        .name = name.data(), .major = version.major, .minor = version.minor, .patch = version.patch};
    if (driver.name == "amdgpu") driver.fusion = fusion_of(fd.get());
    return driver;
}

}  // namespace hal0::os
