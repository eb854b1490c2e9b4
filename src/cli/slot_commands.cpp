#include "cli/slot_commands.hpp"

#include <chrono>
#include <utility>

#include "base/format.hpp"
#include "cli/follow.hpp"
#include "cli/output.hpp"
#include "cli/views.hpp"

namespace hal0::cli {
namespace {

using wire::SlotView;

constexpr Duration log_silence_max = std::chrono::hours{24};
constexpr std::int64_t log_lines_default = 50;

// What a slot was asked for, and so when the waiting for it is over.
enum class Goal {
    Ready,
    ReadyIfWanted,  // a new model or a new slot: it need not be up
    Offline,
};

std::optional<Result<void>> end_of(SlotView const& slot, Goal goal) {
    bool const down = slot.state == "offline" || slot.state == "error";
    if (goal == Goal::Offline) return down ? std::optional{Result<void>{}} : std::nullopt;
    if (slot.state == "ready") return Result<void>{};
    if (slot.state == "error") {
        return Error{Errc::Unavailable, format("{} did not come up: {}; 'hal0 slot explain {}' says more",
                                               slot.name, slot.cause, slot.name)};
    }
    if (slot.state == "offline" && slot.wanted == "down") {
        if (goal == Goal::ReadyIfWanted) return Result<void>{};
        return Error{Errc::Conflict, format("{} is offline: {}", slot.name, slot.cause)};
    }
    return std::nullopt;
}

Work slot_work(std::string const& name, std::string subject, Goal goal) {
    auto read = [goal](std::string const& body) -> Result<Look> {
        HAL0_TRY(slot, wire::decode<SlotView>(body));
        return Look{.progress = {.step = format("{}: {}", slot.name, slot.state)}, .end = end_of(slot, goal)};
    };
    return {slot_target(name), std::move(subject), std::move(read)};
}

// What the daemon was asked to do with a slot, to its end unless --no-wait; then how the slot stands.
Result<int> see_through(Arguments const& arguments, Context& context, Api const& api, Work const& work) {
    bool const wait = !arguments.has("no-wait");
    HAL0_TRY(body, wait ? follow(context, api, work) : api.get(work.target));
    HAL0_TRY(slot, wire::decode<SlotView>(body));
    if (arguments.has("json")) return say(context, wire::encode(slot));
    auto const state = painted(context.terminal, Stream::Out, slot.state, style_of_state(slot.state));
    return say(context, format("{} is {}: {}", slot.name, state, slot.cause));
}

Result<int> ask(Arguments const& arguments, Context& context, std::string_view verb, Work const& work) {
    HAL0_TRY(api, context.api());
    HAL0_CHECK(api.post(slot_target(arguments.text("NAME"), verb)));
    return see_through(arguments, context, api, work);
}

}  // namespace

std::string slot_target(std::string_view slot, std::string_view what) {
    return format("/api/slots/{}{}{}", segment(slot), what.empty() ? "" : "/", what);
}

Work unload_work(std::string const& slot) {
    return slot_work(slot, format("unloading {}", slot), Goal::Offline);
}

Result<int> slot_list(Arguments const& arguments, Context& context) {
    HAL0_TRY(api, context.api());
    HAL0_TRY(body, api.get("/api/slots"));
    HAL0_TRY(slots, wire::decode<std::vector<SlotView>>(body));
    if (arguments.has("json")) return say(context, wire::encode(slots));
    if (arguments.has("names")) return say_names(context, slots, &SlotView::name);
    if (slots.empty())
        return say(context, "There is no slot yet. Make one with 'hal0 slot create NAME --model MODEL'.");
    context.terminal.out(slots_table(slots, context.now()).render(context.terminal));
    return exit_ok;
}

Result<int> slot_show(Arguments const& arguments, Context& context) {
    HAL0_TRY(api, context.api());
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

Result<int> slot_logs(Arguments const& arguments, Context& context) {
    HAL0_TRY(api, context.api());
    auto const lines = arguments.number("lines").value_or(log_lines_default);
    bool const follows = arguments.has("follow");
    auto request =
        api.request(http::Method::Get, format("{}?lines={}{}", slot_target(arguments.text("NAME"), "logs"),
                                              lines, follows ? "&follow=true" : ""));
    request.deadline = log_silence_max;
    HAL0_CHECK(api.outcome(http::fetch(std::move(request),
                                       [&context](std::string_view piece) { context.terminal.out(piece); })));
    return exit_ok;
}

Result<int> slot_load(Arguments const& arguments, Context& context) {
    auto const& name = arguments.text("NAME");
    return ask(arguments, context, "load", slot_work(name, format("loading {}", name), Goal::Ready));
}

Result<int> slot_unload(Arguments const& arguments, Context& context) {
    return ask(arguments, context, "unload", unload_work(arguments.text("NAME")));
}

Result<int> slot_restart(Arguments const& arguments, Context& context) {
    auto const& name = arguments.text("NAME");
    return ask(arguments, context, "restart", slot_work(name, format("restarting {}", name), Goal::Ready));
}

Result<int> slot_swap(Arguments const& arguments, Context& context) {
    HAL0_TRY(api, context.api());
    auto const& name = arguments.text("NAME");
    HAL0_CHECK(api.post(slot_target(name, "swap"), wire::encode(wire::SlotSwap{arguments.text("MODEL")})));
    return see_through(arguments, context, api,
                       slot_work(name, format("swapping the model of {}", name), Goal::ReadyIfWanted));
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
                            .cache_ram_mib = arguments.number("cache-ram")};
    if (arguments.has("on-demand")) wanted.enabled = false;
    if (arguments.has("extra-arg")) wanted.extra_args = arguments.all("extra-arg");
    HAL0_TRY(api, context.api());
    HAL0_CHECK(api.post("/api/slots", wire::encode(wanted)));
    return see_through(arguments, context, api,
                       slot_work(wanted.name, format("loading {}", wanted.name), Goal::ReadyIfWanted));
}

Result<int> slot_delete(Arguments const& arguments, Context& context) {
    HAL0_TRY(api, context.api());
    auto const& name = arguments.text("NAME");
    HAL0_CHECK(api.remove(slot_target(name)));
    return say(context, format("the slot {} is gone; its model stays", name));
}

}  // namespace hal0::cli
