#include "slots/state_docs.hpp"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>
#include <vector>

#include "base/format.hpp"
#include "base/text.hpp"
#include "slots/state.hpp"

namespace hal0::slots {
namespace {

constexpr std::string_view head = R"(# A slot's life

<!-- Made by `build/dev/bin/hal0-slots-docs` from src/slots/state.cpp: don't edit it here. -->

What an event does to a slot is one pure function: what is so and what happened give what is so now and what to do about
it (`step` in [src/slots/state.hpp](../src/slots/state.hpp)). It is asked here for every phase and every event. People see
fewer states than there are phases: `hal0 slot list`, `GET /api/slots` and the events on `GET /api/events` have the state,
and in `cause` the reason.

When an event comes is decided in [src/slots/slot.cpp](../src/slots/slot.cpp), which has the timers. One of them is for
`idle_unload_s`: while the slot is ready it looks how long no request has come. Was it long enough, and does none come just
then, the event is `unload`; else it looks again when it could be so at the earliest.

)";

std::string on_pauses() {
    return format(R"(A load that fails is tried again after {} where the slot's file wants it up;
after {} it stays down until somebody asks. Whoever asks for it is not made to wait
out a pause; requests are. A slot on demand whose load failed is tried again by the next request after the pause.

)",
                  BackOff::pauses_in_words, BackOff::last_in_words);
}

template <class T> struct Name {
    T value;
    std::string_view id;     // in the picture
    std::string_view words;  // for people
};

constexpr std::array phases{
    Name{Phase::Offline, "Offline", "no worker, and none is wanted"},
    Name{Phase::Starting, "Starting", "a worker lives and hasn't answered yet"},
    Name{Phase::Loading, "Loading", "it answers that it is loading"},
    Name{Phase::Checking, "Checking", "it says that it is ready; its output is looked at"},
    Name{Phase::Ready, "Ready", "it serves"},
    Name{Phase::Draining, "Draining", "closed; the requests in flight are finished first"},
    Name{Phase::Stopping, "Stopping", "asked to end"},
    Name{Phase::Killing, "Killing", "it didn't, so it is made to"},
    Name{Phase::Waiting, "Waiting", "it failed, and is tried again after a pause"},
    Name{Phase::Failed, "Failed", "it failed, and is not tried again by itself"},
    Name{Phase::Lacking, "Lacking", "there is nothing to start: no readable file, model or engine"}};

constexpr std::array events{
    Name{Event::Load, "load", "somebody asks for it, or its file does"},
    Name{Event::Wake, "wake", "a request wants it"},
    Name{Event::Unload, "unload", "somebody asks for its end"},
    Name{Event::Restart, "restart", "somebody asks for a fresh worker, or its settings changed"},
    Name{Event::Adopted, "adopted", "a worker of an earlier daemon was found"},
    Name{Event::CannotLaunch, "cannot launch", "there is nothing to start"},
    Name{Event::SpawnFailed, "spawn failed", "the system refused a new process"},
    Name{Event::AnswersLoading, "answers loading", "the worker's own word"},
    Name{Event::AnswersReady, "answers ready", "the worker's own word"},
    Name{Event::Checked, "checked", "its output was looked at"},
    Name{Event::LoadTimeout, "load timeout", "it was loading for longer than load_timeout_s"},
    Name{Event::WorkerEnded, "worker ended", "by itself, by us, or by anybody"},
    Name{Event::Drained, "drained", "the last request left a closed slot"},
    Name{Event::CutOff, "cut off", "those in flight have had drain_timeout_s, or --force"},
    Name{Event::StopTimeout, "stop timeout",
         "SIGTERM was ten seconds ago; one second where it cuts requests off"},
    Name{Event::RetryDue, "retry due", "the pause is over"}};

constexpr std::array actions{Name{Action::Launch, "launch", "start a worker"},
                             Name{Action::Probe, "probe", "ask whether it is ready"},
                             Name{Action::Check, "check", "look at its output"},
                             Name{Action::CloseGate, "close", "let no request in"},
                             Name{Action::OpenGate, "open", "let requests in"},
                             Name{Action::Terminate, "terminate", "SIGTERM"},
                             Name{Action::Kill, "kill", "SIGKILL"},
                             Name{Action::ArmRetry, "pause", "try again later"},
                             Name{Action::TellLost, "lost", "the worker of an open slot is gone"},
                             Name{Action::TellFailed, "failed", "tell whoever waits"}};

