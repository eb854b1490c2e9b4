#pragma once
// From what a slot should be to what exactly would be run for it: the model and the engine looked up and
// checked, so that what can't work is said before a process is started.
#include <cstdint>
#include <optional>

#include "engines/store.hpp"
#include "engines/worker_spec.hpp"
#include "models/store.hpp"
#include "slots/config.hpp"
#include "slots/run_dir.hpp"

namespace hal0::slots {

struct Supplies {
    models::ModelStore const& models;
    engines::EngineStore const& engines;
    std::int64_t threads{1};  // for slots that don't say how many
};

// NotFound (model, engine), Corrupt (a damaged model file, read as far as its header goes), Unsupported (a
// kind or a device that the engine doesn't have).
Result<engines::WorkerSpec> plan_worker(SlotConfig const& config, Supplies const& supplies,
                                        RunDir const& run);

// The work the slot does: its own word, else its model's; nothing where there is neither.
std::optional<models::Kind> kind_of(SlotConfig const& config, models::ModelStore const& models);

// Whether the two do the same, whatever version of the engine and wherever its program stands: an upgrade of
// the engine is no change of a slot's settings.
bool same_settings(engines::WorkerSpec const& a, engines::WorkerSpec const& b);

}  // namespace hal0::slots
