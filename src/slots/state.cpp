#include "slots/state.hpp"

namespace hal0::slots {
namespace {

constexpr Step stay(SlotState const& state) { return {state, {}}; }

constexpr Step to(SlotState state, Phase phase, Actions const& actions) {
    state.phase = phase;
    return {state, actions};
}

constexpr SlotState wanting(SlotState state, Wanted wanted) {
    state.wanted = wanted;
    return state;
}

constexpr Step start(SlotState state) {
    state.worker = true;
    return to(wanting(state, Wanted::Up), Phase::Starting, {Action::Launch});
}

// Somebody asks, not a request: what failed before is forgiven.
constexpr Step start_anew(SlotState state) {
    state.back_off = {};
    return start(state);
}

constexpr Step adopt(SlotState state) {
    state.worker = true;
    return to(wanting(state, Wanted::Up), Phase::Starting, {Action::Probe});
}

constexpr Step stop(SlotState const& state, Wanted then) {
    if (then == Wanted::Up) return to(wanting(state, then), Phase::Stopping, {Action::Terminate});
    return to(wanting(state, then), Phase::Stopping, {Action::TellFailed, Action::Terminate});
}

// An asked-for end is complete: down, or up again if somebody wanted that meanwhile.
constexpr Step ended_as_asked(SlotState state) {
    state.worker = false;
    return state.wanted == Wanted::Up ? start(state) : to(state, Phase::Offline, {});
}

enum class Again { ByItself, WhenAsked };

constexpr Step fail(SlotState state, TimePoint at, Again again) {
    state.worker = false;
    state.back_off.failed(at);
    if (again == Again::ByItself && !state.back_off.given_up)
        return to(state, Phase::Waiting, {Action::TellFailed, Action::ArmRetry});
    return to(state, Phase::Failed, {Action::TellFailed});
}

constexpr Step lose(SlotState state, TimePoint at) {
    state.worker = false;
    state.back_off.failed(at);
    if (state.back_off.given_up) return to(state, Phase::Failed, {Action::TellLost, Action::TellFailed});
    return to(state, Phase::Waiting, {Action::TellLost, Action::ArmRetry});
}

// Nothing was started, so there is nothing to pause for: it is looked at again whenever somebody wants it.
constexpr Step refuse(SlotState state) {
    state.worker = false;
    return to(state, Phase::Lacking, {Action::TellFailed});
}

// Requests may wait for the next try, which will not come now. A later one finds no pause in its way.
constexpr Step give_up(SlotState state) {
    bool const tried = state.phase != Phase::Offline;
    state.back_off = {};
    auto const actions = tried ? Actions{Action::TellFailed} : Actions{};
    return to(wanting(state, Wanted::Down), Phase::Offline, actions);
}

constexpr Step without_worker(SlotState const& state, Event event, TimePoint at) {
    switch (event) {
        case Event::Load:
        case Event::Restart: return start_anew(state);
        case Event::Wake:
            // A timer runs for Waiting, so that is never due here.
            return state.phase == Phase::Waiting || at < state.back_off.until ? stay(state) : start(state);
        case Event::Unload: return give_up(state);
        case Event::Adopted: return adopt(state);
        case Event::CannotLaunch: return refuse(wanting(state, Wanted::Up));
        case Event::RetryDue: return state.phase == Phase::Waiting ? start(state) : stay(state);
        case Event::SpawnFailed:
        case Event::AnswersLoading:
        case Event::AnswersReady:
        case Event::Checked:
        case Event::LoadTimeout:
        case Event::WorkerEnded:
        case Event::Drained:
        case Event::CutOff:
        case Event::StopTimeout: return stay(state);
    }
    return stay(state);
}

constexpr Step answers_ready(SlotState const& state) {
    return state.checks ? to(state, Phase::Checking, {Action::Check})
                        : to(state, Phase::Ready, {Action::OpenGate});
}

constexpr Step coming_up(SlotState const& state, Event event, TimePoint at) {
    bool const checking = state.phase == Phase::Checking;
    switch (event) {
        case Event::Unload: return stop(state, Wanted::Down);
        case Event::Restart: return stop(state, Wanted::Up);
        case Event::Adopted: return adopt(state);
        case Event::CannotLaunch: return refuse(state);
        case Event::SpawnFailed:
        case Event::WorkerEnded: return fail(state, at, state.enabled ? Again::ByItself : Again::WhenAsked);
        case Event::AnswersLoading: return checking ? stay(state) : to(state, Phase::Loading, {});
        case Event::AnswersReady: return checking ? stay(state) : answers_ready(state);
        case Event::Checked: return checking ? to(state, Phase::Ready, {Action::OpenGate}) : stay(state);
        case Event::LoadTimeout:  // its end is a failure like any other
            return checking ? stay(state) : Step{state, {Action::Kill}};
        case Event::Load:
        case Event::Wake:
        case Event::Drained:
        case Event::CutOff:
        case Event::StopTimeout:
        case Event::RetryDue: return stay(state);
    }
    return stay(state);
}

constexpr Step serving(SlotState const& state, Event event, TimePoint at) {
    switch (event) {
        case Event::Unload: return to(wanting(state, Wanted::Down), Phase::Draining, {Action::CloseGate});
        case Event::Restart: return to(state, Phase::Draining, {Action::CloseGate});
        case Event::WorkerEnded: return lose(state, at);
        case Event::Load:
        case Event::Wake:
        case Event::Adopted:
        case Event::CannotLaunch:
        case Event::SpawnFailed:
        case Event::AnswersLoading:
        case Event::AnswersReady:
        case Event::Checked:
        case Event::LoadTimeout:
        case Event::Drained:
        case Event::CutOff:
        case Event::StopTimeout:
        case Event::RetryDue: return stay(state);
    }
    return stay(state);
}

// Nobody is waited for any more.
constexpr Step drained(SlotState const& state) {
    return state.worker ? to(state, Phase::Stopping, {Action::Terminate}) : ended_as_asked(state);
}

constexpr Step going_down(SlotState state, Event event) {
    bool const draining = state.phase == Phase::Draining;
    switch (event) {
        case Event::Load:
        case Event::Restart: state.back_off = {}; [[fallthrough]];
        case Event::Wake: return stay(wanting(state, Wanted::Up));
        // Who waited for it to come back need not any more.
        case Event::Unload: return {wanting(state, Wanted::Down), {Action::TellFailed}};
        case Event::Drained:
        case Event::CutOff: return draining ? drained(state) : stay(state);
        case Event::WorkerEnded:
            if (!draining) return ended_as_asked(state);
            state.worker = false;  // its requests see their connections end, and leave
            return stay(state);
        case Event::StopTimeout:
            return state.phase == Phase::Stopping ? to(state, Phase::Killing, {Action::Kill}) : stay(state);
        case Event::Adopted:
        case Event::CannotLaunch:
        case Event::SpawnFailed:
        case Event::AnswersLoading:
        case Event::AnswersReady:
        case Event::Checked:
        case Event::LoadTimeout:
        case Event::RetryDue: return stay(state);
    }
    return stay(state);
}

constexpr Step decide(SlotState const& state, Event event, TimePoint at) {
    switch (state.phase) {
        case Phase::Offline:
        case Phase::Waiting:
        case Phase::Failed:
        case Phase::Lacking: return without_worker(state, event, at);
        case Phase::Starting:
        case Phase::Loading:
        case Phase::Checking: return coming_up(state, event, at);
        case Phase::Ready: return serving(state, event, at);
        case Phase::Draining:
        case Phase::Stopping:
        case Phase::Killing: return going_down(state, event);
    }
    return stay(state);
}

// What must never change, checked as this file compiles.
constexpr TimePoint t0{std::chrono::hours{1}};
constexpr SlotState in(Phase phase, Wanted wanted = Wanted::Up) {
    bool const down = phase == Phase::Offline || phase == Phase::Failed || phase == Phase::Lacking;
    return {.phase = phase, .wanted = wanted, .worker = !down};
}
static_assert(decide(in(Phase::Offline, Wanted::Down), Event::Wake, t0).actions == Actions{Action::Launch});
static_assert(decide(in(Phase::Waiting), Event::Unload, t0).actions == Actions{Action::TellFailed},
              "nobody is left waiting for a try that was called off");
static_assert(decide(in(Phase::Failed), Event::Unload, t0).actions == Actions{Action::TellFailed});
static_assert(decide(in(Phase::Starting), Event::Load, t0).actions == Actions{}, "one load of one slot");
static_assert(decide(in(Phase::Loading), Event::Wake, t0).actions == Actions{}, "one load of one slot");
static_assert(decide({.phase = Phase::Loading, .checks = true, .worker = true}, Event::AnswersReady, t0)
                      .actions == Actions{Action::Check},
              "no request meets a worker whose output nobody has looked at");
static_assert(decide(in(Phase::Checking), Event::Checked, t0).actions == Actions{Action::OpenGate});
static_assert(decide(in(Phase::Ready), Event::Unload, t0).actions == Actions{Action::CloseGate},
              "nothing is stopped while it serves");
static_assert(decide(in(Phase::Draining), Event::Drained, t0).actions == Actions{Action::Terminate});
static_assert(decide(in(Phase::Draining), Event::CutOff, t0).actions == Actions{Action::Terminate},
              "no request holds a slot for ever");
static_assert(decide(in(Phase::Stopping), Event::StopTimeout, t0).actions == Actions{Action::Kill});
static_assert(decide(in(Phase::Loading), Event::WorkerEnded, t0).state.phase == Phase::Failed,
              "the end of a load is known at once, not after a time-out");
static_assert(decide(in(Phase::Ready), Event::WorkerEnded, t0).state.phase == Phase::Waiting);
static_assert(decide(in(Phase::Stopping), Event::WorkerEnded, t0).actions == Actions{Action::Launch},
              "a restart is a stop and a start");

}  // namespace

State state_of(Phase phase) {
    switch (phase) {
        case Phase::Offline: return State::Offline;
        case Phase::Starting: return State::Starting;
        case Phase::Loading:
        case Phase::Checking: return State::Loading;
        case Phase::Ready: return State::Ready;
        case Phase::Draining:
        case Phase::Stopping:
        case Phase::Killing: return State::Unloading;
        case Phase::Waiting:
        case Phase::Failed:
        case Phase::Lacking: return State::Error;
    }
    return State::Error;
}

Step step(SlotState const& state, Event event, TimePoint at) { return decide(state, event, at); }

}  // namespace hal0::slots
