#include "memory/ledger.hpp"

#include <algorithm>
#include <numeric>
#include <optional>
#include <utility>

#include "base/format.hpp"
#include "base/text.hpp"
#include "base/time.hpp"
#include "memory/known.hpp"

namespace hal0::memory {
namespace {

using hardware::GpuCounters;
using hardware::HardwareReport;
using wire::HolderView;
using Size = std::optional<Bytes>;

Bytes clamp(Bytes value, Bytes least, Bytes most) { return std::max(least, std::min(value, most)); }
Bytes or_zero(Size size) { return size.value_or(Bytes{}); }

// What one counter has the total of.
struct Account {
    wire::PoolPartView part{};
    Bytes held{};
    // Under 0 when more is claimed than there is.
    [[nodiscard]] Size left() const {
        if (!part.total || !part.free) return std::nullopt;
        return *part.total - *part.free - held;
    }
};

enum class Use { Anonymous, File, Shared, Gpu };

// A pool while it is taken apart: lines are added to its accounts, each under its holder's name.
class PoolLedger {
  public:
    PoolLedger(HardwareReport const& report, LedgerFacts const& facts, Holders const& holders)
        : report_{report}, facts_{facts}, holders_{holders} {
        for (auto const& holder : holders.all) {
            bool const slot = holder.kind == Holder::Kind::Slot;
            of_holders_.push_back({.kind = slot ? "slot" : "process",
                                   .name = holder.name,
                                   .processes = holder.processes,
                                   .exact = holder.exact,
                                   .notes = holder.notes});
        }
    }
    wire::PoolView take_apart(Pool const& pool);
    [[nodiscard]] std::vector<std::string> take_warnings() { return std::move(warnings_); }

  private:
    void open(std::string kind, std::string const& device, Size total, Size free);
    void add(HolderView& holder, Bytes bytes, bool gives_way = false);
    void add(std::size_t holder, Use use, Bytes bytes);
    void add(std::string_view kind, std::string const& name, Bytes bytes, bool gives_way = false);
    HolderView& other(std::string_view kind, std::string const& name);

    void system_account(PoolPart const& part);
    void container_account();
    void processes_lines();
    void outside_lines();
    void cache_lines();
    void kernel_lines();
    void swap_cache_line();
    void zfs_cache_line();
    void gpu_pages_lines();
    void gtt_lines(GpuCounters const& counters);
    void own_account(PoolPart const& part);
    void unheld(std::string const& gpu, std::string_view what, Bytes bytes);
    [[nodiscard]] std::string pci_of(std::string const& gpu) const;
    [[nodiscard]] bool counted(std::string const& pci) const;  // whether its GTT is
    std::vector<HolderView> in_order(bool first_pool);

