// Every GPU of the box: by PCI, and those that only NVIDIA's library knows of.
#include <algorithm>
#include <map>
#include <utility>

#include "base/format.hpp"
#include "base/text.hpp"
#include "hardware/kfd.hpp"
#include "hardware/probe_parts.hpp"
#include "os/file.hpp"

namespace hal0::hardware {
namespace {

// Of one PCI function: its names under /dev/dri.
struct DrmNames {
    std::optional<std::string> card{};
    std::optional<std::string> render{};
};

std::map<std::string, DrmNames> read_drm(Reader& reader) {
    std::map<std::string, DrmNames> found;
    for (auto const& card : numbered(reader, "/sys/class/drm", "card")) {
        if (auto const address = address_behind(reader, "/sys/class/drm/" + card))
            found[*address].card = card;
    }
    for (auto const& render : numbered(reader, "/sys/class/drm", "renderD")) {
        if (auto const address = address_behind(reader, "/sys/class/drm/" + render))
            found[*address].render = render;
    }
    return found;
}

// What is asked once for all of them.
struct Sources {
    Machine& machine;
    Reader& reader;
    Seen const& seen;
    std::map<std::string, DrmNames> drm{};
    std::vector<KfdNode> kfd{};
};

void set_verdict(GpuReport& gpu, NodeAnswer const& node, Seen const& seen) {
    gpu.openable = node.opens();
    gpu.verdict = node.verdict;
    gpu.why_not = why_not(node, seen);
}

// The node that computing goes through: the render node; NVIDIA's driver has its own, which unlike the GPU's
// wakes nothing when it is opened.
void read_node(Sources const& from, PciDevice const& device, GpuReport& gpu) {
    if (gpu.driver == "nvidia") return set_verdict(gpu, from.machine.node("/dev/nvidiactl"), from.seen);
    if (!gpu.render) {
        gpu.openable = false;
        gpu.why_not = gpu.driver ? format("{} gave it no render node", *gpu.driver)
                                 : format("no driver has taken the device at {}", device.address);
        return;
    }
    auto const node = from.machine.node("/dev/dri/" + *gpu.render);
    set_verdict(gpu, node, from.seen);
    if (!gpu.driver_version) gpu.driver_version = node.driver_version;
    if (node.fusion) {
        gpu.unified = node.fusion;
        gpu.unified_from = "driver";
    }
}

void read_names(Sources const& from, PciDevice const& device, GpuReport& gpu) {
    gpu.name = name_of_gpu(from.reader, device.ids);
    auto const known = known_gpu(device.ids);
    if (known) {
        gpu.family = known->family;
        gpu.gfx = known->gfx;
        if (known->gfx) gpu.gfx_from = "table";
        gpu.unified = known->unified;
        gpu.unified_from = "pci id";
    }
    auto const minor = gpu.render ? to_int(std::string_view{*gpu.render}.substr(7)) : std::nullopt;
    for (auto const& node : from.kfd) {
        if (!minor || node.render_minor != *minor) continue;
        gpu.gfx = node.gfx;
        gpu.gfx_from = "kfd";
        gpu.compute_units = node.compute_units;
    }
}

void read_memory(Sources const& from, PciDevice const& device, GpuReport& gpu) {
    if (gpu.driver != "amdgpu") return;
    auto const known = known_gpu(device.ids);
    auto const most = known ? known->memory_max : std::nullopt;
    auto const directory = device.directory();
    gpu.vram_total = from.reader.bytes_up_to(directory + "/mem_info_vram_total", most);
    gpu.visible_vram_total = from.reader.bytes_up_to(directory + "/mem_info_vis_vram_total", most);
    gpu.gtt_total = from.reader.bytes(directory + "/mem_info_gtt_total");
}

void read_vulkan(Seen const& seen, PciDevice const& device, GpuReport& gpu) {
    for (auto const& vulkan : seen.vulkan.devices) {
        if (vulkan.is_cpu()) continue;
        bool const by_address = vulkan.pci && *vulkan.pci == device.address;
        bool const by_ids =
            !vulkan.pci && vulkan.vendor_id == device.ids.vendor && vulkan.device_id == device.ids.device;
        if (!by_address && !by_ids) continue;
        gpu.vulkan.push_back(vulkan.driver);
        bool const says = vulkan.type == "integrated" || vulkan.type == "discrete";
        if (gpu.unified || !says) continue;
        gpu.unified = vulkan.type == "integrated";
        gpu.unified_from = "vulkan";
    }
}

void take_nvml(NvmlDevice const& device, GpuReport& gpu) {
    if (!gpu.name && !device.name.empty()) gpu.name = device.name;
    gpu.vram_total = device.memory_total;
    // A chip that computes in the system's memory has none to tell of: NVML doesn't support the question
    // there.
    if (!gpu.unified && device.memory_total) {
        gpu.unified = false;
        gpu.unified_from = "nvml";
    }
    gpu.compute_capability = device.compute_capability;
    gpu.openable = true;
    gpu.verdict = "ok";
    gpu.why_not.reset();
}

NvmlDevice const* nvml_device(Seen const& seen, std::string_view address) {
    if (!seen.nvml) return nullptr;
    for (auto const& device : seen.nvml->devices) {
        if (device.pci == address) return &device;
    }
    return nullptr;
}

GpuReport read_gpu(Sources const& from, PciDevice const& device) {
    auto const drm = from.drm.find(device.address);
    auto const path = device.directory();
    GpuReport gpu{.pci = device.address,
                  .vendor = vendor_name(device.ids.vendor),
                  .vendor_id = hex_id(device.ids.vendor),
                  .device_id = hex_id(device.ids.device),
                  .driver = device.driver};
    if (device.ids.revision) gpu.revision = format("{:#04x}", *device.ids.revision);
    auto const vendor = from.reader.hex(path + "/subsystem_vendor");
    auto const board = from.reader.hex(path + "/subsystem_device");
    if (vendor && board) gpu.subsystem = format("{:04x}:{:04x}", *vendor, *board);
    if (drm != from.drm.end()) {
        gpu.card = drm->second.card;
        gpu.render = drm->second.render;
    }
    if (gpu.driver) gpu.driver_version = from.reader.text(format("/sys/module/{}/version", *gpu.driver));
    if (auto const status = from.reader.text(path + "/power/runtime_status"))
        gpu.suspended = *status == "suspended";
    read_names(from, device, gpu);
    read_node(from, device, gpu);
    read_memory(from, device, gpu);
    read_vulkan(from.seen, device, gpu);
    if (auto const* nvml = nvml_device(from.seen, device.address)) take_nvml(*nvml, gpu);
    return gpu;
}

// WSL2 shows no PCI device for the card that its host lends it.
std::vector<GpuReport> only_in_nvml(Sources const& from) {
    std::vector<GpuReport> found;
    if (!from.seen.nvml) return found;
    for (auto const& device : from.seen.nvml->devices) {
        auto const is_it = [&device](PciDevice const& other) { return other.address == device.pci; };
        if (std::any_of(from.seen.pci.begin(), from.seen.pci.end(), is_it)) continue;
        GpuReport gpu{.pci = device.pci, .vendor = "nvidia"};
        take_nvml(device, gpu);
        found.push_back(std::move(gpu));
    }
    return found;
}

}  // namespace

std::vector<GpuReport> probe_gpus(Machine& machine, Reader& reader, Seen const& seen) {
    Sources const from{machine, reader, seen, read_drm(reader), read_kfd_nodes(reader)};
    std::vector<GpuReport> gpus;
    for (auto const& device : seen.pci) {
        if (device.is_display()) gpus.push_back(read_gpu(from, device));
    }
    for (auto& gpu : only_in_nvml(from))
        gpus.push_back(std::move(gpu));
    for (std::size_t i = 0; i < gpus.size(); ++i) {
        gpus[i].id = format("gpu{}", i);
        for (auto* node : {&gpus[i].card, &gpus[i].render})
            if (*node) **node = "/dev/dri/" + **node;
    }
    return gpus;
}

RocmReport probe_rocm(Machine& machine, Reader& reader) {
    RocmReport rocm{.kfd = reader.files().exists("/sys/class/kfd/kfd")};
    if (rocm.kfd) rocm.verdict = machine.node("/dev/kfd").verdict;
    if (auto const version = reader.text("/opt/rocm/.info/version")) rocm.installed = printable(*version);
    return rocm;
}

bool has_nvidia_driver(Reader& reader, std::vector<PciDevice> const& pci) {
    return reader.files().exists("/proc/driver/nvidia/version") || reader.files().exists("/dev/dxg") ||
           std::any_of(pci.begin(), pci.end(),
                       [](PciDevice const& device) { return device.driver == "nvidia"; });
}

CudaReport probe_cuda(Reader& reader, std::optional<NvmlAnswer> const& nvml) {
    if (!nvml) return {};
    CudaReport cuda{.state = nvml->state,
                    .driver_version = nvml->driver_version,
                    .cuda_version = nvml->cuda_version,
                    .fault = nvml->fault};
    if (!cuda.driver_version) cuda.driver_version = reader.text("/sys/module/nvidia/version");
    return cuda;
}

}  // namespace hal0::hardware
