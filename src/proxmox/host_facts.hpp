#pragma once
// What was learned of the node: the one line that the asking process writes for hal0. No secret is in it.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "wire/host_view.hpp"

namespace hal0::proxmox {

struct HostFacts {
    static constexpr wire::BodyTitle title{"HostFacts", "What Proxmox says of a node and its guests."};
    std::string node{};
    std::int64_t vmid{};
    std::optional<Bytes> total{};
    std::optional<Bytes> used{};
    std::optional<Bytes> available{};
    std::optional<Bytes> arc{};
    std::vector<wire::TenantView> tenants{};
    std::vector<std::string> warnings{};
    bool operator==(HostFacts const&) const = default;

    template <class Self, class F> static void fields(Self& self, F& f) {
        f("node", self.node, "its name");
        f("vmid", self.vmid, "of the guest that asks");
        f("total", self.total, "MemTotal");
        f("used", self.used, "of that, in use");
        f("available", self.available, "what can be had without swapping");
        f("arc", self.arc, "ZFS's cache");
        f("tenants", self.tenants, "the node's guests");
        f("warnings", self.warnings, "what was told and makes no sense: it counts as unknown");
    }
};

// What the asking process has written: the facts, or the error that it says.
Result<HostFacts> decode_answer(std::string_view said);

}  // namespace hal0::proxmox
