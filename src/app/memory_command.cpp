#include "app/memory_command.hpp"

#include <chrono>
#include <utility>

#include "app/probe_command.hpp"
#include "memory/ledger.hpp"
#include "proxmox/host_view.hpp"
#include "slots/workers.hpp"

namespace hal0::app {
namespace {

// GTT in use: in a container the whole node's, and in no figure of Proxmox's but the node's own.
std::optional<Bytes> gpu_pages(hardware::HardwareReport const& report,
                               hardware::MemoryCounters const& counters) {
    if (report.platform.kind != "lxc") return std::nullopt;
    std::optional<Bytes> pages;
    for (auto const& gpu : counters.gpus) {
        if (gpu.gtt_used) pages = pages.value_or(Bytes{}) + *gpu.gtt_used;
    }
    return pages;
}

void add_host(wire::MemoryView& view, Result<proxmox::HostFacts> const& facts, std::optional<Bytes> pages) {
    auto& warnings = view.warnings;
    if (!facts) return warnings.push_back(facts.error().message);
    view.host = proxmox::host_view(*facts, pages);
    warnings.insert(warnings.end(), facts->warnings.begin(), facts->warnings.end());
}

}  // namespace

Result<wire::MemoryView> read_memory(os::Places const& places, HostDesk& host,
                                     std::vector<memory::SlotProcess> const& slots) {
    HAL0_TRY(report, box_report(places));
    HAL0_TRY(machine, this_machine());
    host.begin(report.platform);  // it answers while the rest is read
    auto const facts = memory::read_ledger_facts(*machine, report);
    auto view = memory::ledger(report, facts, slots, std::chrono::system_clock::now());
    if (auto const told = host.finish()) add_host(view, *told, gpu_pages(report, facts.counters));
    return view;
}

Result<wire::MemoryView> read_memory_without_daemon() {
    HAL0_TRY(places, os::find_places());
    HAL0_TRY(workers, slots::living_workers(places));
    std::vector<memory::SlotProcess> slots;
    slots.reserve(workers.size());
    for (auto& worker : workers)
        slots.push_back({std::move(worker.slot), worker.pid});
    HostDesk host{places};
    return read_memory(places, host, slots);
}

}  // namespace hal0::app
