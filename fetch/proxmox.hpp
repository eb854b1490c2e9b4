#pragma once
// Asks Proxmox of the node under this guest. The one process that ever has the token: it comes in on stdin,
// as proxmox.json, and nothing that goes out has it.
#include <cstdint>
#include <optional>
#include <string>

#include "base/result.hpp"
#include "proxmox/guest.hpp"

namespace hal0::fetch {

// The facts as one line of JSON. An error's words are without the token too, whoever wrote them.
Result<std::string> ask_proxmox(proxmox::Guest const& guest);

}  // namespace hal0::fetch
