#pragma once
// What `hal0 slot exec NAME` does: becomes the worker of a slot. No shell, no quoting; the lock is taken
// before the exec and kept across it, so that its holder's pid is the worker's.
#include <string>

#include "os/places.hpp"

namespace hal0::slots {

// The exit codes, after sysexits.h where it has a word.
enum class ExecFault {
    BadName = 64,
    BadSpec = 66,    // there is no readable spec.json
    LockHeld = 75,   // the slot has a worker
    NoLock = 73,     // the lock can't be taken for another reason
    CannotRun = 72,  // the engine's program can't be executed
};

// Comes back only where it failed, which is then on stderr (the slot's log).
ExecFault exec_worker(os::Places const& places, std::string const& slot);

}  // namespace hal0::slots
