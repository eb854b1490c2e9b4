#pragma once
// Whose worker lives: told by the locks alone, so by any process of this home, with a daemon or without one.
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "models/kind.hpp"
#include "os/child.hpp"
#include "os/loop.hpp"
#include "os/places.hpp"
#include "slots/run_dir.hpp"

namespace hal0::slots {

// The process that holds a slot's lock, held fast; null when none does. Conflict where one does that can't
// be seen from here (another container's).
Result<std::unique_ptr<os::Process>> worker_of(os::Loop& loop, RunDir const& run,
                                               std::function<void(os::ExitStatus)> ended);

struct LivingWorker {
    std::string slot{};
    int pid{0};
    models::Kind kind{models::Kind::Chat};  // as its spec has it, like the rest
    std::string device{};
    std::string model_file{};  // its first; empty where the spec says none
    bool operator==(LivingWorker const&) const = default;
};
// All workers that live and can be seen from here, by the name of their slots.
Result<std::vector<LivingWorker>> living_workers(os::Places const& places);

// The slots, by name, whose living worker runs a program that lies under `directory`.
Result<std::vector<std::string>> slots_running_from(os::Places const& places, std::string const& directory);

}  // namespace hal0::slots
