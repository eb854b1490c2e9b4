#pragma once
// Ends the workers of a home that no daemon looks after: for `hal0 stop`. Blocks; no daemon may run.
#include <cstddef>

#include "base/result.hpp"
#include "base/units.hpp"
#include "os/places.hpp"

namespace hal0::slots {

// How many there were. Each is asked to end (SIGTERM to its group), and after `patience` made to. Timeout
// names one that then still doesn't end, within seconds; Conflict one that can't be seen from here.
Result<std::size_t> end_workers(os::Places const& places, Duration patience);

}  // namespace hal0::slots
