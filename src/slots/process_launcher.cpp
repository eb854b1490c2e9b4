#include "slots/process_launcher.hpp"

#include <utility>

#include "os/file.hpp"
#include "slots/worker_files.hpp"
#include "slots/workers.hpp"

namespace hal0::slots {
namespace {

class ProcessWorker final : public Worker, NoCopy {
  public:
    explicit ProcessWorker(std::unique_ptr<os::Process> process) : process_{std::move(process)} {}
    [[nodiscard]] std::optional<int> pid() const override { return process_->pid(); }
    Result<void> signal(int number) override { return process_->signal_group(number); }

  private:
    std::unique_ptr<os::Process> process_;
};

}  // namespace

Result<std::unique_ptr<Worker>> ProcessLauncher::launch(std::string const& slot,
                                                        engines::WorkerSpec const& spec, Ended ended) {
    auto const run = run_dir(places_, slot);
    HAL0_CHECK(put_worker_files(run, spec));
    HAL0_TRY(log, os::open_append(run.log));  // appending, so that it can be cut while the worker writes
    os::Command const command{.argv = {self_, "slot", "exec", slot},
                              .out = log.get(),
                              .err = log.get(),
                              .session = os::Session::Own};
    HAL0_TRY(process, os::Process::spawn(loop_, command, std::move(ended)));
    return std::unique_ptr<Worker>{std::make_unique<ProcessWorker>(std::move(process))};
}

Result<std::optional<Found>> adopt_holder(os::Loop& loop, RunDir const& run, Launcher::Ended ended) {
    HAL0_TRY(process, worker_of(loop, run, std::move(ended)));
    if (!process) return std::optional<Found>{};
    Found found{.worker = std::make_unique<ProcessWorker>(std::move(process)), .spec = spec_in(run)};
    return std::optional<Found>{std::move(found)};
}

Result<std::optional<Found>> ProcessLauncher::adopt(std::string const& slot, Ended ended) {
    return adopt_holder(loop_, run_dir(places_, slot), std::move(ended));
}

Result<void> ProcessLauncher::forget(std::string const& slot) {
    return remove_worker_files(run_dir(places_, slot), slot);
}

}  // namespace hal0::slots
