#pragma once
// What an answer other than 200 means. Proxmox writes its reason into the status line.
#include <string_view>

#include "base/error.hpp"
#include "proxmox/settings.hpp"

namespace hal0::proxmox {

Error refusal(long status, std::string_view reason, Settings const& settings);

}  // namespace hal0::proxmox
