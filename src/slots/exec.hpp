#pragma once
// What `hal0 slot exec NAME` does: becomes the worker of a slot. No shell, no quoting; the lock is taken
// before the exec and kept across it, so that its holder's pid is the worker's.
#include <string>
#include <string_view>

#include "os/places.hpp"

namespace hal0::slots {

// The exit codes, after sysexits.h where it has a word.
enum class ExecFault {
    BadName = 64,
    BadSpec = 66,    // there is no readable spec.json
    LockHeld = 75,   // the slot has a worker
    NoLock = 73,     // the lock can't be taken for another reason
    NoLog = 74,      // its log can't be written
    CannotRun = 72,  // the engine's program can't be executed
};

// Comes back only where it failed, which is then on stderr (the slot's log).
ExecFault exec_worker(os::Places const& places, std::string const& slot);

// The same for a unit of systemd, `instance` being its %i (slots/unit_name.hpp): what it writes goes to the
// slot's log, and to the journal only where it hasn't come so far.
ExecFault exec_unit(std::string_view instance);

}  // namespace hal0::slots
