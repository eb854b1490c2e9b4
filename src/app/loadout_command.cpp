#include "app/loadout_command.hpp"

#include <algorithm>
#include <functional>
#include <utility>

#include "app/fit.hpp"
#include "app/sizing.hpp"
#include "base/format.hpp"
#include "base/text.hpp"
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

bool may_go(memory::Verdict verdict) {
    return verdict != memory::Verdict::Never && verdict != memory::Verdict::Pages;
}

// How much context of the first slot goes beside the others.
Result<std::optional<Tokens>> context_beside(LoadoutTier const& tier, memory::Demand const& others,
                                             Box const& box, SizingPlace const& place) {
    auto const& model = model_of(tier.slots.front().model);
    if (!model.header) return std::optional<Tokens>{};
    HAL0_TRY(subject, subject_of(model));
    return Sizing{subject, place}.largest_context(
        {}, {.pools = box.pools, .others = others, .may_go = box.residents(place.target)});
}

// What could stand in the first slot's stead, the best first: the tier's own choice, then what the loadout
// has for it elsewhere, largest first. All are smaller.
std::vector<std::string> smaller_ones(models::Loadout const& loadout, LoadoutTier const& tier) {
    auto const& first = model_of(tier.slots.front().model);
    std::vector<std::string> names;
    auto const add = [&names, &first](std::string const& name) {
        bool const known = name.empty() || std::ranges::find(names, name) != names.end();
        if (known) return;
        auto const& model = model_of(name);
        if (model.kind == first.kind && model.size() < first.size()) names.push_back(name);
    };
    for (auto const& other : loadout.tiers) {
        add(other.slots.front().model);
        add(other.smaller);
    }
    std::ranges::sort(names, std::greater{}, [](std::string const& name) { return model_of(name).size(); });
    auto const own = std::ranges::find(names, tier.smaller);
    if (own != names.end()) std::rotate(names.begin(), own, own + 1);
    return names;
}

struct Place {
    Box const& box;
    SizingPlace const& sizing;
    [[nodiscard]] memory::Judgement judge(memory::Demand const& demand) const {
        return memory::judge(demand, box.pools, sizing.target, box.residents(sizing.target));
    }
};

// That goes with as many tokens beside the others, as far as is known; nothing where none does.
Result<std::optional<std::string>> smaller_that_goes(std::vector<std::string> const& names, LoadoutSlot slot,
                                                     memory::Demand const& others, Place const& place) {
    for (auto const& name : names) {
        slot.model = name;
        HAL0_TRY(demand, demand_of_slot(slot, place.sizing));
        demand += others;
        if (may_go(place.judge(demand).verdict)) return std::optional{name};
    }
    return std::optional<std::string>{};
}

Result<wire::LoadoutTierView> fitted(models::Loadout const& loadout, LoadoutTier const& tier,
                                     Place const& place) {
    auto view = view_of(tier);
    memory::Demand sum;
    memory::Demand others;
    for (std::size_t i = 0; i < tier.slots.size(); ++i) {
        HAL0_TRY(demand, demand_of_slot(tier.slots[i], place.sizing));
        view.slots[i].total = demand.total();
        sum += demand;
        if (i > 0) others += demand;
    }
    auto const judgement = place.judge(sum);
    view.total = sum.total();
    view.fit = app::view_of(judgement, place.sizing.target);
    if (may_go(judgement.verdict)) return view;
    HAL0_TRY(smaller, smaller_that_goes(smaller_ones(loadout, tier), tier.slots.front(), others, place));
    view.smaller = std::move(smaller);
    HAL0_TRY(context, context_beside(tier, others, place.box, place.sizing));
    if (context) view.context_that_fits = context->count;
    return view;
}

// Known models that are in no loadout, for no box of this kind holds them.
std::string past_ceiling() {
    std::vector<std::string> names;
    for (auto const& model : models::loadouts().models) {
        if (model.hard_ceiling) names.push_back(model.name);
    }
    return format("\npast the hard ceiling of boxes of 128 GB ('hal0 fit NAME' tells why): {}\n",
                  join(names, ", "));
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
        HAL0_TRY(tier, fitted(loadout, loadout.tiers[i], {box, place}));
        view.tiers[i] = std::move(tier);
    }
    return view;
}

Result<int> loadout_list_command(cli::Arguments const& arguments, cli::Context& context) {
    std::vector<wire::LoadoutView> views;
    for (auto const& loadout : models::loadouts().loadouts)
        views.push_back(view_of(loadout));
    context.terminal.out(arguments.has("json")
                             ? wire::encode(views) + "\n"
                             : cli::loadouts_list(context.terminal, views) + past_ceiling());
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
