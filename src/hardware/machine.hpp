#pragma once
// Where the box begins: its files, and what only a call into it answers. The probe asks a Machine and nothing
// else, so that a recorded one can stand in for this one. The answers are bodies: a recording keeps them as
// JSON.
#include <optional>
#include <string>
#include <vector>

#include "os/file_system.hpp"
#include "wire/codec.hpp"

namespace hal0::hardware {

using wire::BodyTitle;

struct SystemAnswer {
    static constexpr BodyTitle title{"SystemAnswer",
                                     "What the kernel says of itself and of the process that asks."};
    std::string kernel{};
    std::string architecture{};
    std::int64_t user{0};
    std::vector<std::string> groups{};
    std::optional<std::int64_t> allowed_cpus{};
    std::optional<Bytes> memlock{};
    bool memlock_unlimited{false};
    std::optional<std::string> hypervisor{};
    std::optional<Bytes> page_size{};
    bool operator==(SystemAnswer const&) const = default;

    template <class Self, class F> static void fields(Self& self, F& f) {
        f("kernel", self.kernel, "uname's release");
        f("architecture", self.architecture, "uname's machine");
        f("user", self.user, "the number of the user who asks");
        f("groups", self.groups, "the numbers of all groups of that user");
        f("allowed_cpus", self.allowed_cpus, "processors this process may run on");
        f("memlock", self.memlock, "how much memory this process may lock");
        f("memlock_unlimited", self.memlock_unlimited, "whether it may lock any amount");
        f("hypervisor", self.hypervisor, "what CPUID names");
        f("page_size", self.page_size, "in what the kernel counts pages");
    }
};

struct NodeAnswer {
    static constexpr BodyTitle title{"NodeAnswer", "What opening a device node gave."};
    std::string path{};
    std::string verdict{"ENOENT"};  // "ok", or the name of an errno
    std::optional<std::string> mode{};
    std::optional<std::int64_t> owner_user{};
    std::optional<std::int64_t> owner_group{};
    std::optional<std::int64_t> major{};
    std::optional<std::int64_t> minor{};
    std::optional<std::string> driver{};  // of a DRM node, by ioctl: what stands behind it
    std::optional<std::string> driver_version{};
    std::optional<bool> fusion{};
    bool operator==(NodeAnswer const&) const = default;
    [[nodiscard]] bool opens() const { return verdict == "ok"; }
    [[nodiscard]] bool there() const { return verdict != "ENOENT"; }

    template <class Self, class F> static void fields(Self& self, F& f) {
        f("path", self.path, "the node");
        f("verdict", self.verdict, "`ok`, or the errno's name: `EACCES`, `EPERM`, `ENODEV`, …");
        f("mode", self.mode, "its permission bits, octal");
        f("owner_user", self.owner_user, "the number of the user who owns it");
        f("owner_group", self.owner_group, "the number of the group that owns it");
        f("major", self.major, "its device number");
        f("minor", self.minor, "its device number");
        f("driver", self.driver, "the DRM driver behind it, by ioctl");
        f("driver_version", self.driver_version, "of that driver's interface, `major.minor.patch`");
        f("fusion", self.fusion, "amdgpu's own flag: CPU and GPU in one chip");
    }
};

struct VulkanDevice {
    static constexpr BodyTitle title{"VulkanDevice", "A device that Vulkan lists."};
    std::string name{};
    std::string type{};  // "integrated", "discrete", "virtual", "cpu", "other"
    std::int64_t vendor_id{0};
    std::int64_t device_id{0};
    std::string api_version{};
    std::string driver{};
    std::string driver_name{};
    std::string driver_info{};
    std::optional<std::string> pci{};
    std::optional<Bytes> local_heaps{};
    std::optional<Bytes> all_heaps{};
    bool operator==(VulkanDevice const&) const = default;
    [[nodiscard]] bool is_cpu() const { return type == "cpu" || vendor_id == 0x10005; }

    template <class Self, class F> static void fields(Self& self, F& f) {
        f("name", self.name, "its own");
        f("type", self.type, "`integrated`, `discrete`, `virtual`, `cpu` or `other`: the driver's word");
        f("vendor_id", self.vendor_id, "PCI's; 65541 (Mesa) is a processor's");
        f("device_id", self.device_id, "PCI's");
        f("api_version", self.api_version, "the newest Vulkan it speaks");
        f("driver", self.driver,
          "`radv`, `amdvlk`, `amd-proprietary`, `nvidia`, `nvk`, `intel`, `llvmpipe`, `dozen`, `venus`, else "
          "Vulkan's number for it");
        f("driver_name", self.driver_name, "its own");
        f("driver_info", self.driver_info, "its own: a version, mostly");
        f("pci", self.pci, "the address of its device");
        f("local_heaps", self.local_heaps, "sum of its device-local heaps: no pool's size");
        f("all_heaps", self.all_heaps, "sum of all its heaps");
    }
};

struct VulkanAnswer {
    static constexpr BodyTitle title{"VulkanAnswer", "What the Vulkan loader says."};
    std::string state{"unknown"};  // "ok", "no loader", "failed", "unknown"
    std::optional<std::string> fault{};
    std::vector<VulkanDevice> devices{};
    bool operator==(VulkanAnswer const&) const = default;

