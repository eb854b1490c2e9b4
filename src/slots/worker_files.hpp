#pragma once
// What lies in a slot's run directory for its worker, whoever keeps that: written before it is started, read
// by who finds it running, removed when it is gone.
#include <optional>
#include <string>

#include "base/result.hpp"
#include "engines/worker_spec.hpp"
#include "slots/run_dir.hpp"

namespace hal0::slots {

Result<void> put_worker_files(RunDir const& run, engines::WorkerSpec const& spec);
// Nothing when they don't say any more what runs.
std::optional<engines::WorkerSpec> spec_in(RunDir const& run);
// Conflict while a worker lives.
Result<void> remove_worker_files(RunDir const& run, std::string const& slot);

}  // namespace hal0::slots
