#include "cli/fit_text.hpp"

#include <algorithm>
#include <optional>

#include "base/format.hpp"
#include "base/text.hpp"

namespace hal0::cli {
namespace {

Style style_of_verdict(std::string_view verdict) {
    if (verdict == "fits") return Style::Good;
    return verdict == "never" || verdict == "pages" ? Style::Bad : Style::Warn;
}

std::string size_of(std::optional<Bytes> size) { return size ? human(*size) : "unknown"; }

// For those sizes of files that people know in powers of ten.
std::string gigabytes(Bytes size) {
    auto const count = static_cast<double>(size.count) / 1e9;
    return count < 10 ? format("{:.2f} GB", count) : format("{:.1f} GB", count);
}

std::string row(Terminal const& terminal, std::string_view name, std::string_view value) {
    return painted(terminal, Stream::Out, padded(name, 10), Style::Dim) + format("{}\n", printable(value));
}

std::string sentence(Terminal const& terminal, wire::FitVerdict const& fit) {
    return painted(terminal, Stream::Out, printable(fit.sentence), style_of_verdict(fit.verdict)) + "\n";
}

std::string settings_line(wire::FitSettings const& settings) {
    auto const on = settings.device == settings.backend
                        ? settings.device
                        : format("{} ({})", settings.device, settings.backend);
    return format("{} tokens a request, {} at a time, {} in one piece, {} cache, flash attention {}, on {}",
                  settings.context, settings.parallel, settings.ubatch, settings.kv_type,
                  settings.flash_attention, on);
}

// What is loaded together with the model.
std::string extras_line(wire::FitView const& view) {
    std::vector<std::string> extras;
    if (view.mmproj) extras.push_back(format("the projector {}", *view.mmproj));
    if (view.draft) extras.push_back(format("{}, which drafts", *view.draft));
    if (view.mtp) extras.emplace_back("its own layers that draft (MTP)");
    return join(extras, ", ");
}

std::string pool_line(wire::FitPool const& pool) {
    auto line = format("{}: {} in all, {} used, {} free", pool.id, size_of(pool.total), size_of(pool.used),
                       size_of(pool.free));
    if (pool.cap)
        line += format("; carve-out {}, GTT cap {} ({} used)", size_of(pool.carve_out), human(*pool.cap),
                       size_of(pool.cap_used));
    return pool.host_known ? line : line + "; what the machine has left isn't known here";
}

// Where the verdict is about a room that others have now, which room the figure is for.
std::string beside_text(wire::FitView const& view) {
    auto const& gone = view.fit.evict;
    if (!gone.empty()) return format(" when {} {}", join(gone, ", "), gone.size() == 1 ? "goes" : "go");
    return view.fit.verdict == "pages" ? " beside what is loaded now" : "";
}

std::string beside_all_text(wire::FitView const& view) {
    if (!view.context_beside_all) return {};
    auto const tokens = *view.context_beside_all;
    return "; beside all that is loaded now " + (tokens > 0 ? format("up to {}", tokens) : "none");
}

std::string context_line(wire::FitView const& view) {
    if (!view.context_that_fits) return {};
    auto const beside = beside_text(view);
    auto const tail = beside_all_text(view);
    if (*view.context_that_fits == 0) return format("none goes in{}", beside);
    if (view.context_max == view.context_that_fits)
        return format("all {} tokens that it was trained for go in{}{}", *view.context_max, beside, tail);
    if (!view.context_max) return format("{} tokens go in{}{}", *view.context_that_fits, beside, tail);
    return format("up to {} tokens of the {} it was trained for go in{}, the last of them tightly{}",
                  *view.context_that_fits, *view.context_max, beside, tail);
}

std::string slot_text(wire::LoadoutSlotView const& slot) {
    return slot.context > 0 ? format("{} ({} tokens)", slot.model, slot.context) : slot.model;
}

std::string smaller_text(wire::LoadoutTierView const& tier) {
    if (!tier.context_that_fits) return {};
    auto const smaller =
        tier.smaller ? format("take {}", *tier.smaller) : std::string{"no smaller model is known that does"};
    return *tier.context_that_fits > 0 ? format("with up to {} tokens for {} it fits; or {}",
                                                *tier.context_that_fits, tier.slots.front().slot, smaller)
                                       : format("no context fits: {}", smaller);
}

std::vector<Cell> tier_row(wire::LoadoutView const& loadout, wire::LoadoutTierView const& tier, bool fitted) {
    std::vector<std::string> models;
    models.reserve(tier.slots.size());
    for (auto const& slot : tier.slots)
        models.push_back(slot.model);
    std::vector<Cell> row{{loadout.id}, {tier.id}, {gigabytes(tier.size)}};
    if (fitted) {
        auto const verdict = tier.fit ? tier.fit->verdict : "-";
        row.push_back({tier.total ? human(*tier.total) : "-"});
        row.push_back({verdict, tier.fit ? style_of_verdict(verdict) : Style::Dim});
    }
    row.push_back({join(models, ", ")});
    return row;
}

}  // namespace

std::string fit_text(Terminal const& terminal, wire::FitView const& view) {
    std::string out;
    if (view.fault)
        out += painted(terminal, Stream::Out, format("It doesn't load as it is: {}.", printable(*view.fault)),
                       Style::Bad) +
               "\nApart from that: ";
    out += sentence(terminal, view.fit) + "\n";
    out += row(terminal, "model", format("{}, {}", view.model, gigabytes(view.size)));
    if (auto const line = extras_line(view); !line.empty()) out += row(terminal, "with", line);
    out += row(terminal, "settings", settings_line(view.settings));
    if (auto const line = context_line(view); !line.empty()) out += row(terminal, "context", line);
    out += row(terminal, "pool", pool_line(view.pool));
    if (!view.fit.evict.empty()) out += row(terminal, "goes", join(view.fit.evict, ", "));
    if (!view.fit.stays.empty()) out += row(terminal, "stays", join(view.fit.stays, ", "));
    out += row(terminal, "planned", format("by {}", view.planned_by));
    for (auto const& note : view.notes)
        out += row(terminal, "note", note);
    Table table{{{"DEVICE"}, {"TERM"}, {"MEMORY", Align::Right}, {"SURE"}, {"FROM"}}};
    for (auto const& device : view.devices) {
        for (auto const& term : device.terms)
            table.row({{device.device},
                       {term.name},
                       {human(term.bytes)},
                       {term.exactness},
                       {term.source, Style::Dim}});
        table.row({{device.device}, {"total", Style::Bold}, {human(device.total), Style::Bold}, {""}, {""}});
    }
    return out + "\n" + table.render(terminal);
}

std::string loadouts_list(Terminal const& terminal, std::vector<wire::LoadoutView> const& loadouts) {
    bool const fitted = std::ranges::any_of(loadouts, [](wire::LoadoutView const& loadout) {
        return std::ranges::any_of(loadout.tiers, [](auto const& tier) { return tier.fit.has_value(); });
    });
    std::vector<Column> columns{{"LOADOUT"}, {"TIER"}, {"FILES", Align::Right}};
    if (fitted) columns.insert(columns.end(), {{"NEEDS", Align::Right}, {"VERDICT"}});
    columns.push_back({"MODELS"});
    Table table{std::move(columns)};
    for (auto const& loadout : loadouts) {
        for (auto const& tier : loadout.tiers)
            table.row(tier_row(loadout, tier, fitted));
    }
    return table.render(terminal);
}

std::string loadout_text(Terminal const& terminal, wire::LoadoutView const& loadout) {
    auto out = format("{}: {}\n", loadout.name, loadout.about);
    for (auto const& tier : loadout.tiers) {
        out += "\n" + painted(terminal, Stream::Out, tier.id, Style::Bold) +
               format("  {}\n", gigabytes(tier.size));
        for (auto const& slot : tier.slots) {
            auto text = format("{}, {}", slot_text(slot), gigabytes(slot.size));
            if (slot.total) text += format(", takes {}", human(*slot.total));
            if (slot.note) text += format(" (often given as {}: {})", gigabytes(slot.stated), *slot.note);
            out += row(terminal, "  " + slot.slot, text);
        }
        if (!tier.alternatives.empty()) out += row(terminal, "  or", join(tier.alternatives, ", "));
        if (tier.fit) out += "  " + sentence(terminal, *tier.fit);
        if (auto const smaller = smaller_text(tier); !smaller.empty()) out += format("  {}\n", smaller);
    }
    return out;
}

}  // namespace hal0::cli