    template <class Self, class F> static void fields(Self& self, F& f) {
        f("state", self.state,
          "`ok`; `no loader` (libvulkan.so.1 isn't installed); `failed`; `unknown`: it didn't answer in "
          "time, or "
          "died of a driver");
        f("fault", self.fault, "what went wrong");
        f("devices", self.devices, "all that it lists, processors too");
    }
};

struct NvmlProcess {
    static constexpr BodyTitle title{"NvmlProcess", "A process that computes on a device of NVIDIA's."};
    std::int64_t pid{0};
    std::optional<Bytes> memory{};
    bool operator==(NvmlProcess const&) const = default;

    template <class Self, class F> static void fields(Self& self, F& f) {
        f("pid", self.pid, "its number");
        f("memory", self.memory, "of the device's memory; null where the driver doesn't tell");
    }
};

struct NvmlDevice {
    static constexpr BodyTitle title{"NvmlDevice", "A device of NVIDIA's driver."};
    std::string name{};
    std::string pci{};
    std::optional<std::string> compute_capability{};
    std::optional<Bytes> memory_total{};
    std::optional<Bytes> memory_used{};
    std::optional<Bytes> memory_reserved{};
    std::optional<std::vector<NvmlProcess>> processes{};
    bool operator==(NvmlDevice const&) const = default;

    template <class Self, class F> static void fields(Self& self, F& f) {
        f("name", self.name, "its own");
        f("pci", self.pci, "its address");
        f("compute_capability", self.compute_capability, "CUDA's, `8.9`");
        f("memory_total", self.memory_total, "its own memory, the reserved part with it");
        f("memory_used", self.memory_used, "by all processes, without the reserved part");
        f("memory_reserved", self.memory_reserved, "by the driver");
        f("processes", self.processes, "that have memory of it; null where the driver doesn't tell");
    }
};

struct NvmlAnswer {
    static constexpr BodyTitle title{"NvmlAnswer", "What NVIDIA's management library says."};
    std::string state{"unknown"};  // "ok", "no library", "failed", "unknown"
    std::optional<std::string> fault{};
    std::optional<std::string> driver_version{};
    std::optional<std::string> cuda_version{};
    std::vector<NvmlDevice> devices{};
    bool operator==(NvmlAnswer const&) const = default;

    template <class Self, class F> static void fields(Self& self, F& f) {
        f("state", self.state, "`ok`, `no library` (libnvidia-ml.so.1), `failed` or `unknown`");
        f("fault", self.fault, "what went wrong");
        f("driver_version", self.driver_version, "NVIDIA's");
        f("cuda_version", self.cuda_version, "the newest CUDA that the driver serves");
        f("devices", self.devices, "all of them");
    }
};

struct SpaceAnswer {
    static constexpr BodyTitle title{"SpaceAnswer", "The file system of the model store."};
    std::string type{};
    Bytes total{};
    Bytes available{};
    bool operator==(SpaceAnswer const&) const = default;

    template <class Self, class F> static void fields(Self& self, F& f) {
        f("type", self.type, "`ext4`, `zfs`, …");
        f("total", self.total, "its size");
        f("available", self.available, "what this user can still write");
    }
};

class Machine {
  public:
    Machine() = default;
    Machine(Machine const&) = delete;
    Machine& operator=(Machine const&) = delete;
    virtual ~Machine() = default;

    [[nodiscard]] virtual os::FileSystem const& files() const = 0;
    virtual SystemAnswer system() = 0;
    virtual NodeAnswer node(std::string const& path) = 0;
    // Foreign drivers do the work of these two: what doesn't answer in time is unknown.
    virtual VulkanAnswer vulkan() = 0;
    virtual NvmlAnswer nvml() = 0;
    virtual std::optional<SpaceAnswer> space(std::string const& path) = 0;
    // Of the two above, what will be asked: who answers slowly can begin.
    virtual void expect_vulkan() {}
    virtual void expect_nvml() {}
};

}  // namespace hal0::hardware
