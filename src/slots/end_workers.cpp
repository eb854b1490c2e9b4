#include "slots/end_workers.hpp"

#include <algorithm>
#include <csignal>
#include <memory>
#include <string>
#include <vector>

#include "base/format.hpp"
#include "base/no_copy.hpp"
#include "os/child.hpp"
#include "os/file.hpp"
#include "os/loop.hpp"
#include "slots/run_dir.hpp"
#include "slots/workers.hpp"

namespace hal0::slots {
namespace {

struct EndingWorker {
    std::string slot{};
    std::unique_ptr<os::Process> process{};
    bool ended{false};
};

class Ending final : NoCopy {
  public:
    Ending(os::Loop& loop, Duration patience)
        : loop_{loop},
          patience_{patience},
          kill_{loop, [this] { signal_all(SIGKILL); }},
          give_up_{loop, [this] { loop_.stop(); }} {}

    // This home's workers are who holds the slots' locks.
    Result<void> find(os::Places const& places) {
        auto const names = os::list_directory(run_root(places));
        for (auto const& name : names ? *names : std::vector<std::string>{})
            HAL0_CHECK(find_one(name, run_dir(places, name)));
        return {};
    }

    Result<std::size_t> run() {
        if (living() > 0) {
            signal_all(SIGTERM);
            kill_.start(patience_);
            give_up_.start(2 * patience_);
            loop_.run();
        }
        for (auto const& worker : workers_) {
            if (worker->ended) continue;
            return Error{
                Errc::Timeout,
                format("process {} of slot '{}' does not end, though it was killed: it waits in the kernel, "
                       "for a disk or a driver; see 'ps -o stat,wchan {}', and run 'hal0 stop' again later",
                       worker->process->pid(), worker->slot, worker->process->pid())}
                .with("pid", format("{}", worker->process->pid()));
        }
        return workers_.size();
    }

  private:
    Result<void> find_one(std::string const& name, RunDir const& run) {
        auto worker = std::make_unique<EndingWorker>();
        worker->slot = name;
        HAL0_TRY(process, worker_of(loop_, run, [this, w = worker.get()](os::ExitStatus const&) {
                     w->ended = true;
                     if (living() == 0) loop_.stop();
                 }));
        if (!process) return {};
        worker->process = std::move(process);
        workers_.push_back(std::move(worker));
        return {};
    }

    [[nodiscard]] std::ptrdiff_t living() const {
        return std::count_if(workers_.begin(), workers_.end(),
                             [](auto const& worker) { return !worker->ended; });
    }

    // Fails only for one that has ended.
    void signal_all(int number) const {
        for (auto const& worker : workers_)
            (void)worker->process->signal_group(number);
    }

    os::Loop& loop_;
    Duration patience_;
    std::vector<std::unique_ptr<EndingWorker>> workers_{};
    os::Timer kill_;
    os::Timer give_up_;
};

}  // namespace

Result<std::size_t> end_workers(os::Places const& places, Duration patience) {
    HAL0_TRY(loop, os::Loop::make());
    Ending ending{*loop, patience};
    HAL0_CHECK(ending.find(places));
    return ending.run();
}

}  // namespace hal0::slots
