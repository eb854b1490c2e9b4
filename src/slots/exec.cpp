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
#include "slots/unit_name.hpp"
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

// The places of a unit's home, as far as a worker needs them. A service of the system has no HOME.
Result<os::Places> places_of(UnitInstance const& instance) {
    if (!instance.runtime.empty()) return os::Places{.runtime = instance.runtime};
    bool const of_a_user = os::environment_of_process("HOME").has_value();
    return os::find_places(environment_of_units(of_a_user ? Manager::User : Manager::System));
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

ExecFault exec_unit(std::string_view instance) {
    auto const named = decode_instance(instance);
    if (!named) return fail(ExecFault::BadName, std::string{instance}, named.error());
    auto const& slot = named->slot;
    auto const places = places_of(*named);
    if (!places) return fail(ExecFault::BadName, slot, places.error());
    auto const link = run_dir(*places, slot).log_link;
    if (!os::exists(os::directory_of(link)))
        return fail(
            ExecFault::BadSpec, slot,
            {Errc::NotFound, format("hal0 has not asked for it: there is no {}; 'hal0 slot load {}' does",
                                    os::directory_of(link), slot)});
    auto const log = os::open_append(link);
    if (!log) return fail(ExecFault::NoLog, slot, log.error());
    say(format("slot '{}' writes to its log: 'hal0 slot logs {}'", slot, slot));
    if (auto const redirected = os::redirect_output(log->get()); !redirected)
        return fail(ExecFault::NoLog, slot, redirected.error());
    return exec_worker(*places, slot);
}

}  // namespace hal0::slots
