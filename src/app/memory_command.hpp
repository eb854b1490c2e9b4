#pragma once
// Who holds the memory of this box, read here and now: for the daemon's API, and for `hal0 memory` where no
// daemon runs.
#include <vector>

#include "app/host_desk.hpp"
#include "base/result.hpp"
#include "memory/holders.hpp"
#include "os/places.hpp"
#include "wire/memory_view.hpp"

namespace hal0::app {

// Takes its time: on no loop's thread. Which GPUs there are, hardware.json says; what the node under this
// guest has, `host`.
Result<wire::MemoryView> read_memory(os::Places const& places, HostDesk& host,
                                     std::vector<memory::SlotProcess> const& slots);

// The slots are those whose workers live.
Result<wire::MemoryView> read_memory_without_daemon();

}  // namespace hal0::app
