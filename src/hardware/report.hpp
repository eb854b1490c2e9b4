#pragma once
// What a box is, as the probe found it: the body of hardware.json. What is null is unknown. Sizes that can
// change while the box runs are those of the moment of the probe; counters.hpp reads them anew.
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "hardware/machine.hpp"
#include "wire/codec.hpp"

namespace hal0::hardware {

inline constexpr std::int64_t report_schema = 1;

struct BoardReport {
    static constexpr BodyTitle title{"BoardReport", "The box's maker and model, by its firmware (DMI)."};
    std::optional<std::string> vendor{};
    std::optional<std::string> product{};
    std::optional<std::string> product_version{};
    std::optional<std::string> board{};
    std::optional<std::string> firmware{};
    bool operator==(BoardReport const&) const = default;

    template <class Self, class F> static void fields(Self& self, F& f) {
        f("vendor", self.vendor, "`sys_vendor`");
        f("product", self.product, "`product_name`; null where the maker left it to be filled");
        f("product_version", self.product_version, "`product_version`");
        f("board", self.board, "`board_name`");
        f("firmware", self.firmware, "`bios_version`, with its date");
    }
};

struct CpuReport {
    static constexpr BodyTitle title{"CpuReport", "The processor."};
    std::string architecture{};
    std::optional<std::string> model{};
    std::optional<std::int64_t> family{};
    std::optional<std::int64_t> model_number{};
    std::optional<std::int64_t> stepping{};
    std::optional<std::int64_t> threads{};
    std::optional<std::int64_t> allowed{};
    std::optional<double> quota{};
    std::optional<std::int64_t> usable{};
    std::vector<std::string> features{};
    bool operator==(CpuReport const&) const = default;

    template <class Self, class F> static void fields(Self& self, F& f) {
        f("architecture", self.architecture, "`x86_64`, `aarch64`");
        f("model", self.model, "`model name` of /proc/cpuinfo");
        f("family", self.family, "`cpu family`");
        f("model_number", self.model_number, "`model`");
        f("stepping", self.stepping, "`stepping`");
        f("threads", self.threads,
          "hardware threads that are on, of the whole box (/sys/devices/system/cpu/online)");
        f("allowed", self.allowed,
          "those this process may run on: its affinity, and with it a container's cpuset");
        f("quota", self.quota, "processors' worth of time that cgroups allow; null: no limit");
        f("usable", self.usable, "threads worth starting: the least of these");
        f("features", self.features, "instruction sets that matter to engines, of those /proc/cpuinfo names");
    }
};

struct MemoryReport {
    static constexpr BodyTitle title{"MemoryReport", "The memory of the box, as far as Linux shows it."};
    std::optional<Bytes> total{};
    std::string total_is{"unknown"};
    std::optional<Bytes> carve_out{};
    std::optional<Bytes> installed{};
    std::optional<Bytes> hidden{};
    std::optional<Bytes> swap_total{};
    std::optional<Bytes> limit{};
    std::optional<bool> unified{};
    std::optional<std::int64_t> speed_mts{};
    bool operator==(MemoryReport const&) const = default;

    template <class Self, class F> static void fields(Self& self, F& f) {
        f("total", self.total, "MemTotal");
        f("total_is", self.total_is,
          "whose `total` is: `host`, `vm`, `container` (lxcfs shows its limit), or `unknown`");
        f("carve_out", self.carve_out,
          "what the firmware set aside for integrated GPUs: beside `total`, not in it; null where that isn't "
          "known");
        f("installed", self.installed, "sum of the memory modules (DMI type 17, which only root may read)");
        f("hidden", self.hidden,
          "`installed` less `total` less `carve_out`: held by the firmware, not visible to Linux");
        f("swap_total", self.swap_total, "SwapTotal");
        f("limit", self.limit,
          "the least limit of this process's memory cgroups; GPU pages are charged to none");
        f("unified", self.unified, "whether a GPU computes in the system's memory");
        f("speed_mts", self.speed_mts, "million transfers a second, as the modules are set (DMI type 17)");
    }
};

struct GpuReport {
    static constexpr BodyTitle title{"GpuReport", "One GPU."};
    std::string id{};
    std::optional<std::string> pci{};
    std::string vendor{"unknown"};
    std::optional<std::string> vendor_id{};
    std::optional<std::string> device_id{};
    std::optional<std::string> revision{};
    std::optional<std::string> subsystem{};
    std::optional<std::string> name{};
    std::optional<std::string> family{};
    std::optional<std::string> gfx{};
    std::optional<std::string> gfx_from{};
    std::optional<std::string> driver{};
    std::optional<std::string> driver_version{};
    std::optional<bool> unified{};
    std::optional<std::string> unified_from{};
    std::optional<std::string> card{};
    std::optional<std::string> render{};
    std::optional<bool> openable{};
    std::optional<std::string> verdict{};
    std::optional<std::string> why_not{};
    std::optional<Bytes> vram_total{};
    std::optional<Bytes> visible_vram_total{};
    std::optional<Bytes> gtt_total{};
    std::optional<std::int64_t> compute_units{};
    std::optional<std::string> compute_capability{};
    std::optional<bool> suspended{};
    std::vector<std::string> vulkan{};
    // NVIDIA's that share the system's memory have no carve-out: what NVML calls theirs is of the system's.
    [[nodiscard]] bool has_own_memory() const { return unified != true || vendor != "nvidia"; }
    bool operator==(GpuReport const&) const = default;

