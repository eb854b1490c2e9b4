#include "cli/history_command.hpp"

#include <algorithm>
#include <array>
#include <vector>

#include "base/format.hpp"
#include "base/text.hpp"
#include "base/time.hpp"
#include "cli/output.hpp"
#include "cli/text.hpp"
#include "cli/views.hpp"
#include "wire/history_views.hpp"

namespace hal0::cli {
namespace {

constexpr std::int64_t lines_usual = 20;

std::string seconds_text(double seconds) {
    if (seconds < 1) return format("{:.0f} ms", seconds * 1000);
    return seconds < 100 ? format("{:.3g} s", seconds) : lasting(static_cast<std::int64_t>(seconds));
}

std::string count_text(std::optional<std::int64_t> count) { return count ? std::to_string(*count) : "-"; }
std::string rate_text(std::optional<double> rate) { return rate ? format("{:.3g}", *rate) : "-"; }

// "1200 (900 cached)"
std::string prompt_text(wire::RequestView const& request) {
    auto text = count_text(request.prompt_tokens);
    auto const cached = request.cached_tokens.value_or(0);
    if (cached > 0) text += format(" ({} cached)", cached);
    return text;
}

Style style_of_outcome(std::string_view outcome) {
    if (outcome == "ok" || outcome == "ready") return Style::Good;
    return outcome == "client_gone" || outcome == "client_error" ? Style::Warn : Style::Bad;
}

// The newest last, as a log has it.
std::string text_of(Terminal const& terminal, std::vector<wire::RequestView> const& requests, WallTime now) {
    Table table{{{"WHEN"},
                 {"SLOT"},
                 {"OUTCOME"},
                 {"PATH", Align::Left, Cut::First},
                 {"WAITED", Align::Right},
                 {"FIRST BYTE", Align::Right},
                 {"TOTAL", Align::Right},
                 {"PROMPT", Align::Right},
                 {"ANSWER", Align::Right},
                 {"PROMPT/S", Align::Right},
                 {"ANSWER/S", Align::Right}}};
    for (auto const& request : requests) {
        auto const then = from_rfc3339(request.time);
        table.row({{then ? ago(*then, now) : request.time},
                   {request.slot, Style::Bold},
                   {request.outcome, style_of_outcome(request.outcome)},
                   {request.path},
                   {request.waited_s >= 0.0005 ? seconds_text(request.waited_s) : "-"},
                   {request.first_byte_s ? seconds_text(*request.first_byte_s) : "-"},
                   {seconds_text(request.total_s)},
                   {prompt_text(request)},
                   {count_text(request.generated_tokens)},
                   {rate_text(request.prompt_tokens_per_s)},
                   {rate_text(request.generated_tokens_per_s)}});
    }
    return table.render(terminal);
}

std::string text_of(Terminal const& terminal, std::vector<wire::LoadView> const& loads, WallTime now) {
    Table table{{{"WHEN"},
                 {"SLOT"},
                 {"OUTCOME"},
                 {"TOOK", Align::Right},
                 {"MEMORY", Align::Right},
                 {"MODEL", Align::Left, Cut::First},
                 {"ENGINE"},
                 {"WHY"}}};
    for (auto const& load : loads) {
        auto const then = from_rfc3339(load.time);
        table.row({{then ? ago(*then, now) : load.time},
                   {load.slot, Style::Bold},
                   {load.outcome, style_of_outcome(load.outcome)},
                   {seconds_text(load.seconds)},
                   {load.memory ? human(Bytes{*load.memory}) : "-"},
                   {load.model},
                   {format("{} {} ({})", load.provider, load.version, load.backend)},
                   {load.why}});
    }
    return table.render(terminal);
}

std::string text_of(Terminal const& terminal, std::vector<wire::EventView> const& events, WallTime) {
    std::string out;
    for (auto const& event : events)
        out += event_line(terminal, event);
    return out;
}

// One page is enough for what people read; programs ask the API for more.
struct Kind {
    std::string_view name;
    std::string_view path;
    std::string_view of_slot;  // the query's name for it
    Result<std::string> (*text)(Context& context, std::string const& body);
};

template <class View> Result<std::string> shown(Context& context, std::string const& body) {
    HAL0_TRY(views, wire::decode<std::vector<View>>(body));
    if (views.empty()) return std::string{"nothing yet\n"};
    std::ranges::reverse(views);
    return text_of(context.terminal, views, context.now());
}

constexpr std::array kinds{Kind{"requests", "/api/requests", "slot", &shown<wire::RequestView>},
                           Kind{"loads", "/api/loads", "slot", &shown<wire::LoadView>},
                           Kind{"events", "/api/events/past", "subject", &shown<wire::EventView>}};

}  // namespace

Result<int> history(Arguments const& arguments, Context& context) {
    auto const wanted = arguments.maybe("WHAT").value_or(std::string{kinds.front().name});
    auto const* const kind = std::ranges::find(kinds, wanted, &Kind::name);
    if (kind == kinds.end())
        return misused(context, format("'{}' is none of requests, loads, events", clipped(wanted)));
    HAL0_TRY(api, context.api());
    auto target = format("{}?limit={}", kind->path, arguments.number("limit").value_or(lines_usual));
    if (auto const slot = arguments.maybe("slot")) target += format("&{}={}", kind->of_slot, segment(*slot));
    HAL0_TRY(body, api.get(target));
    if (arguments.has("json")) return say(context, body);
    HAL0_TRY(text, kind->text(context, body));
    context.terminal.out(text);
    return exit_ok;
}

}  // namespace hal0::cli
