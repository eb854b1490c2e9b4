#include "app/loadout_command.hpp"

#include <utility>

#include "app/fit.hpp"
#include "app/sizing.hpp"
#include "base/format.hpp"
#include "cli/fit_text.hpp"
#include "memory/overhead.hpp"

namespace hal0::app {
namespace {

using models::LoadoutModel;
using models::LoadoutSlot;
using models::LoadoutTier;

// check_names of the loadouts has seen to it that every name stands for a model.
LoadoutModel const& model_of(std::string const& name) { return *models::loadouts().model(name); }

wire::LoadoutSlotView view_of(LoadoutSlot const& slot) {
    auto const& model = model_of(slot.model);
    wire::LoadoutSlotView view{.slot = slot.slot,
                               .model = model.name,
                               .kind = model.kind,
                               .context = slot.context.count,
                               .size = model.size(),
                               .stated = model.stated};
    if (!model.note.empty()) view.note = model.note;
    return view;
}

wire::LoadoutTierView view_of(LoadoutTier const& tier) {
    wire::LoadoutTierView view{.id = tier.id, .alternatives = tier.alternatives};
    if (!tier.smaller.empty()) view.smaller = tier.smaller;
    for (auto const& slot : tier.slots) {
        view.slots.push_back(view_of(slot));
        view.size += view.slots.back().size;
    }
    return view;
}

// Models for speech are served by engines that nobody here can plan for: their weights, and as much again for
// what they compute with; in the host's memory.
memory::Demand demand_of_speech(LoadoutModel const& model) {
    memory::MemoryEstimate estimate{
        .shares = {
            {.device = std::string{memory::host_device},
             .terms = {{std::string{"weights"}, model.size() + model.size(), "twice its file's size"}}}}};
    memory::add_overhead(estimate, {});
    return memory::demand_of(estimate);
}

Result<memory::Demand> demand_of_slot(LoadoutSlot const& slot, SizingPlace const& place) {
    auto const& model = model_of(slot.model);
    if (!model.header) return demand_of_speech(model);
    HAL0_TRY(subject, subject_of(model));
    return Sizing{subject, place}.demand({.context = slot.context});
}

bool goes_in(memory::Verdict verdict) {
    return verdict == memory::Verdict::Fits || verdict == memory::Verdict::Tight;
}

// How much context of the first slot goes beside the others.
Result<std::optional<Tokens>> context_beside(LoadoutTier const& tier, memory::Demand const& others,
                                             Box const& box, SizingPlace const& place) {
    auto const& model = model_of(tier.slots.front().model);
    if (!model.header) return std::optional<Tokens>{};
    HAL0_TRY(subject, subject_of(model));
    return Sizing{subject, place}.largest_context({}, box.pools, others);
}

// What is named as smaller where this model is the first of a tier; empty where nothing is.
std::string smaller_than(std::string const& name) {
    for (auto const& loadout : models::loadouts().loadouts) {
        for (auto const& tier : loadout.tiers) {
            if (tier.slots.front().model == name && !tier.smaller.empty()) return tier.smaller;
        }
    }
    return {};
}

// The largest of the smaller ones that goes beside the others with as many tokens, as far as is known;
// nothing where none does.
Result<std::optional<std::string>> smaller_that_fits(LoadoutTier const& tier, memory::Demand const& others,
                                                     Box const& box, SizingPlace const& place) {
    constexpr int chain_max = 8;  // loadouts name each other: never round and round
    auto slot = tier.slots.front();
    slot.model = tier.smaller;
    for (int i = 0; i < chain_max && !slot.model.empty(); ++i) {
        HAL0_TRY(demand, demand_of_slot(slot, place));
        demand += others;
        auto const verdict = memory::judge(demand, box.pools, place.target).verdict;
        if (goes_in(verdict) || verdict == memory::Verdict::Unknown) return std::optional{slot.model};
        slot.model = smaller_than(slot.model);
    }
    return std::optional<std::string>{};
}

Result<wire::LoadoutTierView> fitted(LoadoutTier const& tier, Box const& box, SizingPlace const& place) {
    auto view = view_of(tier);
    memory::Demand sum;
    memory::Demand others;
    for (std::size_t i = 0; i < tier.slots.size(); ++i) {
        HAL0_TRY(demand, demand_of_slot(tier.slots[i], place));
        view.slots[i].total = demand.total();
        sum += demand;
        if (i > 0) others += demand;
    }
    auto const judgement = memory::judge(sum, box.pools, place.target, box.residents(place.target));
    view.total = sum.total();
    view.fit = app::view_of(judgement, place.target);
    bool const fits = goes_in(judgement.verdict) || judgement.verdict == memory::Verdict::NeedsEviction;
    if (!fits && judgement.verdict != memory::Verdict::Unknown) {
        HAL0_TRY(smaller, smaller_that_fits(tier, others, box, place));
        view.smaller = std::move(smaller);
        HAL0_TRY(context, context_beside(tier, others, box, place));
        if (context) view.context_that_fits = context->count;
    }
    return view;
}

}  // namespace

wire::LoadoutView view_of(models::Loadout const& loadout) {
    wire::LoadoutView view{.id = loadout.id, .name = loadout.title, .about = loadout.about};
    for (auto const& tier : loadout.tiers)
        view.tiers.push_back(view_of(tier));
    return view;
}

Result<wire::LoadoutView> fitted(models::Loadout const& loadout, Box const& box, Device const& device) {
    auto view = view_of(loadout);
    SizingPlace const place{.target = device.target, .backend = device.backend};
    for (std::size_t i = 0; i < loadout.tiers.size(); ++i) {
        HAL0_TRY(tier, fitted(loadout.tiers[i], box, place));
        view.tiers[i] = std::move(tier);
    }
    return view;
}

Result<int> loadout_list_command(cli::Arguments const& arguments, cli::Context& context) {
    std::vector<wire::LoadoutView> views;
    for (auto const& loadout : models::loadouts().loadouts)
        views.push_back(view_of(loadout));
    context.terminal.out(arguments.has("json") ? wire::encode(views) + "\n"
                                               : cli::loadouts_list(context.terminal, views));
    return cli::exit_ok;
}

Result<int> loadout_show_command(cli::Arguments const& arguments, cli::Context& context) {
    HAL0_TRY(loadout, models::find_loadout(arguments.text("ID")));
    auto const view = view_of(loadout);
    context.terminal.out(arguments.has("json") ? wire::encode(view) + "\n"
                                               : cli::loadout_text(context.terminal, view));
    return cli::exit_ok;
}

Result<int> loadout_fit_command(cli::Arguments const& arguments, cli::Context& context) {
    auto wanted = models::loadouts().loadouts;
    if (arguments.has("ID")) {
        HAL0_TRY(loadout, models::find_loadout(arguments.text("ID")));
        wanted = {std::move(loadout)};
    }
    HAL0_TRY(box, look_at_box(context, arguments.maybe("root")));
    HAL0_TRY(device, device_of(box.report, arguments.maybe("device")));
    std::vector<wire::LoadoutView> views;
    for (auto const& loadout : wanted) {
        HAL0_TRY(view, fitted(loadout, box, device));
        views.push_back(std::move(view));
    }
    bool const one = arguments.has("ID");
    if (arguments.has("json")) {
        context.terminal.out((one ? wire::encode(views.front()) : wire::encode(views)) + "\n");
    } else {
        context.terminal.out(one ? cli::loadout_text(context.terminal, views.front())
                                 : cli::loadouts_list(context.terminal, views));
        for (auto const& note : box.notes)
            context.terminal.out(format("note: {}\n", note));
    }
    return cli::exit_ok;
}

}  // namespace hal0::app
