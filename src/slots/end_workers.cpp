#include "slots/end_workers.hpp"

#include <csignal>
#include <memory>
#include <optional>
#include <vector>

#include "os/child.hpp"
#include "os/file.hpp"
#include "os/lock_file.hpp"
#include "os/loop.hpp"
#include "slots/run_dir.hpp"

namespace hal0::slots {
namespace {

// The pids of this home's workers: who holds the slots' locks.
std::vector<int> holders(os::Places const& places) {
    std::vector<int> pids;
    auto const names = os::list_directory(os::join_path(places.runtime, "slots"));
    if (!names) return pids;
    for (auto const& name : *names) {
        auto const lock = run_dir(places, name).lock;
        if (!os::exists(lock)) continue;
        auto const holder = os::LockFile::holder(lock).value_or(std::nullopt);
        if (holder) pids.push_back(*holder);
    }
    return pids;
}

}  // namespace

Result<std::size_t> end_workers(os::Places const& places, Duration patience) {
    HAL0_TRY(loop, os::Loop::make());
    std::vector<std::unique_ptr<os::Process>> workers;
    std::size_t living = 0;
    for (int const pid : holders(places)) {
        auto worker = os::Process::adopt(*loop, pid, [&living, &loop](os::ExitStatus const&) {
            if (--living == 0) loop->stop();
        });
        if (!worker) continue;  // ended just now
        ++living;
        workers.push_back(std::move(worker).value());
    }
    for (auto const& worker : workers)
        (void)worker->signal_group(SIGTERM);  // fails only for one that has ended
    os::Timer impatience{*loop, [&workers] {
                             for (auto const& worker : workers)
                                 (void)worker->signal_group(SIGKILL);
                         }};
    impatience.start(patience);
    if (living > 0) loop->run();
    return workers.size();
}

}  // namespace hal0::slots