    template <class Self, class F> static void fields(Self& self, F& f) {
        f("id", self.id, "`gpu0`, `gpu1`, … in the order of their addresses: what hal0 calls it");
        f("pci", self.pci, "its address; null in WSL2, which shows none");
        f("vendor", self.vendor,
          "`amd`, `nvidia`, `intel`, `virtio`, `vmware`, `microsoft`, `aspeed`, `matrox`, `qemu` or "
          "`unknown`");
        f("vendor_id", self.vendor_id, "PCI's");
        f("device_id", self.device_id, "PCI's");
        f("revision", self.revision, "PCI's: it tells a 8060S from a 8050S");
        f("subsystem", self.subsystem, "vendor and device of the board: `f111:000a`");
        f("name", self.name,
          "libdrm's amdgpu.ids, hal0's own table, NVML, or pci.ids; the first that has one");
        f("family", self.family, "`Strix Halo`, `Navi 31`, …, from hal0's own table");
        f("gfx", self.gfx, "AMD's name for the instruction set: `gfx1151`");
        f("gfx_from", self.gfx_from, "`kfd`: the driver's word; `table`: by the PCI id");
        f("driver", self.driver, "the kernel driver that is bound to it; null: none is");
        f("driver_version", self.driver_version, "that module's, NVIDIA's, or of the driver's DRM interface");
        f("unified", self.unified, "whether it computes in the system's memory");
        f("unified_from", self.unified_from,
          "who says so: `driver` (amdgpu's FUSION flag through the render node), `pci id` (hal0's table), "
          "`vulkan` "
          "(the driver's device type), `nvml` (which tells of memory only where the card has its own)");
        f("card", self.card, "/dev/dri/cardN");
        f("render", self.render, "/dev/dri/renderDN");
        f("openable", self.openable,
          "whether this user can open the node that computing needs; null: not known");
        f("verdict", self.verdict, "what opening it gave: `ok`, or the errno's name");
        f("why_not", self.why_not, "in words, where it doesn't open");
        f("vram_total", self.vram_total, "its own memory; of an integrated AMD GPU the carve-out");
        f("visible_vram_total", self.visible_vram_total, "the part of it that the processor can reach");
        f("gtt_total", self.gtt_total,
          "amdgpu: how much of the system's memory it may use at most. A cap inside RAM, no memory of its "
          "own");
        f("compute_units", self.compute_units, "by KFD");
        f("compute_capability", self.compute_capability, "CUDA's");
        f("suspended", self.suspended, "whether it sleeps (runtime power management)");
        f("vulkan", self.vulkan, "the drivers under which Vulkan lists it: `radv`, `amdvlk`, `nvidia`, …");
    }
};

struct RocmReport {
    static constexpr BodyTitle title{"RocmReport", "AMD's compute stack."};
    bool kfd{false};
    std::optional<std::string> verdict{};
    std::optional<std::string> installed{};
    bool operator==(RocmReport const&) const = default;

    template <class Self, class F> static void fields(Self& self, F& f) {
        f("kfd", self.kfd, "whether the kernel has it (/sys/class/kfd)");
        f("verdict", self.verdict, "what opening /dev/kfd gave; null where the kernel has no KFD");
        f("installed", self.installed, "ROCm's version in /opt/rocm; null: not there");
    }
};

struct CudaReport {
    static constexpr BodyTitle title{"CudaReport", "NVIDIA's driver, by NVML."};
    std::string state{"absent"};
    std::optional<std::string> driver_version{};
    std::optional<std::string> cuda_version{};
    std::optional<std::string> fault{};
    bool operator==(CudaReport const&) const = default;

