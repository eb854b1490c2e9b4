#pragma once
// What Proxmox's API answers, read leniently where its versions differ (keys that aren't there, numbers as
// strings) and believing nothing: what can't be is unknown and a warning. Corrupt: it is no answer of
// Proxmox's at all.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "wire/host_view.hpp"

namespace hal0::proxmox {

using Warnings = std::vector<std::string>;
inline constexpr std::size_t warnings_max = 8;  // of one answer: a server that lies may lie much

struct TenantRow {
    wire::TenantView tenant{};
    std::string node{};
    bool is_template{false};  // a template never runs
    bool operator==(TenantRow const&) const = default;
};
// /cluster/resources?type=vm: the guests of all nodes that the token may see.
Result<std::vector<TenantRow>> decode_tenants(std::string_view body, Warnings& warnings);

struct NodeMemory {
    std::optional<Bytes> total{};
    std::optional<Bytes> used{};
    std::optional<Bytes> available{};
    std::optional<Bytes> arc{};
    bool operator==(NodeMemory const&) const = default;
};
// /nodes/NODE/status. Where it has no `available` (before 9) that is what isn't used: used has been MemTotal
// less MemFree, Buffers and Cached then, and is less MemAvailable since.
Result<NodeMemory> decode_status(std::string_view body, Warnings& warnings);

struct Balloon {
    std::int64_t vmid{};
    std::optional<Bytes> now{};
    std::optional<Bytes> least{};
};
// /nodes/NODE/qemu?full=1
Result<std::vector<Balloon>> decode_balloons(std::string_view body, Warnings& warnings);

}  // namespace hal0::proxmox
