#pragma once
// A worker that was started, as what it would be planned for: its command line is all that decides what it
// allocates. Pure.
#include <optional>

#include "engines/plan_request.hpp"
#include "engines/worker_spec.hpp"

namespace hal0::engines {

// Nothing where an argument isn't known to leave its memory as it is: it may hold anything.
std::optional<PlanRequest> plan_request_of(WorkerSpec const& spec);

}  // namespace hal0::engines