    template <class Self, class F> static void fields(Self& self, F& f) {
        f("state", self.state,
          "`absent` (no sign of the driver, so nobody asked), `ok`, `no library`, `failed`, `unknown`");
        f("driver_version", self.driver_version, "NVML's word, or the kernel module's");
        f("cuda_version", self.cuda_version, "the newest that it serves");
        f("fault", self.fault, "what went wrong");
    }
};

struct NpuReport {
    static constexpr BodyTitle title{"NpuReport", "An AMD NPU (XDNA)."};
    std::optional<std::string> pci{};
    std::optional<std::string> device_id{};
    std::optional<std::string> revision{};
    std::optional<std::string> name{};
    std::optional<std::int64_t> generation{};
    std::optional<std::string> driver{};
    std::optional<std::string> driver_version{};
    std::optional<std::string> firmware{};
    std::optional<std::string> node{};
    std::optional<bool> openable{};
    std::optional<std::string> verdict{};
    std::optional<std::string> why_not{};
    std::optional<Bytes> memlock{};
    bool memlock_unlimited{false};
    bool operator==(NpuReport const&) const = default;

    template <class Self, class F> static void fields(Self& self, F& f) {
        f("pci", self.pci, "its address, found by its id and class, never by its place");
        f("device_id", self.device_id, "PCI's");
        f("revision", self.revision, "PCI's");
        f("name", self.name, "the driver's (`vbnv`): `RyzenAI-npu5`");
        f("generation", self.generation, "XDNA 1 or 2; FastFlowLM needs 2");
        f("driver", self.driver, "the kernel driver that is bound to it; null: none is");
        f("driver_version", self.driver_version,
          "of its DRM interface, where the node opens; 0.10 is newer than 0.6");
        f("firmware", self.firmware, "`fw_version`");
        f("node", self.node, "/dev/accel/accelN");
        f("openable", self.openable, "whether this user can open it: that alone says that it can be used");
        f("verdict", self.verdict, "what opening it gave: `ok`, or the errno's name");
        f("why_not", self.why_not, "in words, where it doesn't open");
        f("memlock", self.memlock,
          "how much memory this process may lock; the NPU's runtime locks its models");
        f("memlock_unlimited", self.memlock_unlimited, "whether it may lock any amount");
    }
};

struct VulkanReport {
    static constexpr BodyTitle title{"VulkanReport", "What Vulkan lists."};
    std::string state{"unknown"};
    std::optional<std::string> fault{};
    std::vector<VulkanDevice> devices{};
    bool operator==(VulkanReport const&) const = default;

    template <class Self, class F> static void fields(Self& self, F& f) {
        f("state", self.state,
          "`ok`, `no loader` (libvulkan.so.1 isn't installed), `failed`, or `unknown`: it didn't answer in "
          "time");
        f("fault", self.fault, "what went wrong");
        f("devices", self.devices, "all of them; of type `cpu` are processors posing as GPUs (llvmpipe)");
    }
};

struct SoftwareReport {
    static constexpr BodyTitle title{"SoftwareReport", "What runs on it."};
    std::string kernel{};
    std::optional<std::string> mesa{};
    std::optional<std::string> distribution{};
    std::optional<std::string> distribution_id{};
    std::optional<std::string> distribution_like{};
    std::optional<std::string> distribution_version{};
    std::vector<std::string> kernel_parameters{};
    std::optional<std::int64_t> ttm_pages_limit{};
    std::optional<std::int64_t> amdgpu_gttsize_mib{};
    bool operator==(SoftwareReport const&) const = default;

    template <class Self, class F> static void fields(Self& self, F& f) {
        f("kernel", self.kernel, "uname's release");
        f("mesa", self.mesa, "by the Vulkan drivers of Mesa; null where none answers");
        f("distribution", self.distribution, "os-release's PRETTY_NAME");
        f("distribution_id", self.distribution_id, "its ID: `debian`");
        f("distribution_like", self.distribution_like, "its ID_LIKE: those it is made of");
        f("distribution_version", self.distribution_version, "its VERSION_ID");
        f("kernel_parameters", self.kernel_parameters,
          "those of the kernel's command line about amdgpu, ttm, iommu, nvidia and memory");
        f("ttm_pages_limit", self.ttm_pages_limit, "of 4 KiB: the cap on GPU pages, as the module has it");
        f("amdgpu_gttsize_mib", self.amdgpu_gttsize_mib, "amdgpu's own cap; -1: as TTM has it");
    }
};

struct PlatformReport {
    static constexpr BodyTitle title{"PlatformReport", "What the box is made of."};
    std::string kind{"unknown"};
    std::optional<std::string> vm{};
    std::optional<std::string> container{};
    std::optional<bool> privileged{};
    bool lxcfs{false};
    bool proxmox_host{false};
    bool proxmox_kernel{false};
    std::optional<std::string> apparmor{};
    bool operator==(PlatformReport const&) const = default;

