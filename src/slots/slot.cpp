#include "slots/slot.hpp"

#include <algorithm>
#include <csignal>
#include <utility>

#include "base/format.hpp"
#include "os/file.hpp"
#include "os/process_info.hpp"
#include "slots/sanity.hpp"

namespace hal0::slots {
namespace {

constexpr char const* on_demand = "it loads on demand: with the first request for it, or when asked to";
constexpr Duration look_again_after = std::chrono::seconds{1};

}  // namespace

Slot::Slot(SlotWorld const& world, std::string name, Result<DecodedSlot> const& file)
    : world_{world},
      name_{std::move(name)},
      run_{run_dir(world.places, name_)},
      plan_{Error{}},
      cause_{on_demand},
      since_{std::chrono::system_clock::now()},
      load_timer_{world.loop,
                  [this] {
                      overdue_ = true;
                      on(Event::LoadTimeout);
                  }},
      drain_timer_{world.loop, [this] { on(Event::CutOff); }},
      stop_timer_{world.loop, [this] { on(Event::StopTimeout); }},
      retry_timer_{world.loop, [this] { on(Event::RetryDue); }},
      idle_timer_{world.loop, [this] { look_whether_idle(); }},
      readiness_{world.loop, run_.socket, [this](Readiness::Said said) {
                     on(said == Readiness::Said::Ready ? Event::AnswersReady : Event::AnswersLoading);
                 }} {
    take(file);
}

Slot::~Slot() = default;

// ---- what is asked of it

void Slot::begin() {
    auto const adopted = adopt();
    if (adopted && *adopted) {
        on(Event::Adopted);
        if (!running_) on(Event::Restart);
        return;
    }
    if (!adopted) return cannot_launch(adopted.error());
    if (fault_) return cannot_launch(*fault_);
    if (state_.enabled) return on(Event::Load);
    tell();
}

void Slot::reconfigure(Result<DecodedSlot> const& file) {
    auto const before = config_;
    auto const fault_before = fault_;
    bool const was_enabled = state_.enabled;
    take(file);
    bool const same = fault_before == fault_ && before == config_;
    auto const state = state_of(state_.phase);
    if (same || state == State::Unloading) return tell();  // a next worker gets what stands there then
    if (state_.worker) return compare_settings();
    if (fault_) return cannot_launch(*fault_);
    bool const failed = state == State::Error;
    if (state_.enabled && (failed || !was_enabled)) return on(Event::Load);
    if (failed) {  // mended, perhaps: the next request shows
        on(Event::Unload);
        cause_ = on_demand;
    }
    tell();
}

void Slot::load(Done done) {
    on(Event::Load);
    await(Goal::Up, std::move(done));
}

void Slot::unload(Done done, InFlight requests) {
    on(Event::Unload);
    if (requests == InFlight::CutOff) on(Event::CutOff);
    await(Goal::Down, std::move(done));
}

void Slot::restart(Done done, InFlight requests) {
    if (worker_) {
        plan();
        compare_settings();
        // What serves isn't taken down for settings that can't be started.
        if (!plan_.ok()) {
            if (done) done(plan_.error());
            return;
        }
    }
    on(Event::Restart);
    if (requests == InFlight::CutOff) on(Event::CutOff);
    await(Goal::Up, std::move(done));
}

void Slot::leave(Done done, InFlight requests) {
    leaving_ = true;
    unload(std::move(done), requests);
}

void Slot::cut_off() { on(Event::CutOff); }

Result<void> Slot::wake() {
    if (leaving_) return Error{Errc::NotFound, format("slot '{}' is being removed", name_)};
    if (still_lacking()) return refusal();
    on(Event::Wake);
    // A worker that just died is tried again in a moment: its clients rather wait than hear of it.
    bool const soon =
        state_.phase == Phase::Waiting && state_.back_off.until - world_.loop.now() <= wake_patience;
    if (state_of(state_.phase) == State::Error && !soon) return refusal();
    return {};
}

void Slot::supplies_changed() {
    plan();
    if (fault_ || !plan_.ok()) return tell();
    bool const going_down = state_of(state_.phase) == State::Unloading;  // its owner's word stands
    if (state_.worker && restart_fault_ && !going_down) return compare_settings();
    if (state_.phase == Phase::Lacking && state_.enabled) return on(Event::Load);
    tell();
}

// ---- events and actions

void Slot::on(Event event) {
    events_.push_back(event);
    if (handling_) return;  // it comes from what is done about another: that comes to its end first
    handling_ = true;
    while (!events_.empty()) {
        auto const next = events_.front();
        events_.pop_front();
        handle(next);
    }
    handling_ = false;
    settle();
}

void Slot::handle(Event event) {
    auto const before = state_;
    auto const next = step(state_, event, world_.loop.now());
    state_ = next.state;
    bool const news = state_.phase != before.phase || event == Event::CannotLaunch;
    if (news) entered(before.phase, event);
    if (news || !(state_ == before)) tell();
    for (auto const action : next.actions)
        perform(action);
}

void Slot::entered(Phase from, Event event) {
    if (state_.phase == Phase::Stopping && from != state_.phase)
        stop_patience_ = event == Event::CutOff ? world_.patience.cut_off : world_.patience.stop;
    if (state_of(from) != state_of(state_.phase)) since_ = std::chrono::system_clock::now();
    if (event == Event::AnswersReady) loaded_in_ = world_.loop.now() - started_at_;
    if (state_.phase == Phase::Starting) idled_ = false;
    cause_ = cause();
    arm_idle({});
    if (event == Event::RetryDue) ++restarts_;
    if (state_.phase == Phase::Ready && !adopted_) ++loads_;
    bool const loading = state_.phase == Phase::Starting || state_.phase == Phase::Loading;
    if (!loading) load_timer_.stop();
    if (!loading && state_.phase != Phase::Checking) readiness_.stop();
    if (state_.phase != Phase::Draining) drain_timer_.stop();
    if (state_.phase != Phase::Waiting) retry_timer_.stop();
    if (state_.phase != Phase::Stopping) stop_timer_.stop();
}

void Slot::perform(Action action) {
    switch (action) {
        case Action::Launch: return launch();
        case Action::Probe: return begin_probing();
        case Action::Check: return check();
        case Action::CloseGate: drain_timer_.start(drain_patience()); return world_.host.slot_closing(name_);
        case Action::OpenGate:
            return world_.host.slot_ready(name_, os::UnixAddress{run_.socket},
                                          os::read_file(run_.key, 1_KiB).value_or(""));
        case Action::Terminate: signal_worker(SIGTERM); return stop_timer_.start(stop_patience_);
        case Action::Kill: return signal_worker(SIGKILL);
        case Action::ArmRetry: return retry_timer_.start(state_.back_off.until - world_.loop.now());
        case Action::TellLost: return world_.host.slot_lost(name_);
        case Action::TellFailed: return world_.host.slot_failed(name_, refusal());
    }
}

void Slot::tell() { world_.host.slot_changed(status()); }

void Slot::await(Goal goal, Done done) {
    waiters_.push_back({goal, std::move(done)});
    if (!handling_) settle();
}

void Slot::settle() {
    auto const state = state_of(state_.phase);
    std::vector<std::pair<Done, Result<SlotStatus>>> over;
    auto is_over = [&](Waiter& waiter) {
        if (waiter.goal == Goal::Down) {
            if (state == State::Unloading) return false;
            over.emplace_back(std::move(waiter.done), status());
        } else if (state == State::Ready) {
            over.emplace_back(std::move(waiter.done), status());
        } else if (state == State::Error) {
            over.emplace_back(std::move(waiter.done),
                              Error{why_.kind, format("slot '{}' did not come up: {}", name_, cause_)});
        } else if (state_.wanted == Wanted::Down) {
            over.emplace_back(std::move(waiter.done),
                              Error{Errc::Conflict, format("slot '{}' was unloaded meanwhile", name_)});
        } else {
            return false;
        }
        return true;
    };
    std::erase_if(waiters_, is_over);
    for (auto& [done, result] : over)
        if (done) done(std::move(result));
}

// ---- its worker

void Slot::take(Result<DecodedSlot> const& file) {
    fault_.reset();
    warnings_.clear();
    if (file) {
        config_ = file->config;
        warnings_ = file->warnings;
        state_.enabled = config_->enabled;
        if (!config_->check_output && !std::exchange(suspicious_, {}).empty()) cause_ = cause();
    } else {
        fault_ = file.error();
    }
    auto const status = os::status(file_path());
    if (status) created_ = status->modified_ns / 1'000'000'000;
    arm_idle(world_.host.slot_idle_for(name_).value_or(Duration::zero()));
    plan();
}

void Slot::plan() {
    planned_at_ = world_.loop.now();
    if (fault_) {
        plan_ = *fault_;
    } else if (config_) {
        plan_ = plan_worker(*config_, world_.supplies, run_);
        if (auto const kind = kind_of(*config_, world_.supplies.models)) kind_ = kind;
    }
}

// For requests: what is lacking is looked for once a second, however many there are, and told when it is
// something else.
bool Slot::still_lacking() {
    if (state_.phase != Phase::Lacking) return false;
    if (world_.loop.now() - planned_at_ < look_again_after) return true;
    plan();
    if (plan_.ok()) return false;
    if (!(plan_.error() == why_)) cannot_launch(plan_.error());
    return true;
}

// With a living worker: whether it does what its file wants now.
void Slot::compare_settings() {
    restart_fault_.reset();
    if (!plan_.ok()) restart_fault_ = plan_.error();
    restart_pending_ = !(plan_.ok() && running_ && same_settings(*plan_, *running_));
    if (restart_pending_ && !restart_fault_) return on(Event::Restart);
    tell();
}

void Slot::cannot_launch(Error why) {
    why_ = std::move(why);
    on(Event::CannotLaunch);
}

// What an action finds out is about the past: it is handled before what came meanwhile.
void Slot::launch() {
    auto const adopted = adopt();
    if (adopted && *adopted) {
        if (!running_) events_.push_front(Event::Restart);
        return events_.push_front(Event::Adopted);
    }
    plan();
    if (!adopted || !plan_.ok()) {
        why_ = adopted ? plan_.error() : adopted.error();
        return events_.push_front(Event::CannotLaunch);
    }
    (void)os::remove_file(run_.found);  // of the worker before
    auto worker = world_.launcher.launch(name_, *plan_,
                                         [this](Result<os::ExitStatus> const& status) { ended(status); });
    if (!worker) {
        why_ = std::move(worker).error();
        return events_.push_front(Event::SpawnFailed);
    }
    worker_ = std::move(worker).value();
    running_ = *plan_;
    oom_kills_ = os::oom_kills();
    adopted_ = false;
    state_.checks = wants_check();
    restart_pending_ = false;
    restart_fault_.reset();
    begin_probing();
}

// True when a worker lives; `running_` is empty where nothing tells any more what it is.
Result<bool> Slot::adopt() {
    HAL0_TRY(found,
             world_.launcher.adopt(name_, [this](Result<os::ExitStatus> const& status) { ended(status); }));
    if (!found) return false;
    worker_ = std::move(found->worker);
    running_ = std::move(found->spec);
    oom_kills_ = os::oom_kills();
    adopted_ = true;
    state_.checks = wants_check();
    auto const known = os::read_file(run_.found, 4_KiB);  // an earlier daemon has looked
    if (state_.checks && known) suspicious_ = *known, state_.checks = false;
    restart_pending_ = running_ && !(plan_.ok() && same_settings(*plan_, *running_));
    if (!plan_.ok()) restart_fault_ = plan_.error();
    return true;
}

// Where it fails, the worker has just ended, which is told by itself.
void Slot::signal_worker(int number) {
    if (worker_) (void)worker_->signal(number);
}

void Slot::ended(Result<os::ExitStatus> const& status) {
    signal_worker(SIGKILL);  // what it leaves behind in its group
    why_ = status ? Error{Errc::Unavailable, words_of(*status)} : status.error();
    suspicious_.clear();
    overdue_ = false;
    worker_.reset();
    running_.reset();
    (void)world_.launcher.forget(name_);  // fails where another has its lock already, which is found then
    on(Event::WorkerEnded);
}

std::chrono::seconds Slot::load_patience() const {
    return std::chrono::seconds{config_.value_or(SlotConfig{}).load_timeout_s};
}

std::chrono::seconds Slot::drain_patience() const {
    return std::chrono::seconds{config_.value_or(SlotConfig{}).drain_timeout_s};
}

std::chrono::seconds Slot::idle_patience() const {
    return std::chrono::seconds{config_.value_or(SlotConfig{}).idle_unload_s};
}

// ---- is it ready, and is it wanted?

// `since`: how long it has had no request already.
void Slot::arm_idle(Duration since) {
    bool const watched = state_.phase == Phase::Ready && idle_patience().count() > 0;
    if (!watched) return idle_timer_.stop();
    idle_timer_.start(std::max(idle_patience() - since, Duration::zero()));
}

// Looked at when it could be so at the earliest: a slot that is asked all the time costs a look now and then.
void Slot::look_whether_idle() {
    auto const idle = world_.host.slot_idle_for(name_).value_or(Duration::zero());
    if (idle < idle_patience()) return arm_idle(idle);
    if (!world_.host.slot_close_if_idle(name_)) return arm_idle({});  // a request came just then
    idled_ = true;
    on(Event::Unload);
}

void Slot::begin_probing() {
    started_at_ = world_.loop.now();
    load_timer_.start(load_patience());
    readiness_.ask();
}

bool Slot::wants_check() const {
    bool const wanted = !config_ || config_->check_output;
    return wanted && running_ && sanity_question(running_->kind) && world_.patience.check > Duration{};
}

void Slot::check() {
    if (!running_) return on(Event::Checked);
    readiness_.check(running_->kind, os::read_file(run_.key, 1_KiB).value_or(""), world_.patience.check,
                     [this](Readiness::Finding finding) {
                         suspicious_ = std::move(finding.fault);
                         // Else the next daemon asks again.
                         if (finding.lasting) (void)os::atomic_write(run_.found, suspicious_);
                         on(Event::Checked);
                     });
}

}  // namespace hal0::slots
