#include "cli/slot_commands.hpp"

#include <chrono>
#include <utility>

#include "base/format.hpp"
#include "base/text.hpp"
#include "cli/follow.hpp"
#include "cli/output.hpp"
#include "cli/views.hpp"
#include "json/writer.hpp"

namespace hal0::cli {
namespace {

using wire::SlotView;

constexpr std::int64_t log_lines_default = 50;

struct Operation {
    std::string_view verb{};     // of the API: "load"
    std::string_view subject{};  // for people: "loading"
    std::string body{};
};

int say_state(Arguments const& arguments, Context& context, SlotView const& slot) {
    if (arguments.has("json")) return say(context, wire::encode(slot));
    auto const state = painted(context.terminal, Stream::Out, slot.state, style_of_state(slot.state));
    return say(context, format("{} is {}{}{}", slot.name, state, slot.cause.empty() ? "" : ": ", slot.cause));
}

Result<int> operate(Arguments const& arguments, Context& context, Operation const& operation) {
    HAL0_TRY(api, context.api());
    auto const& name = arguments.text("NAME");
    bool const waits = !arguments.has("no-wait");
    std::vector<std::string> query;
    if (!waits) query.emplace_back("wait=false");
    if (arguments.has("force")) query.emplace_back("force=true");
    auto const target = slot_target(name, operation.verb) + (query.empty() ? "" : "?" + join(query, "&"));
    auto call = api.request(http::Method::Post, target, operation.body);
    HAL0_TRY(body, waits ? follow(context, api, slot_work(operation.subject, name, std::move(call)))
                         : api.outcome(http::fetch(std::move(call))));
    HAL0_TRY(slot, wire::decode<SlotView>(body));
    return say_state(arguments, context, slot);
}

// A worker's output for programs: each line as a JSON string, the last one also without its end.
class QuotedLines final : NoCopy {
  public:
    explicit QuotedLines(Context& context) : context_{context} {}
    void take(std::string_view piece) {
        rest_ += piece;
        for (auto end = rest_.find('\n'); end != std::string::npos; end = rest_.find('\n')) {
            say(context_, json::quoted(std::string_view{rest_}.substr(0, end)));
            rest_.erase(0, end + 1);
        }
    }
    void finish() {
        if (!rest_.empty()) say(context_, json::quoted(rest_));
    }

