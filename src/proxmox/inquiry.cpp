#include "proxmox/inquiry.hpp"

#include <algorithm>
#include <utility>

#include "base/format.hpp"

namespace hal0::proxmox {
namespace {

using wire::TenantView;

constexpr std::string_view tenants_path = "/cluster/resources?type=vm";

std::string_view kind_for_people(std::string_view kind) { return kind == "lxc" ? "container" : "VM"; }

// Those that run first, the largest first.
bool comes_before(TenantView const& a, TenantView const& b) {
    auto const rank = [](TenantView const& tenant) {
        return std::pair{tenant.running != false,
                         tenant.memory_on_node ? tenant.memory_on_node : tenant.memory};
    };
    if (rank(a) != rank(b)) return rank(a) > rank(b);
    return a.vmid < b.vmid;
}

// No guest has more than there is: what says so is unknown.
void drop_impossible(TenantView& tenant, std::optional<Bytes> total, Warnings& warnings) {
    for (auto* const figure : {&tenant.memory, &tenant.memory_on_node}) {
        if (!*figure || !total || **figure <= *total) continue;
        figure->reset();
        if (warnings.size() < warnings_max)
            warnings.push_back(format("Proxmox says that guest {} uses more than the node has", tenant.vmid));
    }
}

}  // namespace

std::optional<std::string> Inquiry::next() const {
    switch (step_) {
        case Step::Tenants:
        case Step::Again: return std::string{tenants_path};
        case Step::Status: return format("/nodes/{}/status", node_);
        case Step::Balloons: return format("/nodes/{}/qemu?full=1", node_);
        case Step::Done: break;
    }
    return std::nullopt;
}

Result<void> Inquiry::take(std::string_view body) {
    switch (step_) {
        case Step::Tenants:
        case Step::Again: return take_tenants(body);
        case Step::Status: return take_status(body);
        case Step::Balloons: return take_balloons(body);
        case Step::Done: break;
    }
    return Error{Errc::Internal, "nothing was asked"};
}

Result<void> Inquiry::failed(Error const& why) {
    // The guest may just have left the node that doesn't answer.
    if (step_ == Step::Status && why.kind == Errc::Unavailable) {
        node_error_ = why;
        step_ = Step::Again;
        return {};
    }
    if (step_ != Step::Balloons) return why;
    of_node_.push_back(format("the VMs' balloons are not known: {}", why.message));
    step_ = Step::Again;
    return {};
}

Result<void> Inquiry::take_tenants(std::string_view body) {
    of_tenants_.clear();
    HAL0_TRY(rows, decode_tenants(body, of_tenants_));
    rows_ = std::move(rows);
    HAL0_TRY(node, own_node());
    if (step_ == Step::Again && node == node_) {
        if (node_error_) return *node_error_;
        step_ = Step::Done;
        return {};
    }
    if (step_ == Step::Again && ++moves_ > moves_max) {
        return Error{Errc::Unavailable,
                     format("guest {} moves from node to node; ask again once it stays", vmid_)};
    }
    node_ = std::move(node);
    node_error_.reset();
    step_ = Step::Status;
    return {};
}

Result<void> Inquiry::take_status(std::string_view body) {
    of_node_.clear();
    balloons_.clear();
    HAL0_TRY(memory, decode_status(body, of_node_));
    memory_ = memory;
    step_ = has_running_vms() ? Step::Balloons : Step::Again;
    return {};
}

Result<void> Inquiry::take_balloons(std::string_view body) {
    auto balloons = decode_balloons(body, of_node_);
    if (!balloons) return failed(balloons.error());
    balloons_ = std::move(balloons).value();
    step_ = Step::Again;
    return {};
}

// Where the guest runs: never simply the first node.
Result<std::string> Inquiry::own_node() const {
    // Without the right to look at guests their list is empty: Proxmox calls that no error.
    if (rows_.empty())
        return Error{Errc::Forbidden,
                     "Proxmox shows this token no guest at all: it lacks the role PVEAuditor on '/'"};
    auto const row = std::ranges::find(rows_, vmid_, [](TenantRow const& one) { return one.tenant.vmid; });
    if (row == rows_.end()) {
        return Error{
            Errc::NotFound,
            format("Proxmox shows this token {} guests, and none is {}: either 'vmid' is wrong, or the "
                   "token lacks the role PVEAuditor on '/'",
                   rows_.size(), vmid_)};
    }
    auto const& tenant = row->tenant;
    if (kind_ != Guest::Kind::Unknown && tenant.kind != to_string(kind_)) {
        return Error{Errc::Conflict,
                     format("guest {} is a {} in Proxmox, and this is a {}: mend 'vmid'", vmid_,
                            kind_for_people(tenant.kind), kind_for_people(to_string(kind_)))};
    }
    if (tenant.running == false) {
        return Error{Errc::Conflict,
                     format("guest {} is stopped in Proxmox, so it isn't this one: mend 'vmid'", vmid_)};
    }
    return row->node;
}

bool Inquiry::has_running_vms() const {
    return std::ranges::any_of(rows_, [this](TenantRow const& row) {
        return row.node == node_ && row.tenant.kind == "qemu" && row.tenant.running != false;
    });
}

HostFacts Inquiry::finish() const {
    HostFacts facts{.node = node_,
                    .vmid = vmid_,
                    .total = memory_.total,
                    .used = memory_.used,
                    .available = memory_.available,
                    .arc = memory_.arc,
                    .warnings = of_node_};
    facts.warnings.insert(facts.warnings.end(), of_tenants_.begin(), of_tenants_.end());
    for (auto const& row : rows_) {
        if (row.node != node_ || row.is_template) continue;
        auto tenant = row.tenant;
        tenant.self = tenant.vmid == vmid_;
        auto const balloon = std::ranges::find(balloons_, tenant.vmid, &Balloon::vmid);
        if (balloon != balloons_.end() && tenant.kind == "qemu") {
            tenant.balloon = balloon->now;
            tenant.balloon_min = balloon->least;
        }
        drop_impossible(tenant, facts.total, facts.warnings);
        facts.tenants.push_back(std::move(tenant));
    }
    std::ranges::sort(facts.tenants, comes_before);
    return facts;
}

}  // namespace hal0::proxmox
