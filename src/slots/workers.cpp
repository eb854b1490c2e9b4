#include "slots/workers.hpp"

#include <optional>
#include <utility>

#include "engines/worker_spec.hpp"
#include "os/file.hpp"
#include "os/lock_file.hpp"

namespace hal0::slots {

namespace {

LivingWorker described(std::string const& slot, int pid, RunDir const& run) {
    LivingWorker worker{.slot = slot, .pid = pid};
    auto const text = os::read_file(run.spec, spec_max);
    auto const spec = text ? engines::decode_spec(*text) : Result<engines::WorkerSpec>{text.error()};
    if (!spec) return worker;
    worker.kind = spec->kind;
    worker.device = spec->device;
    worker.model_file = engines::model_file_of(*spec);
    return worker;
}

}  // namespace

Result<std::unique_ptr<os::Process>> worker_of(os::Loop& loop, RunDir const& run,
                                               std::function<void(os::ExitStatus)> ended) {
    HAL0_TRY(holder, os::LockFile::holder(run.lock));
    if (!holder) return std::unique_ptr<os::Process>{};
    auto process = os::Process::adopt(loop, *holder, std::move(ended));
    if (!process && process.error().kind != Errc::NotFound) return std::move(process).error();
    // Asked again now that the process is held fast: its number could have become another's in between.
    HAL0_TRY(still, os::LockFile::holder(run.lock));
    if (!process || still != holder) return std::unique_ptr<os::Process>{};
    return std::move(process).value();
}

Result<std::vector<LivingWorker>> living_workers(os::Places const& places) {
    std::vector<LivingWorker> workers;
    auto const names = os::list_directory(run_root(places));
    for (auto const& name : names ? *names : std::vector<std::string>{}) {
        auto const run = run_dir(places, name);
        auto const holder = os::LockFile::holder(run.lock);
        if (!holder && holder.error().kind != Errc::Conflict) return holder.error();
        auto const pid = holder ? *holder : std::nullopt;
        if (pid) workers.push_back(described(name, *pid, run));
    }
    return workers;
}

Result<std::vector<std::string>> slots_running_from(os::Places const& places, std::string const& directory) {
    std::vector<std::string> slots;
    auto const names = os::list_directory(run_root(places));
    for (auto const& name : names ? *names : std::vector<std::string>{}) {
        auto const run = run_dir(places, name);
        HAL0_TRY(holder, os::LockFile::holder(run.lock));
        auto const text = os::read_file(run.spec, spec_max);
        if (!holder || !text) continue;
        auto const spec = engines::decode_spec(*text);
        if (spec && spec->argv.front().starts_with(directory + "/")) slots.push_back(name);
    }
    return slots;
}

}  // namespace hal0::slots