    HardwareReport const& report_;
    LedgerFacts const& facts_;
    Holders const& holders_;
    std::vector<HolderView> of_holders_{};  // as holders_.all
    std::vector<HolderView> others_{};
    std::vector<Account> accounts_{};
    std::vector<std::string> warnings_{};
};

void PoolLedger::open(std::string kind, std::string const& device, Size total, Size free) {
    accounts_.push_back({.part = {.kind = std::move(kind), .device = device, .total = total, .free = free}});
}

void PoolLedger::add(HolderView& holder, Bytes bytes, bool gives_way) {
    holder.bytes += bytes;
    if (gives_way) holder.gives_way += bytes;
    accounts_.back().held += bytes;
}

void PoolLedger::add(std::size_t holder, Use use, Bytes bytes) {
    auto& view = of_holders_[holder];
    auto& member = use == Use::Anonymous ? view.anonymous
                   : use == Use::File    ? view.file
                   : use == Use::Shared  ? view.shared
                                         : view.gpu;
    member = or_zero(member) + bytes;
    add(view, bytes, use == Use::File);
}

void PoolLedger::add(std::string_view kind, std::string const& name, Bytes bytes, bool gives_way) {
    if (bytes > Bytes{}) add(other(kind, name), bytes, gives_way);
}

HolderView& PoolLedger::other(std::string_view kind, std::string const& name) {
    auto const found = std::find_if(others_.begin(), others_.end(), [&](HolderView const& view) {
        return view.kind == kind && view.name == name;
    });
    if (found != others_.end()) return *found;
    return others_.emplace_back(HolderView{.kind = std::string{kind}, .name = name});
}

std::string PoolLedger::pci_of(std::string const& gpu) const {
    auto const* const found = report_.gpu(gpu);
    return found == nullptr ? "" : found->pci.value_or("");
}

// ---- the system's memory

void PoolLedger::processes_lines() {
    for (std::size_t i = 0; i < holders_.all.size(); ++i) {
        auto const& holder = holders_.all[i];
        add(i, Use::Anonymous, holder.anonymous);
        add(i, Use::File, holder.file);
        add(i, Use::Shared, holder.shared);
        of_holders_[i].swapped = holder.swapped;
    }
}

// Own memory of processes, less that of those that were looked at.
void PoolLedger::outside_lines() {
    if (!facts_.use.anonymous || (holders_.unseen.empty() && holders_.closed == 0)) return;
    auto seen = Bytes{};
    for (auto const& holder : holders_.all)
        seen += holder.anonymous;
    auto const rest = *facts_.use.anonymous - seen;
    if (rest <= Bytes{}) return;
    add("outside", "processes that can't be seen", rest);
    auto& notes = other("outside", "processes that can't be seen").notes;
    if (!holders_.unseen.empty()) notes.push_back(holders_.unseen);
    if (holders_.closed > 0)
        notes.push_back(holders_.closed == 1
                            ? std::string{"one process doesn't show this user what it holds"}
                            : format("{} processes don't show this user what they hold", holders_.closed));
}

void PoolLedger::cache_lines() {
    Bytes file{}, shared{};
    for (auto const& holder : holders_.all) {
        file += holder.file;
        shared += holder.shared;
        for (auto const& gpu : holder.gpus)
            shared += gpu.system_is_shared ? gpu.system : Bytes{};
    }
    add("cache", "page cache", or_zero(facts_.use.cache) - file, true);
    add("shared", "shared memory and tmpfs", or_zero(facts_.use.shared) - shared);
}

void PoolLedger::kernel_lines() {
    auto const& use = facts_.use;
    add("kernel", "slabs that give way", or_zero(use.slab_reclaimable), true);
    add("kernel", "slabs", or_zero(use.slab));
    add("kernel", "page tables", or_zero(use.page_tables));
    add("kernel", "stacks", or_zero(use.stacks));
    add("kernel", "per-CPU memory", or_zero(use.per_cpu));
    add("kernel", "vmalloc", or_zero(use.vmalloc));
    add("kernel", "huge pages set aside", or_zero(use.huge_pages));
    add("kernel", "GPU pages kept for reuse", or_zero(use.gpu_pool), true);
    add("kernel", "compressed swap", or_zero(use.compressed));
}

// Pages that came back from swap and have their place there still. Those that a process has mapped are in
// its own figure; nobody tells how many these are, but that the account is not overdrawn.
void PoolLedger::swap_cache_line() {
    auto const left = accounts_.back().left();
    if (left) add("cache", "swap cache", clamp(*left, Bytes{}, or_zero(facts_.use.swap_cached)), true);
}

// ARC lies partly in slabs, which are counted, and its own figure doesn't tell how much.
void PoolLedger::zfs_cache_line() {
    auto const left = accounts_.back().left();
    if (left)
        add("cache", "ZFS cache (ARC)", clamp(*left, Bytes{}, or_zero(facts_.counters.zfs_cache)), true);
}

void PoolLedger::system_account(PoolPart const& part) {
    auto const& use = facts_.use;
    auto const free = use.free ? Size{*use.free + or_zero(use.free_on_cpus)} : Size{};
    open(std::string{to_string(part.kind)}, part.device, part.total, free);
    processes_lines();
    outside_lines();
    gpu_pages_lines();
    cache_lines();
    kernel_lines();
    swap_cache_line();
    zfs_cache_line();
}

// What lxcfs shows is the container's alone: its limit, and what its processes and the kernel have for it.
void PoolLedger::container_account() {
    open("container", std::string{host_device}, facts_.counters.total, facts_.use.free);
    processes_lines();
    cache_lines();
    add("kernel", "for this container", or_zero(facts_.use.kernel_of_group));
    swap_cache_line();
}

// ---- GPUs' memory

bool PoolLedger::counted(std::string const& pci) const {
    auto const& gpus = facts_.counters.gpus;
    return std::any_of(gpus.begin(), gpus.end(), [&](GpuCounters const& gpu) {
        return gpu.gtt_used.has_value() && pci_of(gpu.id) == pci;
    });
}

// All pages that GPUs hold of the system's memory, a discrete GPU's too.
void PoolLedger::gpu_pages_lines() {
    for (std::size_t i = 0; i < holders_.all.size(); ++i) {
        for (auto const& gpu : holders_.all[i].gpus) {
            auto const* const reported = report_.gpu_at(gpu.pci);
            bool const in_system = reported != nullptr && !reported->has_own_memory();
            auto const pages =
                gpu.system + (counted(gpu.pci) ? Bytes{} : gpu.gtt) + (in_system ? gpu.vram : Bytes{});
            if (pages > Bytes{}) add(i, Use::Gpu, pages);
        }
    }
    for (auto const& gpu : facts_.counters.gpus)
        gtt_lines(gpu);
}

void PoolLedger::gtt_lines(GpuCounters const& counters) {
    if (!counters.gtt_used) return;
    auto const pci = pci_of(counters.id);
    for (std::size_t i = 0; i < holders_.all.size(); ++i) {
        for (auto const& gpu : holders_.all[i].gpus) {
            if (gpu.pci == pci) add(i, Use::Gpu, gpu.gtt - gpu.shared_gtt);
        }
    }
    auto const use = gtt_use(holders_.all, pci, *counters.gtt_used);
    add("shared", format("buffers that processes share on {} (GTT)", counters.id), use.buffers);
    unheld(counters.id, "GTT", use.rest);
}

void PoolLedger::own_account(PoolPart const& part) {
    open(std::string{to_string(part.kind)}, part.device, part.total, part.free);
    if (!part.used) return;
    auto const pci = pci_of(part.device);
    Bytes own{}, shared{};
    for (std::size_t i = 0; i < holders_.all.size(); ++i) {
        for (auto const& gpu : holders_.all[i].gpus) {
            if (gpu.pci != pci || gpu.vram == Bytes{}) continue;
            add(i, Use::Gpu, gpu.vram - gpu.shared_vram);
            own += gpu.vram - gpu.shared_vram;
            shared += gpu.shared_vram;
        }
    }
    for (auto const& gpu : holders_.elsewhere) {
        if (gpu.pci != pci) continue;
        add("outside", "processes that can't be seen", gpu.vram);
        own += gpu.vram;
    }
    auto const what = to_string(part.kind);
    auto const buffers = clamp(*part.used - own, Bytes{}, shared);
    add("shared", format("buffers that processes share on {} ({})", part.device, what), buffers);
    add("driver", format("reserved by the driver of {}", part.device), or_zero(part.reserved));
    unheld(part.device, what, *part.used - own - buffers);
}

// What a GPU's counter has, and none of the processes that could be looked at.
void PoolLedger::unheld(std::string const& gpu, std::string_view what, Bytes bytes) {
    if (bytes <= Bytes{}) return;
    bool const all_seen = holders_.unseen.empty() && holders_.closed_gpu == 0;
    if (all_seen && bytes <= driver_share_max)
        return add("driver", format("the driver of {} itself ({})", gpu, what), bytes);
    std::string why = "no process has it: the driver has lost track of it, and only a reboot frees it";
    if (!holders_.unseen.empty())
        why =
            format("held by processes elsewhere, by the driver itself, or lost by it ({})", holders_.unseen);
    else if (!all_seen)
        why =
            "held by processes of other users, by the driver itself, or lost by it; "
            "'sudo hal0 memory' can tell";
    auto const name = format("nobody that can be seen, on {} ({})", gpu, what);
    add("nobody", name, bytes);
    other("nobody", name).notes.push_back(why);
    if (all_seen)
        warnings_.push_back(format("{} of {}'s {} are held by nobody: {}", human(bytes), gpu, what, why));
}

// ---- the whole pool

// The largest processes by name, the rest as one.
std::vector<HolderView> PoolLedger::in_order(bool first_pool) {
    std::vector<HolderView> found;
    std::vector<HolderView> processes;
    for (auto& view : of_holders_) {
        if (view.kind != "slot")
            processes.push_back(std::move(view));
        else if (first_pool || view.bytes > Bytes{})
            found.push_back(std::move(view));
    }
    std::erase_if(processes, [](HolderView const& view) {
        return view.bytes == Bytes{} && or_zero(view.swapped) == Bytes{};
    });
    auto const by_size = [](HolderView const& a, HolderView const& b) { return a.bytes > b.bytes; };
    std::stable_sort(processes.begin(), processes.end(), by_size);
    HolderView rest{.kind = "processes", .name = "other processes", .processes = 0};
    for (std::size_t i = 0; i < processes.size(); ++i) {
        auto& view = processes[i];
        if (i < named_processes_max) {
            found.push_back(std::move(view));
            continue;
        }
        rest.bytes += view.bytes;
        rest.gives_way += view.gives_way;
        for (auto const member : {&HolderView::anonymous, &HolderView::file, &HolderView::shared,
                                  &HolderView::gpu, &HolderView::swapped}) {
            if (view.*member) rest.*member = or_zero(rest.*member) + or_zero(view.*member);
        }
        rest.processes = rest.processes.value_or(0) + view.processes.value_or(0);
        rest.exact = rest.exact && view.exact;
    }
    if (rest.processes.value_or(0) > 0) found.push_back(std::move(rest));
    std::move(others_.begin(), others_.end(), std::back_inserter(found));
    return found;
}

wire::PoolView PoolLedger::take_apart(Pool const& pool) {
    wire::PoolView view{.id = pool.id, .devices = pool.devices};
    bool const has_system = pool.part(PoolPart::Kind::System, host_device) != nullptr;
    for (auto const& part : pool.parts) {
        if (part.kind != PoolPart::Kind::System) {
            own_account(part);
        } else if (pool.host_known) {
            system_account(part);
        } else {
            container_account();
            for (auto const& gpu : facts_.counters.gpus) {
                if (gpu.gtt_used) open("GPU pages", gpu.id, gpu.gtt_used, Bytes{});
                gtt_lines(gpu);
            }
        }
    }
    for (auto const& account : accounts_) {
        auto part = account.part;
        part.held = account.held;
        part.unexplained = account.left();
        view.parts.push_back(std::move(part));
    }
    // Of a machine whose own memory isn't known, neither is the sum.
    if (!has_system || pool.host_known) {
        view.total = sum_of(view.parts, &wire::PoolPartView::total);
        view.free = sum_of(view.parts, &wire::PoolPartView::free);
        view.unexplained = sum_of(view.parts, &wire::PoolPartView::unexplained);
    }
    for (auto const& cap : pool.caps)
        view.caps.push_back({cap.device, cap.total, cap.used});
    view.holders = in_order(has_system);
    return view;
}

void add_new(std::vector<std::string>& into, std::vector<std::string> const& warnings) {
    for (auto const& warning : warnings) {
        if (std::find(into.begin(), into.end(), warning) == into.end()) into.push_back(warning);
    }
}

void look_at_swap(Holders const& holders, wire::MemoryView& view) {
    constexpr Bytes worth_a_word = 64_MiB;
    for (auto const& holder : holders.all) {
        if (holder.kind == Holder::Kind::Slot && holder.swapped >= worth_a_word)
            view.warnings.push_back(
                format("{} of the slot '{}' are in swap: it answers slowly until they are back",
                       human(holder.swapped), holder.name));
    }
}

}  // namespace

LedgerFacts read_ledger_facts(hardware::Machine& machine, HardwareReport const& report) {
    bool const asks_nvml = report.cuda.state == "ok";
    if (asks_nvml) machine.expect_nvml();  // it answers while the rest is read
    LedgerFacts facts;
    auto const before = hardware::read_memory_use(machine);
    facts.processes = hardware::read_processes(machine);
    facts.use = hardware::read_memory_use(machine);
    if (asks_nvml) facts.nvml = machine.nvml();
    facts.counters = hardware::read_counters(machine, report, facts.nvml);
    auto const change = or_zero(facts.use.free) - or_zero(before.free);
    facts.moved = std::max(change, Bytes{} - change);
    return facts;
}

std::optional<GttUnattributed> gtt_unattributed(HardwareReport const& report, LedgerFacts const& facts) {
    if (facts.processes.all.empty()) return std::nullopt;
    auto const who = holders(facts.processes, facts.nvml, {});
    std::optional<GttUnattributed> found;
    for (auto const& gpu : facts.counters.gpus) {
        auto const* const reported = report.gpu(gpu.id);
        auto const pci = reported != nullptr ? reported->pci.value_or("") : "";
        if (!gpu.gtt_used || pci.empty()) continue;
        auto const rest = gtt_use(who.all, pci, *gpu.gtt_used).rest;
        auto const before = found.value_or(GttUnattributed{}).bytes;
        found = GttUnattributed{before + std::max(rest, Bytes{}), who.unseen.empty() && who.closed_gpu == 0};
    }
    return found;
}

wire::MemoryView ledger(HardwareReport const& report, LedgerFacts const& facts,
                        std::vector<SlotProcess> const& slots, WallTime now) {
    auto const& counters = facts.counters;
    auto const who = holders(facts.processes, facts.nvml, slots);
    wire::MemoryView view{.time = rfc3339(now), .swap_total = counters.swap_total};
    if (counters.swap_total && counters.swap_free)
        view.swap_used = *counters.swap_total - *counters.swap_free;
    for (auto const& pool : pools(report, counters)) {
        PoolLedger account{report, facts, who};
        view.pools.push_back(account.take_apart(pool));
        add_new(view.warnings, account.take_warnings());
    }
    look_at_swap(who, view);
    // Over a hundredth of all memory the lines are of different moments.
    if (counters.total && facts.moved.count > counters.total->count / 100)
        view.warnings.push_back(
            format("free memory changed by {} while this was read: ask again when the box is calmer",
                   human(facts.moved)));
    for (auto const* told : {&facts.processes.warnings, &facts.use.warnings, &counters.warnings})
        add_new(view.warnings, *told);
    return view;
}

}  // namespace hal0::memory