static_assert(phases.size() == static_cast<std::size_t>(Phase::Lacking) + 1);
static_assert(events.size() == static_cast<std::size_t>(Event::RetryDue) + 1);
static_assert(actions.size() == static_cast<std::size_t>(Action::TellFailed) + 1);

template <class Names, class T> auto const& named(Names const& names, T value) {
    return *std::ranges::find_if(names, [value](auto const& name) { return name.value == value; });
}

// What an outcome may hang on besides phase and event, and in which phases it can be either way.
struct Condition {
    std::string_view when;
    std::string_view otherwise;
    bool (*possible)(Phase);
    void (*make)(SlotState&, bool);
};
constexpr TimePoint now{std::chrono::hours{1}};

constexpr bool coming_up(Phase phase) {
    return phase == Phase::Starting || phase == Phase::Loading || phase == Phase::Checking;
}
constexpr bool going_down(Phase phase) {
    return phase == Phase::Draining || phase == Phase::Stopping || phase == Phase::Killing;
}

constexpr std::array conditions{
    Condition{"its file wants it up", "it is on demand", coming_up,
              [](SlotState& state, bool is) { state.enabled = is; }},
    Condition{BackOff::last_in_words, "a failure before",
              [](Phase phase) { return coming_up(phase) || phase == Phase::Ready; },
              [](SlotState& state, bool is) {
                  for (std::size_t failures = 1; is && failures < BackOff::failures_max; ++failures)
                      state.back_off.failed(now);
              }},
    Condition{"its output is to be looked at", "it isn't to be",
              [](Phase phase) { return phase == Phase::Starting || phase == Phase::Loading; },
              [](SlotState& state, bool is) { state.checks = is; }},
    Condition{"its worker lives", "its worker has ended",
              [](Phase phase) { return phase == Phase::Draining; },
              [](SlotState& state, bool is) { state.worker = is; }},
    Condition{"wanted up again", "not wanted", going_down,
              [](SlotState& state, bool is) { state.wanted = is ? Wanted::Up : Wanted::Down; }},
    Condition{"in the pause after a failure", "no pause",
              [](Phase phase) { return phase == Phase::Failed || phase == Phase::Lacking; },
              [](SlotState& state, bool is) {
                  state.back_off.until = is ? now + std::chrono::seconds{1} : TimePoint{};
              }}};

struct Outcome {
    Phase phase{};
    Wanted wanted{};
    std::vector<Action> actions{};
    bool operator==(Outcome const&) const = default;
};

SlotState usual(Phase phase) {
    bool const down = phase == Phase::Offline || phase == Phase::Waiting || phase == Phase::Failed ||
                      phase == Phase::Lacking;
    return {.phase = phase,
            .wanted = phase == Phase::Offline || going_down(phase) ? Wanted::Down : Wanted::Up,
            .enabled = true,
            .checks = true,
            .worker = !down};
}

// With the conditions as the bits of `how` say.
SlotState state_of_bits(Phase phase, unsigned how) {
    auto state = usual(phase);
    for (std::size_t i = 0; i < conditions.size(); ++i) {
        if (conditions.at(i).possible(phase)) conditions.at(i).make(state, ((how >> i) & 1U) != 0);
    }
    return state;
}

Outcome outcome_of(Phase phase, Event event, unsigned how) {
    auto const next = step(state_of_bits(phase, how), event, now);
    return {next.state.phase, next.state.wanted, {next.actions.begin(), next.actions.end()}};
}

constexpr unsigned every_way = 1U << conditions.size();

