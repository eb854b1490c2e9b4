#include <algorithm>

#include "base/format.hpp"
#include "hardware/probe_parts.hpp"

namespace hal0::hardware {
namespace {

std::optional<std::string> accel_node(Reader& reader, std::string const& address) {
    for (auto const& name : numbered(reader, "/sys/class/accel", "accel")) {
        if (address_behind(reader, "/sys/class/accel/" + name) == address) return "/dev/accel/" + name;
    }
    return std::nullopt;
}

}  // namespace

std::optional<NpuReport> probe_npu(Machine& machine, Reader& reader, Seen const& seen) {
    auto const device = std::find_if(seen.pci.begin(), seen.pci.end(),
                                     [](PciDevice const& other) { return !other.is_display(); });
    if (device == seen.pci.end()) return std::nullopt;
    auto const known = known_npu(device->ids);
    NpuReport npu{.pci = device->address,
                  .device_id = hex_id(device->ids.device),
                  .name = reader.text(device->directory() + "/vbnv"),
                  .driver = device->driver,
                  .firmware = reader.text(device->directory() + "/fw_version"),
                  .node = accel_node(reader, device->address),
                  .memlock = seen.system.memlock,
                  .memlock_unlimited = seen.system.memlock_unlimited};
    if (auto const& revision = device->ids.revision) npu.revision = format("{:#04x}", *revision);
    if (known) npu.generation = known->generation;
    if (!npu.name && known) npu.name = known->name;
    if (!npu.node) {
        npu.openable = false;
        npu.why_not = npu.driver ? format("{} gave it no node", *npu.driver)
                                 : format("no driver has taken the device at {}: amdxdna isn't loaded",
                                          device->address);
        return npu;
    }
    auto const node = machine.node(*npu.node);
    npu.openable = node.opens();
    npu.verdict = node.verdict;
    npu.why_not = why_not(node, seen);
    npu.driver_version = node.driver_version;
    return npu;
}

}  // namespace hal0::hardware
