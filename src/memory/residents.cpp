#include "memory/residents.hpp"

#include <algorithm>

namespace hal0::memory {
namespace {

std::string pci_of(hardware::HardwareReport const& report, std::string const& gpu) {
    auto const found = std::ranges::find(report.gpus, gpu, &hardware::GpuReport::id);
    return found == report.gpus.end() ? "" : found->pci.value_or("");
}

// Pages of another GPU than the target's are the system's where they lie in its memory (GTT).
Demand held_by(Holder const& holder, std::string const& pci) {
    Demand demand{.host = holder.anonymous + holder.shared};
    for (auto const& gpu : holder.gpus) {
        if (gpu.pci == pci)
            demand.gpu += gpu.vram + gpu.gtt + gpu.system;
        else
            demand.host += gpu.gtt + gpu.system;
    }
    return demand;
}

}  // namespace

std::vector<Resident> residents(Holders const& holders, hardware::HardwareReport const& report,
                                Target const& target, std::vector<std::string> const& companions) {
    auto const pci = pci_of(report, target.device);
    std::vector<Resident> found;
    for (auto const& holder : holders.all) {
        if (holder.kind != Holder::Kind::Slot) continue;
        auto const holds = held_by(holder, pci);
        if (holds.total() == Bytes{}) continue;
        bool const companion = std::ranges::find(companions, holder.name) != companions.end();
        found.push_back({.name = holder.name, .holds = holds, .companion = companion});
    }
    std::ranges::stable_sort(found, [](Resident const& a, Resident const& b) {
        if (a.companion != b.companion) return b.companion;
        return a.holds.total() > b.holds.total();
    });
    return found;
}

}  // namespace hal0::memory
