#include "slots/process_launcher.hpp"

#include <utility>

#include "base/format.hpp"
#include "os/file.hpp"
#include "os/lock_file.hpp"
#include "slots/run_dir.hpp"
#include "slots/workers.hpp"

namespace hal0::slots {
namespace {

constexpr std::size_t key_bytes = 32;

// One that is there stays: a worker that a dying daemon has just spawned may be about to read it.
Result<void> make_key(std::string const& path) {
    if (auto const present = os::read_file(path, 1_KiB); present && present->size() == 2 * key_bytes)
        return {};
    return os::atomic_write(path, os::random_hex(key_bytes), 0600);
}

}  // namespace

Result<std::unique_ptr<os::Process>> ProcessLauncher::launch(std::string const& slot,
                                                             engines::WorkerSpec const& spec, Ended ended) {
    auto const run = run_dir(places_, slot);
    HAL0_CHECK(os::make_directories(run.directory, 0700));
    HAL0_CHECK(make_key(run.key));
    HAL0_CHECK(os::atomic_write(run.spec, engines::encode(spec), 0600));
    HAL0_CHECK(os::make_directories(os::directory_of(run.log)));
    HAL0_TRY(log, os::open_append(run.log));  // appending, so that it can be cut while the worker writes
    os::Command const command{.argv = {self_, "slot", "exec", slot},
                              .out = log.get(),
                              .err = log.get(),
                              .session = os::Session::Own};
    return os::Process::spawn(loop_, command, std::move(ended));
}

Result<std::optional<Found>> ProcessLauncher::adopt(std::string const& slot, Ended ended) {
    auto const run = run_dir(places_, slot);
    HAL0_TRY(process, worker_of(loop_, run, std::move(ended)));
    if (!process) return std::optional<Found>{};
    Found found{.process = std::move(process)};
    auto const text = os::read_file(run.spec, spec_max);
    auto spec = text && os::exists(run.key) ? engines::decode_spec(*text)
                                            : Result<engines::WorkerSpec>{Error{Errc::NotFound, run.spec}};
    if (spec) found.spec = std::move(spec).value();
    return std::optional<Found>{std::move(found)};
}

Result<void> ProcessLauncher::forget(std::string const& slot) {
    auto const run = run_dir(places_, slot);
    HAL0_TRY(holder, os::LockFile::holder(run.lock));
    if (holder)
        return Error{Errc::Conflict,
                     format("{} stays: process {} still runs as slot '{}'", run.directory, *holder, slot)};
    return os::remove_tree(run.directory);
}

}  // namespace hal0::slots