  private:
    Context& context_;
    std::string rest_{};
};

}  // namespace

namespace {

Result<int> show_argv(Arguments const& arguments, Context& context, Api const& api) {
    HAL0_TRY(body, api.get(slot_target(arguments.text("NAME"), "argv")));
    HAL0_TRY(argv, wire::decode<wire::SlotArgv>(body));
    if (arguments.has("json")) return say(context, wire::encode(argv));
    auto& terminal = context.terminal;
    Table table{{{"ARGUMENT"}, {"VALUE"}, {"FROM"}, {"INSTEAD OF"}}};
    for (auto const& said : argv.arguments)
        table.row({{said.flag}, {said.value.value_or("")}, {said.from}, {said.instead_of, Style::Dim}});
    auto const what = argv.running ? "runs" : "would run";
    terminal.out(format("{} {} {} {}\n\n{}", argv.name, what, join(argv.environment, " "), argv.program,
                        table.render(terminal)));
    return exit_ok;
}

}  // namespace

std::string slot_target(std::string_view slot, std::string_view what) {
    return format("/api/slots/{}{}{}", segment(slot), what.empty() ? "" : "/", what);
}

Work slot_work(std::string_view subject, std::string const& slot, http::ClientRequest call) {
    auto read = [](std::string const& body) -> Result<Look> {
        HAL0_TRY(view, wire::decode<SlotView>(body));
        return Look{.progress = {.step = format("{} is {}", view.name, view.state)}};
    };
    return {format("{} {}", subject, slot), slot_target(slot), std::move(read), std::move(call)};
}

Result<int> slot_list(Arguments const& arguments, Context& context) {
    HAL0_TRY(api, context.api());
    HAL0_TRY(body, api.get("/api/slots"));
    HAL0_TRY(slots, wire::decode<std::vector<SlotView>>(body));
    if (arguments.has("json")) return say(context, wire::encode(slots));
    if (arguments.has("names")) return say_names(context, slots, &SlotView::name);
    if (slots.empty())
        return say(context, "There is no slot yet. Make one with 'hal0 slot create NAME --model MODEL'.");
    context.terminal.out(slots_list(context.terminal, slots, context.now()));
    return exit_ok;
}

Result<int> slot_show(Arguments const& arguments, Context& context) {
    HAL0_TRY(api, context.api());
    if (arguments.has("argv")) return show_argv(arguments, context, api);
    HAL0_TRY(body, api.get(slot_target(arguments.text("NAME"))));
    HAL0_TRY(slot, wire::decode<SlotView>(body));
    if (arguments.has("json")) return say(context, wire::encode(slot));
    context.terminal.out(details(context.terminal, slot, context.now()));
    return exit_ok;
}

Result<int> slot_explain(Arguments const& arguments, Context& context) {
    HAL0_TRY(api, context.api());
    HAL0_TRY(body, api.get(slot_target(arguments.text("NAME"), "explain")));
    HAL0_TRY(explained, wire::decode<wire::SlotExplain>(body));
    if (arguments.has("json")) return say(context, wire::encode(explained));
    for (auto const& line : explained.lines)
        say(context, line);
    return exit_ok;
}

Result<int> slot_diff(Arguments const& arguments, Context& context) {
    HAL0_TRY(api, context.api());
    HAL0_TRY(body, api.get(slot_target(arguments.text("NAME"), "diff")));
    HAL0_TRY(differences, wire::decode<std::vector<wire::SettingDiffView>>(body));
    if (arguments.has("json")) return say(context, wire::encode(differences));
    if (differences.empty())
        return say(context, format("{} runs as its file says, or doesn't run", arguments.text("NAME")));
    Table table{{{"SETTING"}, {"RUNNING"}, {"CONFIGURED"}}};
    for (auto const& one : differences)
        table.row({{one.what}, {one.running.value_or("-")}, {one.configured.value_or("-")}});
    context.terminal.out(table.render(context.terminal));
    return exit_ok;
}

Result<int> reload(Arguments const& arguments, Context& context) {
    HAL0_TRY(api, context.api());
    HAL0_TRY(body, api.post("/api/reload"));
    HAL0_TRY(slots, wire::decode<std::vector<SlotView>>(body));
    if (arguments.has("json")) return say(context, wire::encode(slots));
    context.terminal.out(slots_list(context.terminal, slots, context.now()));
    for (auto const& slot : slots) {
        for (auto const& warning : slot.warnings)
            context.terminal.err(format("{}: {}\n", slot.name, warning));
    }
    return exit_ok;
}

Result<int> slot_logs(Arguments const& arguments, Context& context) {
    HAL0_TRY(api, context.api());
    auto const lines = arguments.number("lines").value_or(log_lines_default);
    bool const follows = arguments.has("follow");
    auto request =
        api.request(http::Method::Get, format("{}?lines={}{}", slot_target(arguments.text("NAME"), "logs"),
                                              lines, follows ? "&follow=true" : ""));
    bool const quotes = arguments.has("json");
    QuotedLines quoted{context};
    HAL0_CHECK(show_stream(context, api, std::move(request), [&](std::string_view piece) {
        quotes ? quoted.take(piece) : context.terminal.out(piece);
    }));
    quoted.finish();
    return exit_ok;
}

Result<int> slot_load(Arguments const& arguments, Context& context) {
    return operate(arguments, context, {"load", "loading"});
}

Result<int> slot_unload(Arguments const& arguments, Context& context) {
    return operate(arguments, context, {"unload", "unloading"});
}

Result<int> slot_restart(Arguments const& arguments, Context& context) {
    return operate(arguments, context, {"restart", "restarting"});
}

Result<int> slot_swap(Arguments const& arguments, Context& context) {
    auto body = wire::encode(wire::SlotSwap{arguments.text("MODEL")});
    return operate(arguments, context, {"swap", "swapping the model of", std::move(body)});
}

Result<int> slot_create(Arguments const& arguments, Context& context) {
    if (!arguments.has("model"))
        return misused(context,
                       "'hal0 slot create' needs --model MODEL; 'hal0 model list' shows what there is");
    wire::SlotCreate wanted{.name = arguments.text("NAME"),
                            .model = arguments.text("model"),
                            .kind = arguments.maybe("kind"),
                            .device = arguments.maybe("device"),
                            .context = arguments.number("context"),
                            .parallel = arguments.number("parallel"),
                            .threads = arguments.number("threads"),
                            .cache_ram_mib = arguments.number("cache-ram"),
                            .idle_unload_s = arguments.number("idle-unload")};
    if (arguments.has("on-demand")) wanted.enabled = false;
    if (arguments.has("extra-arg")) wanted.extra_args = arguments.all("extra-arg");
    HAL0_TRY(api, context.api());
    HAL0_TRY(body, api.post("/api/slots", wire::encode(wanted)));
    HAL0_TRY(slot, wire::decode<SlotView>(body));
    bool const comes_up = slot.wanted == "up" && !arguments.has("no-wait");
    return comes_up ? slot_load(arguments, context) : say_state(arguments, context, slot);
}

Result<int> slot_delete(Arguments const& arguments, Context& context) {
    HAL0_TRY(api, context.api());
    auto const& name = arguments.text("NAME");
    HAL0_TRY(before, api.get(slot_target(name)));
    auto const target = slot_target(name) + (arguments.has("force") ? "?force=true" : "");
    HAL0_CHECK(follow(context, api, slot_work("deleting", name, api.request(http::Method::Delete, target))));
    if (arguments.has("json")) return say(context, before);
    return say(context, format("the slot {} is gone; its model stays", name));
}

}  // namespace hal0::cli
