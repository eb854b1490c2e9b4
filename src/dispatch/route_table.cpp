#include "dispatch/route_table.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "base/format.hpp"
#include "base/text.hpp"

namespace hal0::dispatch {
namespace {

using models::Kind;

constexpr std::string_view slot_prefix = "hal0/";

std::string_view work_name(Work work) {
    switch (work) {
        case Work::Chat: return "chat";
        case Work::Embed: return "embed";
        case Work::Rerank: return "rerank";
        case Work::Text: return "text";
    }
    return "?";
}

// The names people give the slot of a kind; asked in this order before any other slot of that kind.
std::vector<std::string_view> usual_names(Work work) {
    switch (work) {
        case Work::Chat:
        case Work::Text: return {"primary", "chat"};
        case Work::Embed: return {"embed"};
        case Work::Rerank: return {"rerank", "embed"};
    }
    return {};
}

// Waking a slot of an unknown kind says what is wrong with it, which "can't do that" would hide.
bool may_do(Route const& route, Work work) { return !route.kind || can_do(*route.kind, work); }
bool surely_does(Route const& route, Work work) { return route.kind && can_do(*route.kind, work); }

bool better(Route const& a, Route const& b) {
    if (a.gate->is_open() != b.gate->is_open()) return a.gate->is_open();
    auto const busy_a = a.gate->in_flight();
    auto const busy_b = b.gate->in_flight();
    return busy_a != busy_b ? busy_a < busy_b : a.slot < b.slot;
}

}  // namespace

bool can_do(Kind kind, Work work) {
    switch (work) {
        case Work::Chat: return kind == Kind::Chat;
        case Work::Embed: return kind == Kind::Embed;
        case Work::Rerank: return kind == Kind::Rerank || kind == Kind::Embed;
        case Work::Text: return kind == Kind::Chat || kind == Kind::Embed || kind == Kind::Rerank;
    }
    return false;
}

RouteTable::RouteTable(std::vector<Route> routes) : routes_{std::move(routes)} {
    std::sort(routes_.begin(), routes_.end(), [](Route const& a, Route const& b) { return a.slot < b.slot; });
}

Route const* RouteTable::find(std::string_view slot) const {
    auto const at =
        std::lower_bound(routes_.begin(), routes_.end(), slot,
                         [](Route const& route, std::string_view name) { return route.slot < name; });
    return at != routes_.end() && at->slot == slot ? &*at : nullptr;
}

Result<Route const*> RouteTable::resolve(std::string_view model, Work work) const {
    if (model.empty()) return without_name(work);
    std::string_view const name = model.starts_with(slot_prefix) ? model.substr(slot_prefix.size()) : model;
    Route const* named = find(name);
    if (named == nullptr) {
        Route const* unfit = nullptr;
        for (auto const& route : routes_) {
            if (route.model != model) continue;
            if (!may_do(route, work))
                unfit = &route;
            else if (named == nullptr || better(route, *named))
                named = &route;
        }
        if (named == nullptr) named = unfit;
    }
    if (named == nullptr) return unknown(model, work);
    if (named->kind && !can_do(*named->kind, work)) {
        auto const other = without_name(work);
        auto const hint = other ? format("; slot '{}' can", other.value()->slot) : std::string{};
        return Error{Errc::Invalid, format("slot '{}' holds a model for {}, which can't do {}{}", named->slot,
                                           models::to_string(*named->kind), work_name(work), hint)};
    }
    return named;
}

Result<Route const*> RouteTable::without_name(Work work) const {
    for (auto const name : usual_names(work)) {
        auto const* route = find(name);
        if (route != nullptr && may_do(*route, work)) return route;
    }
    Route const* best = nullptr;
    for (auto const& route : routes_) {
        if (surely_does(route, work) && (best == nullptr || better(route, *best))) best = &route;
    }
    if (best != nullptr) return best;
    return Error{
        Errc::NotFound,
        format("no slot can do {}: create one with 'hal0 slot create NAME --model MODEL'", work_name(work))}
        .with("code", "model_not_found")
        .with("param", "model");
}

Error RouteTable::unknown(std::string_view model, std::optional<Work> work) const {
    std::vector<std::string> names;
    std::vector<std::string> shown;
    for (auto const& route : routes_) {
        names.push_back(route.slot);
        names.push_back(route.model);
        if (!work || surely_does(route, *work)) shown.push_back(format("{} ({})", route.slot, route.model));
    }
    auto message = format("there is no slot or model '{}' here", clipped(model));
    if (auto const near = nearest(model, names)) message += format("; did you mean '{}'?", *near);
    if (shown.empty())
        message += work ? "; no slot can do this work" : "; there are no slots yet";
    else
        message += (work ? "; slots for this work: " : "; there are: ") + join(shown, ", ");
    return Error{Errc::NotFound, message}.with("code", "model_not_found").with("param", "model");
}

}  // namespace hal0::dispatch
