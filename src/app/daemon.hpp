#pragma once
// `hal0 serve`: builds everything from the settings, runs it until a signal, and leaves the workers running.
#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "api/admin.hpp"
#include "app/chronicle.hpp"
#include "app/data_loop.hpp"
#include "app/house.hpp"
#include "app/library.hpp"
#include "app/log_keeper.hpp"
#include "app/settings.hpp"
#include "app/supply_watch.hpp"
#include "base/log.hpp"
#include "base/no_copy.hpp"
#include "base/result.hpp"
#include "base/secret.hpp"
#include "dispatch/dispatcher.hpp"
#include "history/event_stream.hpp"
#include "history/history.hpp"
#include "jobs/jobs.hpp"
#include "os/lock_file.hpp"
#include "os/places.hpp"
#include "os/signals.hpp"
#include "slots/launcher.hpp"
#include "slots/slot_table.hpp"

namespace hal0::app {

class Daemon final : NoCopy {
  public:
    struct Start {
        std::string version{};
        os::Places places{};  // made already
        Settings settings{};
        Secret key{};
        std::size_t descriptors{1024};  // that this process may have open
    };
    // Conflict when another daemon has this home, or a program has the port; both name the holder.
    static Result<std::unique_ptr<Daemon>> make(Start start, Log& log);
    ~Daemon();

    // Until SIGTERM, SIGINT or SIGHUP, which leave the workers running, or until its API is asked to stop,
    // which ends them first. Answers in progress are finished, for a while; a second signal cuts them.
    void run();

  private:
    Daemon(Start start, Log& log) : start_{std::move(start)}, log_{log} {}
    Result<void> take_home();
    Result<void> listen();
    Result<void> build_control();
    void build_history();
    [[nodiscard]] SpeedWatch::World speed_world();
    Result<void> build_data();
    void signalled(int number);
    void stop_with_slots(std::function<void()> slots_are_down);
    void finish(Error const& why);  // who still waits is told so
    void close_when_deaf();
    void stop_when_drained();
    [[nodiscard]] wire::StatusView status() const;

    // In the order of making; destroyed in the opposite one.
    Start start_;
    Log& log_;
    WallTime const started_{std::chrono::system_clock::now()};
    TimePoint const started_at_{Clock::now()};
    std::unique_ptr<os::Loop> loop_{};
    std::unique_ptr<os::StopSignals> signals_{};
    std::unique_ptr<os::LockFile> home_lock_{};
    std::vector<os::UniqueFd> listeners_{};
    std::vector<int> listener_fds_{};
    std::vector<std::string> addresses_{};
    std::unique_ptr<os::Inbox> inbox_{};
    std::unique_ptr<os::Pool> pool_{};          // for what people ask, which may take seconds
    std::unique_ptr<os::Pool> data_pool_{};     // for requests alone: they don't wait behind that
    std::unique_ptr<os::Pool> history_pool_{};  // for its writer alone: a slow disk keeps nobody else
    std::unique_ptr<Library> library_{};
    std::unique_ptr<history::EventStream> events_{};
    std::unique_ptr<history::History> history_{};
    std::unique_ptr<SpeedWatch> speeds_{};
    std::unique_ptr<Chronicle> chronicle_{};
    std::unique_ptr<LogKeeper> log_keeper_{};
    std::unique_ptr<HostDesk> host_{};  // of who reads the memory, on the pool
    std::unique_ptr<MemoryDesk> memory_{};
    std::unique_ptr<FitDesk> fit_{};
    std::unique_ptr<Measuring> measuring_{};
    std::unique_ptr<House> house_{};
    std::unique_ptr<dispatch::Dispatcher> dispatcher_{};
    std::unique_ptr<jobs::Jobs> jobs_{};
    std::unique_ptr<slots::Launcher> launcher_{};
    std::unique_ptr<slots::SlotTable> slots_{};
    std::unique_ptr<SupplyWatch> supplies_{};
    std::unique_ptr<api::Admin> admin_{};
    std::vector<std::unique_ptr<DataLoop>> data_loops_{};
    std::unique_ptr<os::Timer> patience_{};
    std::size_t listening_{0};  // data loops that may still accept
    std::size_t draining_{0};   // data loops that still answer
    bool stopping_{false};
};

}  // namespace hal0::app
