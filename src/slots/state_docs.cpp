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

Everything that is decided about one slot is one pure function: what is so and what happened give what is so now and what
to do about it (`step` in [src/slots/state.hpp](../src/slots/state.hpp)). It is asked here for every phase and every event.
People see fewer states than there are phases: `hal0 slot list`, `GET /api/slots` and the events on `GET /api/events` have
the state, and in `cause` the reason.

A load that fails is tried again after 1, 2, 4 … 60 s where the slot's file wants it up; after the fifth failure within ten
minutes it stays down until somebody asks. Whoever asks for it is not made to wait out a pause; requests are. A slot on
demand whose load failed is tried again by the next request after the pause.

)";

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
    Name{Event::StopTimeout, "stop timeout", "SIGTERM was ten seconds ago"},
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

// What an outcome may hang on besides phase and event.
struct Condition {
    std::string_view when;
    std::string_view otherwise;
    void (*make)(SlotState&, bool);
};
constexpr TimePoint now{std::chrono::hours{1}};
constexpr std::array conditions{
    Condition{"its file wants it up", "it is on demand",
              [](SlotState& state, bool is) { state.enabled = is; }},
    Condition{"its output is to be looked at", "it isn't",
              [](SlotState& state, bool is) { state.checks = is; }},
    Condition{"it is wanted up again", "it isn't wanted",
              [](SlotState& state, bool is) { state.wanted = is ? Wanted::Up : Wanted::Down; }},
    Condition{"a worker still lives", "none does any more",
              [](SlotState& state, bool is) { state.worker = is; }},
    Condition{"it is the fifth failure", "it isn't",
              [](SlotState& state, bool is) {
                  for (int failures = 0; is && failures < 4; ++failures)
                      state.back_off.failed(now);
                  state.back_off.until = {};
              }},
    Condition{"it pauses", "the pause is over", [](SlotState& state, bool is) {
                  state.back_off.until = is ? now + std::chrono::seconds{1} : TimePoint{};
              }}};

struct Outcome {
    Phase phase{};
    std::vector<Action> actions{};
    bool operator==(Outcome const&) const = default;
};
Outcome outcome_of(SlotState const& state, Event event) {
    auto const next = step(state, event, now);
    return {next.state.phase, {next.actions.begin(), next.actions.end()}};
}

SlotState usual(Phase phase) {
    constexpr std::array without{Phase::Offline, Phase::Waiting, Phase::Failed, Phase::Lacking};
    bool const down = std::ranges::find(without, phase) != without.end();
    bool const unwanted = phase == Phase::Offline || phase == Phase::Draining || phase == Phase::Stopping ||
                          phase == Phase::Killing;
    return {.phase = phase,
            .wanted = unwanted ? Wanted::Down : Wanted::Up,
            .enabled = true,
            .checks = true,
            .worker = !down};
}

struct Row {
    std::string_view event{};
    std::string when{};  // empty: always
    Outcome outcome{};
};

// As things usually are, and beside that where one condition makes a difference.
std::vector<Row> rows_of(Phase phase, Event event) {
    auto const id = named(events, event).id;
    for (auto const& condition : conditions) {
        std::array states{usual(phase), usual(phase)};
        condition.make(states[0], true);
        condition.make(states[1], false);
        auto const yes = outcome_of(states[0], event);
        auto const no = outcome_of(states[1], event);
        if (yes == no) continue;
        return {{id, std::string{condition.when}, yes}, {id, std::string{condition.otherwise}, no}};
    }
    return {{id, {}, outcome_of(usual(phase), event)}};
}

bool changes(Phase phase, Row const& row) {
    return row.outcome.phase != phase || !row.outcome.actions.empty();
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
        for (auto const action : row.outcome.actions)
            done.emplace_back(named(actions, action).id);
        out += format("| {} | {} | {} | {} |\n", row.event, row.when, named(phases, row.outcome.phase).id,
                      join(done, ", "));
    }
    return out + "\n";
}

}  // namespace

std::string render_state_docs() {
    std::string out{head};
    out += picture();
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
