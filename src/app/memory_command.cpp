#include "app/memory_command.hpp"

#include <chrono>
#include <utility>

#include "app/probe_command.hpp"
#include "memory/ledger.hpp"
#include "slots/workers.hpp"

namespace hal0::app {

Result<wire::MemoryView> read_memory(os::Places const& places,
                                     std::vector<memory::SlotProcess> const& slots) {
    HAL0_TRY(report, box_report(places));
    HAL0_TRY(machine, this_machine());
    auto const facts = memory::read_ledger_facts(*machine, report);
    return memory::ledger(report, facts, slots, std::chrono::system_clock::now());
}

Result<wire::MemoryView> read_memory_without_daemon() {
    HAL0_TRY(places, os::find_places());
    HAL0_TRY(workers, slots::living_workers(places));
    std::vector<memory::SlotProcess> slots;
    slots.reserve(workers.size());
    for (auto& worker : workers)
        slots.push_back({std::move(worker.slot), worker.pid});
    return read_memory(places, slots);
}

}  // namespace hal0::app
