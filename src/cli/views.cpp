#include "cli/views.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "base/format.hpp"
#include "base/text.hpp"
#include "base/time.hpp"
#include "cli/progress.hpp"
#include "json/value.hpp"

namespace hal0::cli {
namespace {

constexpr std::array styles{
    std::pair{"ready", Style::Good},      std::pair{"present", Style::Good},
    std::pair{"installed", Style::Good},  std::pair{"done", Style::Good},
    std::pair{"starting", Style::Warn},   std::pair{"loading", Style::Warn},
    std::pair{"unloading", Style::Warn},  std::pair{"pulling", Style::Warn},
    std::pair{"installing", Style::Warn}, std::pair{"running", Style::Warn},
    std::pair{"error", Style::Bad},       std::pair{"damaged", Style::Bad},
    std::pair{"failed", Style::Bad},      std::pair{"offline", Style::Dim},
    std::pair{"available", Style::Dim},   std::pair{"cancelled", Style::Dim},
};

Cell state_cell(std::string const& state) { return {state, style_of_state(state)}; }

std::string size_text(std::int64_t bytes) { return bytes > 0 ? human(Bytes{bytes}) : std::string{"-"}; }

std::string when(std::string const& time, WallTime now) {
    auto const then = from_rfc3339(time);
    return then ? ago(*then, now) : time;
}

// "name   value" lines; a row without a value is left out.
using Rows = std::vector<std::pair<std::string_view, std::string>>;
std::string lines_of(Terminal const& terminal, Rows const& rows) {
    std::size_t width = 0;
    for (auto const& [name, value] : rows)
        width = std::max(width, value.empty() ? 0 : columns_of(name));
    std::string out;
    for (auto const& [name, value] : rows) {
        if (value.empty()) continue;
        out += painted(terminal, Stream::Out, padded(name, width), Style::Dim);
        out += format("  {}\n", value);
    }
    return out;
}

// Why some of a table's rows are as they are; nothing where all are well.
struct Reason {
    std::string name{};
    std::string why{};
};
using Reasons = std::vector<Reason>;
std::string below_table(Terminal const& terminal, Reasons const& reasons) {
    constexpr std::string_view indent = "  ";
    bool const tty = terminal.is_tty(Stream::Out);
    std::string out;
    for (auto const& [name, why] : reasons) {
        if (why.empty()) continue;
        if (out.empty()) out += "\n";
        auto const text = printable(format("{}: {}", name, why));
        auto const lines = tty ? wrapped(text, terminal.width() - indent.size()) : std::vector{text};
        for (std::size_t i = 0; i < lines.size(); ++i)
            out += format("{}{}\n", i == 0 ? "" : indent, lines[i]);
    }
    return out;
}

std::string state_line(Terminal const& terminal, std::string const& state, std::string const& why) {
    auto const painted_state = painted(terminal, Stream::Out, state, style_of_state(state));
    return why.empty() ? painted_state : format("{}: {}", painted_state, printable(why));
}

std::string number(std::int64_t count) { return count > 0 ? std::to_string(count) : std::string{}; }

std::string busy(wire::SlotView const& slot) {
    return slot.waiting > 0 ? format("{} +{}", slot.in_flight, slot.waiting) : std::to_string(slot.in_flight);
}

std::string engine_of(wire::SlotView const& slot) {
    return format("{} {} ({} on {})", slot.provider, slot.version, slot.backend, slot.device);
}

std::string workers_line(wire::SlotView const& slot) {
    if (!slot.pid) return {};
    return format("pid {}{}{}", *slot.pid, slot.memory ? format(", {}", human(Bytes{*slot.memory})) : "",
                  slot.adopted ? ", started by an earlier daemon" : "");
}

std::string address_line(std::string const& address) {
    return address.starts_with("unix:") ? address : format("http://{}/v1", address);
}

}  // namespace

Style style_of_state(std::string_view state) {
    for (auto const& [name, style] : styles) {
        if (state == name) return style;
    }
    return Style::Plain;
}

std::string slots_list(Terminal const& terminal, std::vector<wire::SlotView> const& slots, WallTime now) {
    Table table{{{"NAME"},
                 {"STATE"},
                 {"SINCE"},
                 {"MODEL", Align::Left, Cut::First},
                 {"ON"},
                 {"CONTEXT", Align::Right},
                 {"MEMORY", Align::Right},
                 {"BUSY", Align::Right}}};
    Reasons reasons;
    for (auto const& slot : slots) {
        if (slot.state != "ready" || slot.suspicious) reasons.push_back({slot.name, slot.cause});
        for (auto const& warning : slot.warnings)
            reasons.push_back({slot.name, warning});
        if (slot.restart_pending && slot.warnings.empty())
            reasons.push_back(
                {slot.name, format("its file has other settings now: 'hal0 slot restart {}'", slot.name)});
        table.row({{slot.name, Style::Bold},
                   slot.suspicious ? Cell{slot.state, Style::Warn} : state_cell(slot.state),
                   {when(slot.since, now)},
                   {slot.model},
                   {slot.backend},
                   {slot.context > 0 ? std::to_string(slot.context) : "-"},
                   {slot.memory ? human(Bytes{*slot.memory}) : "-"},
                   {busy(slot)}});
    }
    return table.render(terminal) + below_table(terminal, reasons);
}

std::string models_list(Terminal const& terminal, std::vector<wire::ModelView> const& models) {
    Table table{{{"ID"},
                 {"KIND"},
                 {"STATE"},
                 {"SIZE", Align::Right},
                 {"CONTEXT", Align::Right},
                 {"SLOTS"},
                 {"NAME"}}};
    Reasons reasons;
    for (auto const& model : models) {
        if (!model.fault.empty()) reasons.push_back({model.id, model.fault});
        table.row({{model.id, Style::Bold},
                   {model.kind},
                   state_cell(model.state),
                   {size_text(model.size)},
                   {model.context_max > 0 ? std::to_string(model.context_max) : "-"},
                   {model.used_by.empty() ? "-" : join(model.used_by, ",")},
                   {model.name}});
    }
    return table.render(terminal) + below_table(terminal, reasons);
}

std::string engines_list(Terminal const& terminal, std::vector<wire::EngineView> const& engines) {
    Table table{{{"ID"}, {"VERSION"}, {"BACKEND"}, {"STATE"}, {"SIZE", Align::Right}, {"SLOTS"}, {"KEY"}}};
    for (auto const& engine : engines) {
        bool const foreign = engine.state == "installed" && !engine.runs_here;
        table.row({{engine.id, Style::Bold},
                   {engine.version},
                   {engine.backend},
                   foreign           ? Cell{"for another CPU", Style::Bad}
                   : !engine.current ? Cell{"installed, old", Style::Dim}
                                     : state_cell(engine.state),
                   {size_text(engine.size.value_or(0))},
                   {engine.used_by.empty() ? "-" : join(engine.used_by, ",")},
                   {engine.key.empty() ? "-" : engine.key}});
    }
    return table.render(terminal);
}

std::string details(Terminal const& terminal, wire::SlotView const& slot, WallTime now) {
    auto state = format("{} ({})", state_line(terminal, slot.state, slot.cause), when(slot.since, now));
    if (slot.restart_pending)
        state += "; its file has other settings now: 'hal0 slot restart " + slot.name + "'";
    return lines_of(
        terminal, {{"slot", slot.name},
                   {"state", std::move(state)},
                   {"wanted", slot.wanted},
                   {"model", slot.kind ? format("{} ({})", slot.model, *slot.kind) : slot.model},
                   {"engine", engine_of(slot)},
                   {"context", slot.context > 0
                                   ? format("{} tokens a request, {} at a time", slot.context, slot.parallel)
                                   : std::string{}},
                   {"worker", workers_line(slot)},
                   {"requests", format("{} served now, {} waiting", slot.in_flight, slot.waiting)},
                   {"loads", number(slot.loads)},
                   {"restarts", number(slot.restarts)},
                   {"address", slot.address.value_or("")},
                   {"file", slot.file},
                   {"log", slot.log},
                   {"warning", join(slot.warnings, "; ")}});
}

std::string details(Terminal const& terminal, wire::ModelView const& model) {
    Rows rows{{"model", model.id},
              {"name", model.name},
              {"kind", model.kind},
              {"state", state_line(terminal, model.state, model.fault)},
              {"size", model.size > 0 ? human(Bytes{model.size}) : ""},
              {"context", model.context_max > 0 ? format("{} tokens", model.context_max) : ""},
              {"licence", model.licence},
              {"source", model.source},
              {"directory", model.directory},
              {"slots", join(model.used_by, ", ")}};
    for (auto const& file : model.files)
        rows.emplace_back("file",
                          format("{}  {}  sha256 {}", file.name, human(Bytes{file.size}), file.sha256));
    return lines_of(terminal, rows);
}

std::string details(Terminal const& terminal, wire::EngineView const& engine) {
    bool const foreign = engine.state == "installed" && !engine.runs_here;
    return lines_of(terminal,
                    {{"engine", engine.id},
                     {"version", engine.version},
                     {"backend", engine.backend},
                     {"state", state_line(terminal, engine.state, foreign ? "built for another CPU" : "")},
                     {"size", engine.size ? human(Bytes{*engine.size}) : ""},
                     {"built", engine.built_at},
                     {"key", engine.key},
                     {"directory", engine.directory},
                     {"slots", join(engine.used_by, ", ")}});
}

std::string overview(Terminal const& terminal, wire::StatusView const& status, WallTime now) {
    auto out = format("hal0 {}  up {}, pid {}, {}\n", status.version, lasting(status.uptime_s), status.pid,
                      human(Bytes{status.memory}));
    for (auto const& address : status.listen)
        out += format("  {}\n", address_line(address));
    if (status.slots.empty()) {
        out += "\nThere is no slot yet. Make one with 'hal0 slot create NAME --model MODEL'.\n";
    } else {
        out += "\n" + slots_list(terminal, status.slots, now);
    }
    for (auto const& job : status.jobs) {
        auto const progress = progress_text(progress_of(job), std::nullopt, terminal.width());
        out += format("\n{} {}: {}\n", job.kind, job.subject, progress);
    }
    return out;
}

std::string event_line(Terminal const& terminal, wire::EventView const& event) {
    auto const data = json::parse(event.data.text);
    auto const text = [&](std::string_view name) -> std::string {
        auto const* member = data ? data->find(name) : nullptr;
        auto const* found = member == nullptr ? nullptr : std::get_if<std::string>(&member->data);
        return found == nullptr ? std::string{} : *found;
    };
    auto out = format("{}  {}  {}", painted(terminal, Stream::Out, event.time, Style::Dim),
                      padded(event.type, 14), event.subject);
    auto const state = text("state");
    if (!state.empty()) out += "  " + painted(terminal, Stream::Out, state, style_of_state(state));
    for (auto const* name : {"step", "cause", "message"}) {
        if (auto const what = text(name); !what.empty()) out += "  " + what;
    }
    return out + "\n";
}

}  // namespace hal0::cli
