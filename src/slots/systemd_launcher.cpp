#include "slots/systemd_launcher.hpp"

#include <utility>

#include "os/file.hpp"
#include "os/lock_file.hpp"
#include "os/process_info.hpp"
#include "slots/process_launcher.hpp"
#include "slots/run_dir.hpp"
#include "slots/unit_name.hpp"
#include "slots/worker_files.hpp"

namespace hal0::slots {

Result<std::string> SystemdLauncher::unit_of(std::string const& slot) const {
    bool const by_itself = places_.runtime == units_runtime_;
    return unit_name({.slot = slot, .runtime = by_itself ? std::string{} : places_.runtime});
}

Result<void> SystemdLauncher::check() {
    HAL0_TRY(unit, unit_of("hal0"));  // any name: all are of the one template
    return manager_->check_unit(unit);
}

Result<std::unique_ptr<Worker>> SystemdLauncher::launch(std::string const& slot,
                                                        engines::WorkerSpec const& spec, Ended ended) {
    auto const run = run_dir(places_, slot);
    HAL0_TRY(unit, unit_of(slot));
    HAL0_CHECK(put_worker_files(run, spec));
    HAL0_CHECK(os::put_symlink(run.log, run.log_link));
    auto worker = std::make_unique<UnitRun>(*manager_, std::move(unit), std::move(ended));
    HAL0_CHECK(worker->start());
    return std::unique_ptr<Worker>{std::move(worker)};
}

Result<std::optional<Found>> SystemdLauncher::adopt(std::string const& slot, Ended ended) {
    auto const run = run_dir(places_, slot);
    HAL0_TRY(unit, unit_of(slot));
    HAL0_TRY(holder, os::LockFile::holder(run.lock));
    if (!holder) return std::optional<Found>{};
    bool const a_unit = in_unit(os::cgroups_of(*holder), unit);
    if (!a_unit || manager_->bus() == nullptr) return adopt_holder(manager_->loop(), run, std::move(ended));
    auto worker = std::make_unique<UnitRun>(*manager_, std::move(unit), std::move(ended));
    auto const taken = worker->take_over(*holder);
    if (!taken && taken.error().kind != Errc::NotFound) return taken.error();
    // Asked again now that the process is held fast: its number could have become another's in between.
    HAL0_TRY(still, os::LockFile::holder(run.lock));
    if (!taken || still != holder) return std::optional<Found>{};
    Found found{.worker = std::move(worker), .spec = spec_in(run)};
    return std::optional<Found>{std::move(found)};
}

Result<void> SystemdLauncher::forget(std::string const& slot) {
    return remove_worker_files(run_dir(places_, slot), slot);
}

}  // namespace hal0::slots