// Whether this condition makes a difference, whatever the others are.
bool matters(Phase phase, Event event, std::size_t condition) {
    if (!conditions.at(condition).possible(phase)) return false;
    for (unsigned how = 0; how < every_way; ++how) {
        auto const other = how ^ (1U << condition);
        auto const one = outcome_of(phase, event, how);
        auto two = outcome_of(phase, event, other);
        // That it stays as wanted as it was is no difference.
        bool const both_stay = one.wanted == state_of_bits(phase, how).wanted &&
                               two.wanted == state_of_bits(phase, other).wanted;
        if (both_stay) two.wanted = one.wanted;
        if (!(one == two)) return true;
    }
    return false;
}

struct Row {
    std::string_view event{};
    std::string when{};  // empty: always
    Wanted wanted_before{};
    Outcome outcome{};
};

// One for each way that the conditions which matter can be.
std::vector<Row> rows_of(Phase phase, Event event) {
    unsigned mask = 0;
    for (std::size_t i = 0; i < conditions.size(); ++i) {
        if (matters(phase, event, i)) mask |= 1U << i;
    }
    std::vector<Row> rows;
    for (unsigned how = every_way; how-- > 0;) {
        if ((how & ~mask) != 0) continue;
        std::vector<std::string> when;
        for (std::size_t i = 0; i < conditions.size(); ++i) {
            bool const is = ((how >> i) & 1U) != 0;
            if (((mask >> i) & 1U) != 0)
                when.emplace_back(is ? conditions.at(i).when : conditions.at(i).otherwise);
        }
        rows.push_back({named(events, event).id, join(when, "; "), state_of_bits(phase, how).wanted,
                        outcome_of(phase, event, how)});
    }
    return rows;
}

bool changes(Phase phase, Row const& row) {
    return row.outcome.phase != phase || !row.outcome.actions.empty() ||
           row.outcome.wanted != row.wanted_before;
}

std::vector<Row> changing_rows(Phase phase) {
    std::vector<Row> found;
    for (auto const& event : events) {
        for (auto& row : rows_of(phase, event.value)) {
            if (changes(phase, row)) found.push_back(std::move(row));
        }
    }
    return found;
}

std::string picture() {
    std::string out = "```mermaid\nstateDiagram-v2\n    [*] --> Offline\n";
    for (auto const& from : phases) {
        for (auto const& to : phases) {
            std::vector<std::string> by;
            for (auto const& row : changing_rows(from.value)) {
                bool const known = std::ranges::find(by, row.event) != by.end();
                if (row.outcome.phase == to.value && from.value != to.value && !known)
                    by.emplace_back(row.event);
            }
            if (!by.empty()) out += format("    {} --> {}: {}\n", from.id, to.id, join(by, ", "));
        }
    }
    return out + "```\n\n";
}

template <class Names> std::string legend(std::string_view heading, Names const& names) {
    auto out = format("| {} | what it means |\n|---|---|\n", heading);
    for (auto const& name : names)
        out += format("| {} | {} |\n", name.id, name.words);
    return out + "\n";
}

std::string table_of(Name<Phase> const& phase) {
    auto out = format("### {}\n\nShown as `{}`: {}.\n\n| event | where | then | done |\n|---|---|---|---|\n",
                      phase.id, to_string(state_of(phase.value)), phase.words);
    for (auto const& row : changing_rows(phase.value)) {
        std::vector<std::string> done;
        done.reserve(row.outcome.actions.size() + 1);
        for (auto const action : row.outcome.actions)
            done.emplace_back(named(actions, action).id);
        if (row.outcome.wanted != row.wanted_before)
            done.emplace_back(row.outcome.wanted == Wanted::Up ? "wanted up" : "wanted down");
        out += format("| {} | {} | {} | {} |\n", row.event, row.when, named(phases, row.outcome.phase).id,
                      join(done, ", "));
    }
    return out + "\n";
}

}  // namespace

std::string render_state_docs() {
    std::string out{head};
    out += on_pauses() + picture();
    out += "## Events and actions\n\n" + legend("event", events) + legend("action", actions);
    out +=
        "## What each event does in each phase\n\nEvents that a phase's table doesn't have change nothing "
        "there.\n\n";
    for (auto const& phase : phases)
        out += table_of(phase);
    while (out.ends_with("\n\n"))
        out.pop_back();
    return out;
}

}  // namespace hal0::slots
