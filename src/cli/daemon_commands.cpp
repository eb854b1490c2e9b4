#include "cli/daemon_commands.hpp"

#include <algorithm>
#include <chrono>
#include <csignal>
#include <optional>
#include <utility>

#include "base/format.hpp"
#include "base/text.hpp"
#include "cli/follow.hpp"
#include "cli/output.hpp"
#include "cli/text.hpp"
#include "cli/views.hpp"
#include "http/sse.hpp"
#include "os/child.hpp"
#include "os/file.hpp"

namespace hal0::cli {
namespace {

using std::chrono::seconds;

constexpr Duration ask_again_interval = std::chrono::milliseconds{100};
constexpr Duration stop_timeout = seconds{30};

// A daemon that is being started has nothing yet that could tell when it answers: it is asked again and
// again.
Result<bool> answers_within(Api const& api, Duration longest) {
    HAL0_TRY(loop, os::Loop::make());
    bool answers = false;
    auto const deadline = loop->now() + longest;
    os::Timer timer{*loop, [&] {
                        answers = api.probe().ok();
                        if (answers || Clock::now() >= deadline) return loop->stop();
                        timer.start(ask_again_interval);
                    }};
    timer.start(Duration::zero());
    loop->run();
    return answers;
}

Result<wire::StatusView> status_of(Api const& api) {
    HAL0_TRY(body, api.get("/api/status"));
    return wire::decode<wire::StatusView>(body);
}

Result<int> say_address(Context& context, Api const& api, wire::StatusView const& status) {
    auto const found = std::find_if(status.listen.begin(), status.listen.end(),
                                    [](std::string const& address) { return !address.starts_with("unix:"); });
    if (found != status.listen.end()) return say(context, *found);
    return Error{Errc::NotFound,
                 format("hal0 listens at no IP address, only at {}; 'listen' in hal0.toml says "
                        "where it does",
                        os::to_string(api.daemon().address))};
}

// What the daemon still has to do before it ends.
Result<Look> look_at_end(std::string const& body) {
    HAL0_TRY(status, wire::decode<wire::StatusView>(body));
    std::vector<std::string> left;
    for (auto const& slot : status.slots) {
        if (!slot.pid) continue;
        auto const requests = plural(static_cast<std::size_t>(slot.in_flight), "request");
        left.push_back(slot.in_flight > 0 ? format("{} still answers {}", slot.name, requests)
                                          : format("{} is {}", slot.name, slot.state));
    }
    return Look{.progress = {.step = left.empty() ? "stopping" : format("stopping: {}", join(left, ", "))}};
}

enum class Ask { Nothing, Terminate };

// Waits until the process has ended.
Result<void> await_end(int pid, Ask ask) {
    HAL0_TRY(loop, os::Loop::make());
    bool ended = false;
    auto process = os::Process::adopt(*loop, pid, [&](os::ExitStatus const&) {
        ended = true;
        loop->stop();
    });
    if (!process) return process.error().kind == Errc::NotFound ? Result<void>{} : process.error();
    if (ask == Ask::Terminate) HAL0_CHECK((*process)->signal(SIGTERM));
    os::Timer timer{*loop, [&] { loop->stop(); }};
    timer.start(stop_timeout);
    loop->run();
    if (ended) return {};
    return Error{Errc::Timeout, format("hal0 (pid {}) was asked to stop and is still there after {} s", pid,
                                       std::chrono::duration_cast<seconds>(stop_timeout).count())};
}

// The daemon takes its slots down and ends. One that ends by itself meanwhile may leave workers, as one that
// was killed does. Gives how many there were.
Result<std::size_t> end_with_workers(Context& context, Api const& api, wire::StatusView const& status) {
    auto const ended = follow(context, api,
                              {.subject = "stopping hal0",
                               .look_at = "/api/status",
                               .read = look_at_end,
                               .call = api.request(http::Method::Post, "/api/stop")});
    if (!ended && ended.error().kind != Errc::Unavailable) return ended.error();
    HAL0_CHECK(await_end(static_cast<int>(status.pid), Ask::Nothing));
    HAL0_TRY(left, context.program.offline.end_workers());
    auto const seen = std::count_if(status.slots.begin(), status.slots.end(),
                                    [](wire::SlotView const& slot) { return slot.pid.has_value(); });
    return std::max(left, static_cast<std::size_t>(seen));
}

}  // namespace

Result<int> status(Arguments const& arguments, Context& context) {
    HAL0_TRY(api, context.api());
    bool const quiet = arguments.has("quiet");
    if (auto const wait = arguments.number("wait")) {
        HAL0_TRY(answers, answers_within(api, seconds{*wait}));
        if (!answers && quiet) return exit_failed;
    }
    auto const status = status_of(api);
    if (quiet) return status ? exit_ok : exit_failed;
    if (!status) return status.error();
    if (arguments.has("json")) return say(context, wire::encode(*status));
    if (arguments.has("address")) return say_address(context, api, *status);
    context.terminal.out(overview(context.terminal, *status, context.now()));
    return exit_ok;
}

Result<int> events(Arguments const& arguments, Context& context) {
    HAL0_TRY(api, context.api());
    auto request =
        api.request(http::Method::Get, arguments.has("follow") ? "/api/events" : "/api/events?follow=false");
    if (auto const after = arguments.maybe("after")) request.headers.push_back({"Last-Event-ID", *after});
    auto show = [&](http::SseEvent const& event) {
        auto const view = wire::decode<wire::EventView>(event.data);
        if (arguments.has("json") || !view) {
            say(context, event.data);
        } else {
            context.terminal.out(event_line(context.terminal, *view));
        }
    };
    http::SseReader reader;
    HAL0_CHECK(show_stream(context, api, std::move(request),
                           [&](std::string_view bytes) { reader.feed(bytes, show); }));
    return exit_ok;
}

Result<int> stop(Arguments const& arguments, Context& context) {
    HAL0_TRY(api, context.api());
    if (api.daemon().where == Daemon::Where::Named)
        return Error{Errc::Unsupported, "'hal0 stop' is for the hal0 of this machine; unset HAL0_URL"};
    HAL0_TRY(runs, context.runs(api));
    if (!runs) {
        if (arguments.has("keep-workers")) return say(context, "hal0 isn't running");
        HAL0_TRY(left, context.program.offline.end_workers());
        return say(context, left == 0 ? "hal0 isn't running"
                                      : format("hal0 isn't running; {} of an earlier one {} stopped",
                                               plural(left, "worker"), left == 1 ? "is" : "are"));
    }
    HAL0_TRY(status, status_of(api));
    if (arguments.has("keep-workers")) {
        HAL0_CHECK(await_end(static_cast<int>(status.pid), Ask::Terminate));
        return say(context, "hal0 is stopped");
    }
    HAL0_TRY(workers, end_with_workers(context, api, status));
    return say(context, workers == 0 ? "hal0 is stopped"
                                     : format("hal0 is stopped, and {} with it", plural(workers, "worker")));
}

Result<int> places(Arguments const& arguments, Context& context) {
    HAL0_TRY(found, context.places());
    auto const log = os::join_path(found.state, "hal0.log");
    if (arguments.has("log")) return say(context, log);
    wire::PlacesView const view{found.config, found.data, found.state, found.runtime, found.cache};
    if (arguments.has("json")) return say(context, wire::encode(view));
    for (auto const& [name, path] :
         {std::pair{"config", view.config}, std::pair{"data", view.data}, std::pair{"state", view.state},
          std::pair{"runtime", view.runtime}, std::pair{"cache", view.cache}, std::pair{"log", log}})
        say(context,
            format("{}  {}", painted(context.terminal, Stream::Out, padded(name, 7), Style::Dim), path));
    return exit_ok;
}

}  // namespace hal0::cli
