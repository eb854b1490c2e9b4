#pragma once
// The parts of the probe, one per subject. Each reads what it needs and warns of what makes no sense.
#include <optional>
#include <string>
#include <vector>

#include "hardware/cgroups.hpp"
#include "hardware/known_devices.hpp"
#include "hardware/machine.hpp"
#include "hardware/reader.hpp"
#include "hardware/report.hpp"

namespace hal0::hardware {

// A PCI function that computes or shows something.
struct PciDevice {
    std::string address{};  // "0000:c3:00.0"
    PciIds ids{};
    std::int64_t kind{0};  // PCI's class, 0xCCSSPP
    std::optional<std::string> driver{};
    [[nodiscard]] std::string directory() const { return "/sys/bus/pci/devices/" + address; }
    [[nodiscard]] bool is_display() const { return kind >> 16 == 0x03; }
};
// Displays, and AMD's NPUs; in the order of their addresses.
std::vector<PciDevice> read_pci(Reader& reader);
// "card1" -> the PCI function behind /sys/class/CLASS/card1; nothing where there is none.
std::optional<std::string> address_behind(Reader& reader, std::string const& entry);
// Names in a directory that are `prefix` and a number, in the order of the numbers.
std::vector<std::string> numbered(Reader& reader, std::string const& directory, std::string_view prefix);
std::string hex_id(std::int64_t id);  // "0x1586"

struct Seen {  // what several parts need
    SystemAnswer system{};
    std::vector<PciDevice> pci{};
    PlatformReport platform{};
    VulkanAnswer vulkan{};
    std::optional<NvmlAnswer> nvml{};  // nothing: nobody had a reason to ask
};

// Why a node doesn't open, in words; nothing where it does.
std::optional<std::string> why_not(NodeAnswer const& node, Seen const& seen);

PlatformReport probe_platform(Reader& reader, SystemAnswer const& system);
BoardReport probe_board(Reader& reader);
CpuReport probe_cpu(Reader& reader, SystemAnswer const& system, CgroupLimits const& limits);
std::vector<GpuReport> probe_gpus(Machine& machine, Reader& reader, Seen const& seen);
MemoryReport probe_memory(Reader& reader, PlatformReport const& platform, std::vector<GpuReport> const& gpus,
                          CgroupLimits const& limits);
RocmReport probe_rocm(Machine& machine, Reader& reader);
CudaReport probe_cuda(Reader& reader, std::optional<NvmlAnswer> const& nvml);
std::optional<NpuReport> probe_npu(Machine& machine, Reader& reader, Seen const& seen);
std::optional<std::int64_t> ttm_pages_limit(Reader& reader);
SoftwareReport probe_software(Reader& reader, SystemAnswer const& system, VulkanAnswer const& vulkan);

// Whether anything here is NVIDIA's: its kernel module, WSL2's stand-in, or a card that has its driver.
bool has_nvidia_driver(Reader& reader, std::vector<PciDevice> const& pci);

}  // namespace hal0::hardware
