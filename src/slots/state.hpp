#pragma once
// A slot's life as a pure function: what is so, and what happened, give what is so now and what to do about
// it. Nothing here waits, spawns or tells; slots/slot.cpp performs the actions.
#include <array>
#include <cstddef>
#include <initializer_list>
#include <string_view>

#include "base/units.hpp"
#include "slots/status.hpp"

namespace hal0::slots {

enum class Phase {
    Offline,   // no worker, none wanted
    Starting,  // a worker lives and hasn't answered yet
    Loading,   // it answers that it is loading
    Checking,  // it says that it is ready: is its output sane?
    Ready,     // it serves
    Draining,  // closed; the requests in flight are finished first
    Stopping,  // asked to end
    Killing,   // it didn't, so it is made to
    Waiting,   // it failed and is tried again after a pause
    Failed,    // it failed and is not tried again by itself
    Lacking,   // there is nothing to start: no readable file, model or engine
};
State state_of(Phase phase);

enum class Event {
    Load,            // somebody asks for it, or its file does as the daemon starts
    Wake,            // a request wants it
    Unload,          // somebody asks for its end
    Restart,         // somebody asks for a fresh worker, or the settings changed
    Adopted,         // a worker of an earlier daemon was found alive
    CannotLaunch,    // there is nothing to start
    SpawnFailed,     // the system refused a new process
    AnswersLoading,  // the worker's own word
    AnswersReady,
    Checked,      // what is to be known of its output is known
    LoadTimeout,  // it was loading for longer than anybody's patience
    WorkerEnded,
    Drained,  // the last request left a closed slot
    CutOff,   // those that are left have had their time, or somebody doesn't grant it to them
    StopTimeout,
    RetryDue,
};

enum class Action {
    Launch,     // start a worker, or adopt the one that is there
    Probe,      // ask the worker until it says that it is ready
    Check,      // look at what it puts out; Checked follows, whatever that is like
    CloseGate,  // let no request in; Drained follows
    OpenGate,
    Terminate,  // ask the worker to end; StopTimeout follows unless it does
    Kill,
    ArmRetry,    // RetryDue follows at back_off.until
    TellLost,    // the worker of an open slot is gone
    TellFailed,  // whoever waits need not wait any more
};

// How long failures are waited out: 1, 2, 4 … 60 s; after the fifth within ten minutes nobody tries by
// itself any more, and requests may try once a minute. Ten quiet minutes forgive everything.
struct BackOff {
    static constexpr std::size_t failures_max = 5;
    static constexpr Duration window = std::chrono::minutes{10};
    static constexpr Duration pause_max = std::chrono::seconds{60};
    // For people.
    static constexpr std::string_view pauses_in_words{"1, 2, 4 … 60 s"};
    static constexpr std::string_view last_in_words{"the fifth failure within ten minutes"};
    static_assert(failures_max == 5 && window == std::chrono::minutes{10} &&
                      pause_max == std::chrono::seconds{60},
                  "the words say so");

    std::size_t failures{0};  // without ten quiet minutes between two of them
    bool given_up{false};
    TimePoint until{};  // no try by itself or for a request before it

    constexpr void failed(TimePoint at) {
        if (failures > 0 && at - last() > window) *this = {};
        times_.at(failures % failures_max) = at;
        ++failures;
        given_up = failures >= failures_max && at - times_.at(failures % failures_max) <= window;
        until = at + (given_up ? pause_max : pause());
    }
    bool operator==(BackOff const&) const = default;

  private:
    [[nodiscard]] constexpr TimePoint last() const { return times_.at((failures - 1) % failures_max); }
    [[nodiscard]] constexpr Duration pause() const {
        constexpr std::size_t doublings_max = 6;  // 2^6 s are more than a minute
        if (failures > doublings_max) return pause_max;
        return std::chrono::seconds{1 << (failures - 1)};
    }
    std::array<TimePoint, failures_max> times_{};  // of the last ones, a ring
};

struct SlotState {
    Phase phase{Phase::Offline};
    Wanted wanted{Wanted::Down};
    bool enabled{false};  // its file wants it up: a failed load is tried again
    bool checks{false};   // its worker's output is looked at before it serves
    bool worker{false};   // a worker lives (draining goes on without one: requests still have to leave)
    BackOff back_off{};
    bool operator==(SlotState const&) const = default;
};

// At most three, performed in their order.
class Actions {
  public:
    constexpr Actions(std::initializer_list<Action> actions) {
        for (auto const action : actions)
            actions_.at(count_++) = action;
    }
    [[nodiscard]] constexpr Action const* begin() const { return actions_.data(); }
    [[nodiscard]] constexpr Action const* end() const { return actions_.data() + count_; }
    bool operator==(Actions const&) const = default;

  private:
    std::array<Action, 3> actions_{};
    std::size_t count_{0};
};

struct Step {
    SlotState state{};
    Actions actions{};
    bool operator==(Step const&) const = default;
};

Step step(SlotState const& state, Event event, TimePoint at);

}  // namespace hal0::slots
