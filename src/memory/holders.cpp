#include "memory/holders.hpp"

#include <algorithm>
#include <map>
#include <utility>

#include "base/format.hpp"

namespace hal0::memory {
namespace {

using hardware::GpuClient;
using hardware::ProcessMemory;

using ByPid = std::map<int, ProcessMemory const*>;

// The slot whose worker is `process` or began it; null: none.
SlotProcess const* slot_of(ProcessMemory const& process, ByPid const& by_pid,
                           std::vector<SlotProcess> const& slots) {
    auto const is = [&slots](int pid) {
        auto const found = std::find_if(slots.begin(), slots.end(),
                                        [pid](SlotProcess const& slot) { return slot.pid == pid; });
        return found == slots.end() ? nullptr : &*found;
    };
    auto const* ancestor = &process;
    // Pids are used again, so a list of parents that was read while they changed may be a ring.
    for (std::size_t steps = 0; ancestor != nullptr && steps <= by_pid.size(); ++steps) {
        if (auto const* slot = is(ancestor->pid)) return slot;
        auto const parent = by_pid.find(ancestor->parent);
        ancestor = parent == by_pid.end() ? nullptr : parent->second;
    }
    return is(process.session);  // its parent has ended, and it was given to another
}

// TTM's drivers count their pages themselves; of all others they are shared memory (shmem).
bool keeps_in_shared_memory(std::string const& driver) {
    return driver != "amdgpu" && driver != "radeon" && driver != "xe" && driver != "nouveau";
}

GpuShare& share_of(std::vector<GpuShare>& shares, std::string const& pci) {
    auto const found = std::find_if(shares.begin(), shares.end(),
                                    [&pci](GpuShare const& share) { return share.pci == pci; });
    return found == shares.end() ? shares.emplace_back(GpuShare{.pci = pci}) : *found;
}

void add_client(Holder& holder, GpuClient const& client) {
    auto& share = share_of(holder.gpus, client.pci);
    share.vram += client.vram;
    share.gtt += client.gtt;
    share.system += client.system;
    share.shared_vram += client.shared_vram;
    share.shared_gtt += client.shared_gtt;
    share.system_is_shared = keeps_in_shared_memory(client.driver);
}

void add(Holder& holder, ProcessMemory const& process) {
    ++holder.processes;
    holder.anonymous += process.anonymous;
    holder.file += process.file;
    holder.shared += process.shared;
    holder.swapped += process.swapped;
    holder.exact = holder.exact && process.sure == ProcessMemory::Sure::Exact;
    for (auto const& client : process.gpu)
        add_client(holder, client);
}

struct Sorting {
    std::vector<Holder> slots{};
    std::map<std::string, Holder> others{};
    std::map<int, Holder*> of_pid{};
};

// Whose GPU memory is told with another holder's.
void add_notes(hardware::Processes const& processes, Sorting const& sorting) {
    for (auto const& process : processes.all) {
        auto* const holder = sorting.of_pid.at(process.pid);
        for (auto const other : process.gpu_counted_with) {
            auto const* const with = sorting.of_pid.at(other);
            if (with != holder)
                holder->notes.push_back(
                    format("process {} shares GPU memory with {} ({}), where it is counted", process.pid,
                           other, with->name));
        }
    }
}

void add_nvidia(hardware::NvmlAnswer const& nvml, Sorting& sorting, Holders& into) {
    for (auto const& device : nvml.devices) {
        if (!device.processes)
            ++into.closed_gpu;  // the driver tells of none, which isn't that there are none
        for (auto const& process : device.processes.value_or(std::vector<hardware::NvmlProcess>{})) {
            auto const found = sorting.of_pid.find(static_cast<int>(process.pid));
            if (!process.memory)
                ++into.closed_gpu;
            else if (found == sorting.of_pid.end())
                share_of(into.elsewhere, device.pci).vram += *process.memory;
            else
                share_of(found->second->gpus, device.pci).vram += *process.memory;
        }
    }
}

}  // namespace

Bytes Holder::mapped_in_use() const { return std::min(file, mapped); }

Bytes Holder::total() const {
    auto sum = anonymous + file + shared;
    for (auto const& gpu : gpus)
        sum += gpu.vram + gpu.gtt + gpu.system;
    return sum;
}

GttUse gtt_use(std::vector<Holder> const& holders, std::string const& pci, Bytes in_use) {
    Bytes own{}, shared{};
    for (auto const& holder : holders) {
        for (auto const& gpu : holder.gpus) {
            if (gpu.pci != pci) continue;
            own += gpu.gtt - gpu.shared_gtt;
            shared += gpu.shared_gtt;
        }
    }
    auto const buffers = std::max(Bytes{}, std::min(in_use - own, shared));
    return {own, buffers, in_use - own - buffers};
}

Holders holders(hardware::Processes const& processes, hardware::NvmlAnswer const& nvml,
                std::vector<SlotProcess> const& slots) {
    ByPid by_pid;
    for (auto const& process : processes.all)
        by_pid.emplace(process.pid, &process);
    Sorting sorting;
    for (auto const& slot : slots)
        sorting.slots.push_back({.kind = Holder::Kind::Slot, .name = slot.slot, .mapped = slot.mapped});
    Holders found{.unseen = processes.unseen};
    for (auto const& process : processes.all) {
        if (process.sure != ProcessMemory::Sure::Exact) ++found.closed;
        if (!process.gpu_known) ++found.closed_gpu;
        auto const* const slot = slot_of(process, by_pid, slots);
        auto& holder = slot != nullptr ? sorting.slots[static_cast<std::size_t>(slot - slots.data())]
                                       : sorting.others[process.name];
        holder.name = slot != nullptr ? slot->slot : process.name;
        add(holder, process);
        sorting.of_pid.emplace(process.pid, &holder);
    }
    add_notes(processes, sorting);
    add_nvidia(nvml, sorting, found);
    found.all = std::move(sorting.slots);
    auto const others_at = static_cast<std::ptrdiff_t>(found.all.size());
    for (auto& [name, holder] : sorting.others)
        found.all.push_back(std::move(holder));
    std::stable_sort(found.all.begin() + others_at, found.all.end(),
                     [](Holder const& a, Holder const& b) { return a.total() > b.total(); });
    return found;
}

}  // namespace hal0::memory
