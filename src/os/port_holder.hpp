#pragma once
// Who listens on a TCP port here: what makes "port in use" an error that can be acted on. Part of os/net.
#include <cstdint>
#include <optional>
#include <string>

#include "os/net.hpp"

namespace hal0::os {

struct PortHolder {
    int pid{0};
    std::string program{};  // the kernel's short name of it: 15 bytes at most
    bool operator==(PortHolder const&) const = default;
};

// Whose listening socket stands in the way of `address`, from /proc (proc(5)); nothing where it belongs to a
// user whose processes we can't look into. Walks all processes: for error paths only.
std::optional<PortHolder> find_port_holder(InetAddress const& address);

}  // namespace hal0::os
