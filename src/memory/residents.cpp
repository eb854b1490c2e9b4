#include "memory/residents.hpp"

#include <algorithm>

namespace hal0::memory {
namespace {

Holding held_by(Holder const& holder, hardware::HardwareReport const& report, std::string const& target) {
    Holding holding{.host = holder.anonymous + holder.shared + holder.mapped_in_use()};
    for (auto const& share : holder.gpus) {
        auto const* const gpu = report.gpu_at(share.pci);
        holding.pages += share.gtt + share.system;
        if (gpu == nullptr) continue;
        if (!gpu->has_own_memory())
            holding.pages += share.vram;
        else if (gpu->id == target)
            holding.own += share.vram;
    }
    return holding;
}

}  // namespace

std::vector<Pool> with_mapped(std::vector<Pool> pools, Holders const& holders) {
    Bytes mapped{};
    for (auto const& holder : holders.all)
        mapped += holder.mapped_in_use();
    for (auto& pool : pools) {
        if (pool.limit && pool.limit->left) pool.limit->left = std::max(*pool.limit->left - mapped, Bytes{});
        for (auto& part : pool.parts) {
            if (part.kind != PoolPart::Kind::System || !part.free) continue;
            part.free = std::max(*part.free - mapped, Bytes{});
            if (part.total) part.used = *part.total - *part.free;
        }
    }
    return pools;
}

std::vector<Resident> residents(Holders const& holders, hardware::HardwareReport const& report,
                                Target const& target, std::vector<std::string> const& companions) {
    std::vector<Resident> found;
    for (auto const& holder : holders.all) {
        if (holder.kind != Holder::Kind::Slot) continue;
        auto const holds = held_by(holder, report, target.device);
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