    template <class Self, class F> static void fields(Self& self, F& f) {
        f("kind", self.kind, "`bare metal`, `vm`, `wsl2`, `lxc` or `container`");
        f("vm", self.vm, "systemd's name for the hypervisor: `kvm`, `qemu`, `microsoft`, `vmware`, …");
        f("container", self.container,
          "systemd's name for the container's manager: `lxc`, `docker`, `podman`, …");
        f("privileged", self.privileged,
          "of a container: whether its root is the host's (/proc/self/uid_map). Which devices it may use, "
          "opening "
          "them says");
        f("lxcfs", self.lxcfs, "whether /proc/meminfo is lxcfs's view of the container");
        f("proxmox_host", self.proxmox_host, "whether this is the Proxmox host itself");
        f("proxmox_kernel", self.proxmox_kernel,
          "whether the kernel is Proxmox's: a container of such a host");
        f("apparmor", self.apparmor, "the profile that confines this process; null: none is active");
    }
};

struct StorageReport {
    static constexpr BodyTitle title{"StorageReport", "Where models are kept."};
    std::string path{};
    std::optional<std::string> type{};
    std::optional<Bytes> total{};
    std::optional<Bytes> available{};
    bool operator==(StorageReport const&) const = default;

    template <class Self, class F> static void fields(Self& self, F& f) {
        f("path", self.path, "the first root of the model store");
        f("type", self.type, "its file system");
        f("total", self.total, "its size");
        f("available", self.available, "what this user can still write there");
    }
};

struct InstalledReport {
    static constexpr BodyTitle title{"InstalledReport", "An engine or a toolbox that is installed."};
    std::string id{};
    std::string version{};
    std::string backend{};
    bool operator==(InstalledReport const&) const = default;

    template <class Self, class F> static void fields(Self& self, F& f) {
        f("id", self.id, "what hal0 calls it");
        f("version", self.version, "its own");
        f("backend", self.backend, "what it computes with");
    }
};

struct Recommendation {
    static constexpr BodyTitle title{"Recommendation",
                                     "What to serve chat models with on this box, as it is now."};
    std::string engine{};
    std::string backend{};
    std::string device{};
    std::string reason{};
    bool operator==(Recommendation const&) const = default;

    template <class Self, class F> static void fields(Self& self, F& f) {
        f("engine", self.engine, "`llama.cpp`");
        f("backend", self.backend, "`vulkan`, `cuda` or `cpu`");
        f("device", self.device, "a GPU's `id`, or `cpu`");
        f("reason", self.reason, "why, and what stands in the way of better");
    }
};

struct HardwareReport {
    static constexpr BodyTitle title{"HardwareReport", "What the box is."};
    std::int64_t schema{report_schema};
    std::string time{};
    BoardReport board{};
    CpuReport cpu{};
    MemoryReport memory{};
    std::vector<GpuReport> gpus{};
    VulkanReport vulkan{};
    RocmReport rocm{};
    CudaReport cuda{};
    std::optional<NpuReport> npu{};
    SoftwareReport software{};
    PlatformReport platform{};
    std::optional<StorageReport> storage{};
    std::vector<InstalledReport> engines{};
    std::vector<InstalledReport> toolboxes{};
    Recommendation recommended{};
    std::vector<std::string> warnings{};
    // Null where there is none of that id ("gpu0"), or at that address.
    [[nodiscard]] GpuReport const* gpu(std::string_view id) const;
    [[nodiscard]] GpuReport const* gpu_at(std::string_view pci) const;
    bool operator==(HardwareReport const&) const = default;

    template <class Self, class F> static void fields(Self& self, F& f) {
        f("schema", self.schema, "of this file: a hal0 that knows only smaller ones refuses it");
        f("time", self.time, "of the probe");
        f("board", self.board, "its maker and model");
        f("cpu", self.cpu, "the processor");
        f("memory", self.memory, "its memory");
        f("gpus", self.gpus, "every GPU, usable or not");
        f("vulkan", self.vulkan, "what Vulkan lists");
        f("rocm", self.rocm, "AMD's compute stack");
        f("cuda", self.cuda, "NVIDIA's driver");
        f("npu", self.npu, "the NPU, where there is one");
        f("software", self.software, "kernel, Mesa, distribution");
        f("platform", self.platform, "bare metal, VM or container");
        f("storage", self.storage, "where models are kept; null where there is no such place yet");
        f("engines", self.engines, "engines installed");
        f("toolboxes", self.toolboxes, "container images installed");
        f("recommended", self.recommended, "what to serve with");
        f("warnings", self.warnings, "what was found and makes no sense: it counts as unknown");
    }
};

// The most that an AMD GPU takes of the system's memory: of its GTT's size, above TTM's own limit, whatever
// amdgpu.gttsize says, buffers are swapped out (ttm_tt_populate of drivers/gpu/drm/ttm/ttm_tt.c).
// `pages_limit`: of 4 KiB.
std::optional<Bytes> gtt_cap(std::optional<Bytes> gtt_total, std::optional<std::int64_t> pages_limit);

// What is in hardware.json. Unsupported when a newer hal0 wrote it; Corrupt when it is no report.
Result<HardwareReport> decode_report(std::string_view text);

}  // namespace hal0::hardware
