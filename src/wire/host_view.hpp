#pragma once
// The body of what Proxmox tells of the node that this guest runs on.
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "wire/codec.hpp"

namespace hal0::wire {

struct TenantView {
    static constexpr BodyTitle title{"TenantView", "A guest of the Proxmox node, as Proxmox tells of it."};
    std::int64_t vmid{};
    std::string kind{};
    std::optional<std::string> name{};
    std::optional<bool> running{};
    bool self{false};
    std::optional<Bytes> memory{};
    std::optional<Bytes> memory_on_node{};
    std::optional<Bytes> memory_max{};
    std::optional<Bytes> balloon{};
    std::optional<Bytes> balloon_min{};
    bool operator==(TenantView const&) const = default;

    template <class Self, class F> static void fields(Self& self, F& f) {
        f("vmid", self.vmid, "Proxmox's number for it");
        f("kind", self.kind, "`lxc` or `qemu`");
        f("name", self.name, "as Proxmox has it");
        f("running", self.running, "null: not known");
        f("self", self.self, "whether it is the guest that hal0 runs in");
        f("memory", self.memory,
          "in use: a container's own, less its file cache and without its GPU pages; a VM's as its system "
          "counts "
          "it where it has a balloon driver, else as its process does");
        f("memory_on_node", self.memory_on_node,
          "what a VM takes of the node's memory; null where Proxmox doesn't tell (before 9), and of "
          "containers");
        f("memory_max", self.memory_max, "the most that it may have");
        f("balloon", self.balloon, "what a VM's balloon leaves it now");
        f("balloon_min", self.balloon_min,
          "the least that a VM's balloon leaves it; null: it has no such limit");
    }
};

struct HostView {
    static constexpr BodyTitle title{"HostView",
                                     "The Proxmox node that this guest runs on, and its tenants."};
    std::string node{};
    std::int64_t vmid{};
    std::optional<Bytes> total{};
    std::optional<Bytes> used{};
    std::optional<Bytes> free{};
    std::optional<Bytes> tenants_use{};
    std::optional<Bytes> gpu_pages{};
    std::optional<Bytes> arc{};
    std::optional<Bytes> unexplained{};
    std::vector<TenantView> tenants{};
    std::vector<std::string> notes{};
    bool operator==(HostView const&) const = default;

    template <class Self, class F> static void fields(Self& self, F& f) {
        f("node", self.node, "its name in Proxmox");
        f("vmid", self.vmid, "Proxmox's number for this guest");
        f("total", self.total, "its MemTotal: without what the firmware carved out of it");
        f("used", self.used, "of that, by everybody, GPU pages (GTT) and ZFS's cache with it");
        f("free", self.free, "what the node still gives without swapping");
        f("tenants_use", self.tenants_use, "by those that run, together; null where one of them isn't known");
        f("gpu_pages", self.gpu_pages,
          "GTT in use by everybody, which no tenant's figure has in it; null in a VM, which can't see it");
        f("arc", self.arc, "ZFS's cache, which gives way; null where Proxmox doesn't tell it");
        f("unexplained", self.unexplained,
          "used less all of the above: the node's own processes and kernel, and its ZFS cache where `arc` is "
          "null; under 0 where memory is shared or counted twice");
        f("tenants", self.tenants, "those that run first, the largest first");
        f("notes", self.notes, "what to know of the figures");
    }
};

}  // namespace hal0::wire
