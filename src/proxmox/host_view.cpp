#include "proxmox/host_view.hpp"

#include <algorithm>

namespace hal0::proxmox {
namespace {

using wire::TenantView;
using Size = std::optional<Bytes>;

// Of the node's memory. A VM's own count may lie under it (a balloon driver leaves caches out) or over it
// (pages that it never touched).
Size taken_by(TenantView const& tenant) {
    return tenant.memory_on_node ? tenant.memory_on_node : tenant.memory;
}

Size sum_of_running(std::vector<TenantView> const& tenants) {
    Bytes sum{};
    for (auto const& tenant : tenants) {
        if (tenant.running == false) continue;
        auto const taken = taken_by(tenant);
        if (!taken) return std::nullopt;
        sum += *taken;
    }
    return sum;
}

bool by_its_own_count(TenantView const& tenant) {
    return tenant.kind == "qemu" && tenant.running != false && tenant.memory && !tenant.memory_on_node;
}

}  // namespace

wire::HostView host_view(HostFacts const& facts, Size gpu_pages) {
    wire::HostView view{.node = facts.node,
                        .vmid = facts.vmid,
                        .total = facts.total,
                        .used = facts.used,
                        .free = facts.available,
                        .tenants_use = sum_of_running(facts.tenants),
                        .gpu_pages = gpu_pages,
                        .arc = facts.arc,
                        .tenants = facts.tenants};
    if (view.used && view.tenants_use)
        view.unexplained =
            *view.used - *view.tenants_use - gpu_pages.value_or(Bytes{}) - view.arc.value_or(Bytes{});
    if (std::ranges::any_of(facts.tenants, by_its_own_count))
        view.notes.emplace_back(
            "this Proxmox doesn't tell what VMs take of the node (9 does): theirs is what their systems "
            "count, "
            "and the difference is in what isn't explained");
    return view;
}

}  // namespace hal0::proxmox
