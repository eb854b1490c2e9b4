#include "hardware/probe.hpp"

#include <utility>

#include "base/time.hpp"
#include "hardware/probe_parts.hpp"
#include "hardware/recommend.hpp"

namespace hal0::hardware {
namespace {

std::optional<StorageReport> probe_storage(Machine& machine, std::string const& store) {
    auto const space = machine.space(store);
    if (!space) return std::nullopt;
    return StorageReport{
        .path = store, .type = space->type, .total = space->total, .available = space->available};
}

}  // namespace

HardwareReport probe(Machine& machine, ProbeInput const& input) {
    Reader reader{machine.files()};
    // Both answer while the files are read; NVML's library is only asked where its driver is.
    machine.expect_vulkan();
    Seen seen{.system = machine.system(), .pci = read_pci(reader)};
    bool const nvidia = has_nvidia_driver(reader, seen.pci);
    if (nvidia) machine.expect_nvml();
    seen.platform = probe_platform(reader, seen.system);
    auto const limits = read_cgroups(reader);

    HardwareReport report{.time = rfc3339(input.time),
                          .board = probe_board(reader),
                          .cpu = probe_cpu(reader, seen.system, limits),
                          .rocm = probe_rocm(machine, reader),
                          .npu = probe_npu(machine, reader, seen),
                          .platform = seen.platform,
                          .storage = probe_storage(machine, input.store),
                          .engines = input.engines,
                          .toolboxes = input.toolboxes};
    seen.vulkan = machine.vulkan();
    if (nvidia) seen.nvml = machine.nvml();
    report.vulkan = {.state = seen.vulkan.state, .fault = seen.vulkan.fault, .devices = seen.vulkan.devices};
    report.cuda = probe_cuda(reader, seen.nvml);
    report.gpus = probe_gpus(machine, reader, seen);
    report.memory = probe_memory(reader, seen.platform, report.gpus, limits);
    report.software = probe_software(reader, seen.system, seen.vulkan);
    report.recommended = recommend(report);
    report.warnings = reader.take_warnings();
    return report;
}

}  // namespace hal0::hardware
