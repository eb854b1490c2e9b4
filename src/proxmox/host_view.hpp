#pragma once
// The host's part of the memory bar. Pure.
#include <optional>

#include "proxmox/host_facts.hpp"

namespace hal0::proxmox {

// `gpu_pages`: GTT in use, the whole node's, which a container sees and Proxmox charges to no guest.
wire::HostView host_view(HostFacts const& facts, std::optional<Bytes> gpu_pages);

}  // namespace hal0::proxmox
