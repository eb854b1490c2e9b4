#include "slots/exec.hpp"

#include <chrono>
#include <cstdio>

#include "base/format.hpp"
#include "base/time.hpp"
#include "engines/worker_spec.hpp"
#include "os/child.hpp"
#include "os/file.hpp"
#include "os/lock_file.hpp"
#include "slots/config.hpp"
#include "slots/run_dir.hpp"
#include "slots/worker_log.hpp"

namespace hal0::slots {
namespace {

void say(std::string const& line) { std::fputs((line + "\n").c_str(), stderr); }

ExecFault fail(ExecFault fault, std::string const& slot, Error const& why) {
    say(format("error: the worker of slot '{}' was not started: {}", slot, why.message));
    return fault;
}

Result<engines::WorkerSpec> read_spec(std::string const& path) {
    HAL0_TRY(text, os::read_file(path, spec_max));
    auto spec = engines::decode_spec(text);
    if (!spec) return in_context(path, std::move(spec).error());
    return spec;
}

// Engines read settings from the environment too: what the owner's shell has of those must not change what
// the slot's file says.
std::vector<std::string> environment_of(engines::WorkerSpec const& spec) {
    auto environment = os::environment_with(spec.environment);
    std::erase_if(environment, [](std::string const& entry) { return entry.starts_with("LLAMA_ARG_"); });
    return environment;
}

}  // namespace

ExecFault exec_worker(os::Places const& places, std::string const& slot) {
    if (auto const named = check_slot_name(slot); !named)
        return fail(ExecFault::BadName, slot, named.error());
    auto const run = run_dir(places, slot);
    auto lock = os::LockFile::acquire(run.lock);
    if (!lock) {
        bool const held = lock.error().kind == Errc::Conflict;
        return fail(held ? ExecFault::LockHeld : ExecFault::NoLock, slot, lock.error());
    }
    auto const spec = read_spec(run.spec);
    if (!spec) return fail(ExecFault::BadSpec, slot, spec.error());
    lock->keep_across_exec();
    // Its last worker's: engines refuse to start on a socket file that is there. Only now is it surely stale.
    if (auto const removed = os::remove_file(spec->socket); !removed)
        return fail(ExecFault::NoLock, slot, removed.error());
    say(format("{} {} with {} {}, {}", worker_log_mark, spec->model, spec->engine, spec->version,
               rfc3339(std::chrono::system_clock::now())));
    return fail(ExecFault::CannotRun, slot, os::exec_now(spec->argv, environment_of(*spec)));
}

}  // namespace hal0::slots
