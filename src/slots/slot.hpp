#pragma once
// One slot: performs what slots/state.hpp decides, and tells it what happens. Everything on the control loop.
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/no_copy.hpp"
#include "os/loop.hpp"
#include "os/places.hpp"
#include "slots/config.hpp"
#include "slots/host.hpp"
#include "slots/launcher.hpp"
#include "slots/plan.hpp"
#include "slots/readiness.hpp"
#include "slots/run_dir.hpp"
#include "slots/settings_diff.hpp"
#include "slots/state.hpp"
#include "slots/status.hpp"

namespace hal0::slots {

// A request waits for a worker that is started again within this time, and is refused where that takes
// longer.
inline constexpr Duration wake_patience = std::chrono::seconds{5};

struct Patience {
    Duration check{std::chrono::seconds{60}};   // with the question by which a worker's output is judged
    Duration stop{std::chrono::seconds{10}};    // from SIGTERM to SIGKILL
    Duration cut_off{std::chrono::seconds{1}};  // the same, where it is not to finish what it serves
    Duration file_quiet{std::chrono::milliseconds{150}};  // editors write a file in several steps,
    Duration file_written{std::chrono::seconds{2}};       // which take this long at most
};

// What all slots share; everything named here outlives them.
struct SlotWorld {
    os::Loop& loop;
    Launcher& launcher;
    SlotHost& host;
    os::Places places;
    Supplies supplies;
    Patience patience{};
};

// Called once, when what was asked for is truly over; at once where there is nothing to wait for.
using Done = std::function<void(Result<SlotStatus>)>;

class Slot final : NoCopy {
  public:
    // `file`: what its file says, or why that can't be read.
    Slot(SlotWorld const& world, std::string name, Result<DecodedSlot> const& file);
    ~Slot();

    // Adopts its worker if one lives; else loads it where its file says so. Once.
    void begin();
    // Its file has other content. Only what changes the worker's argv restarts it; while the file can't be
    // read, a living worker goes on as it is.
    void reconfigure(Result<DecodedSlot> const& file);

    void load(Done done);
    void unload(Done done, InFlight requests = InFlight::Finish);
    void restart(Done done, InFlight requests = InFlight::Finish);
    // For good: no request wakes it any more.
    void leave(Done done, InFlight requests = InFlight::Finish);
    // Its requests in flight have had their time.
    void cut_off();
    // For a request. An Error refuses it at once; else it comes up, or is up, or fails with a word to the
    // host.
    Result<void> wake();
    void drained() { on(Event::Drained); }
    // Models or engines came or changed: tries again what could not be started for lack of them.
    void supplies_changed();

    [[nodiscard]] std::string const& name() const { return name_; }
    [[nodiscard]] bool faulty() const { return fault_.has_value(); }  // its file, when it was last read
    [[nodiscard]] bool leaving() const { return leaving_; }
    [[nodiscard]] Wanted wanted() const { return state_.wanted; }
    [[nodiscard]] bool idled() const { return idled_; }  // it is down for no other reason
    [[nodiscard]] std::optional<SlotConfig> const& config() const { return config_; }
    [[nodiscard]] SlotStatus status() const;
    [[nodiscard]] std::vector<std::string> explain() const;  // sentences, the most telling first
    // What it runs, else what it would run. An Error: why it can't be started.
    [[nodiscard]] Result<engines::WorkerSpec> spec() const;
    // Of what runs, and what its file wants now; none where nothing runs. An Error: what its file wants can't
    // be started, or nobody knows what runs.
    [[nodiscard]] Result<std::vector<SettingDiff>> differences() const;

  private:
    enum class Goal { Up, Down };
    struct Waiter {
        Goal goal;
        Done done;
    };

    void on(Event event);
    void handle(Event event);
    void entered(Phase from, Event event);
    void perform(Action action);
    void tell();
    void await(Goal goal, Done done);
    void settle();

    void take(Result<DecodedSlot> const& file);
    void plan();
    bool still_lacking();
    void compare_settings();
    void cannot_launch(Error why);
    void launch();
    Result<bool> adopt();
    void signal_worker(int number);
    void ended(Result<os::ExitStatus> const& status);
    void begin_probing();
    void arm_idle(Duration since);
    void look_whether_idle();
    [[nodiscard]] bool wants_check() const;
    void check();

    // What it says of itself: slot_status.cpp.
    [[nodiscard]] std::chrono::seconds load_patience() const;
    [[nodiscard]] std::chrono::seconds drain_patience() const;
    [[nodiscard]] std::chrono::seconds idle_patience() const;  // 0: for ever
    [[nodiscard]] std::string killer() const;
    [[nodiscard]] std::string words_of(os::ExitStatus const& status) const;
    [[nodiscard]] std::string cause() const;
    [[nodiscard]] std::string cause_of_ready() const;
    [[nodiscard]] Error refusal() const;  // for requests: this slot can't serve them, and why
    [[nodiscard]] std::string file_path() const;

    SlotWorld const& world_;
    std::string const name_;
    RunDir const run_;

    std::optional<SlotConfig> config_{};  // the last that could be read
    std::optional<Error> fault_{};        // why the file can't be read now
    std::vector<std::string> warnings_{};
    std::int64_t created_{0};
    Result<engines::WorkerSpec> plan_;  // what would be run now
    TimePoint planned_at_{};
    std::optional<models::Kind> kind_{};    // the last that was known
    std::optional<Error> restart_fault_{};  // why it goes on with the settings it has

    SlotState state_{};
    std::deque<Event> events_{};
    bool handling_{false};
    bool leaving_{false};
    std::vector<Waiter> waiters_{};

    std::unique_ptr<Worker> worker_{};
    std::optional<engines::WorkerSpec> running_{};
    bool adopted_{false};
    bool restart_pending_{false};
    TimePoint started_at_{};
    Duration stop_patience_{};
    bool idled_{false};                        // unloaded, for nobody asked for it
    std::optional<std::int64_t> oom_kills_{};  // of the kernel, when its worker began
    bool overdue_{false};                      // killed by us, for it wasn't ready in time
    Duration loaded_in_{};
    std::string suspicious_{};  // what is wrong with its worker's output

    Error why_{};  // the last failure
    std::string cause_{};
    WallTime since_{};
    std::int64_t loads_{0};
    std::int64_t restarts_{0};

    os::Timer load_timer_;
    os::Timer drain_timer_;
    os::Timer stop_timer_;
    os::Timer retry_timer_;
    os::Timer idle_timer_;
    Readiness readiness_;
};

}  // namespace hal0::slots
