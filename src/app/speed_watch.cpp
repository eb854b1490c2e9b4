#include "app/speed_watch.hpp"

#include <algorithm>
#include <utility>

#include "base/format.hpp"
#include "base/text.hpp"
#include "history/limits.hpp"
#include "history/slowdown.hpp"

namespace hal0::app {
namespace {

constexpr std::int64_t long_share = 2;  // half of what the slot has

std::int64_t context_of(history::RequestRecord const& request) {
    auto const& told = request.figures;
    return std::int64_t{std::max(told.prompt_tokens, 0)} + std::max(told.generated_tokens, 0);
}

// Nothing where it had its slot not for itself, or told too little.
std::optional<history::Speed> speed_of(history::RequestRecord const& request) {
    auto const& told = request.figures;
    bool const tells =
        request.in_flight == 1 && told.generated_tokens >= history::tokens_least && told.generated_ms > 0;
    if (!tells) return std::nullopt;
    return history::Speed{
        .tokens_per_s = told.generated_tokens * 1000.0 / static_cast<double>(told.generated_ms),
        .context = context_of(request)};
}

}  // namespace

std::string speed_settings(slots::SlotStatus const& status) {
    return format("{} {} {} {} {}x{}", status.engine, status.version, status.backend, status.device,
                  status.context, status.parallel);
}

// ---- loads

void SpeedWatch::slot_ready(slots::SlotStatus const& status) {
    auto const load = ++loads_;
    auto& slot = slots_[status.name];
    bool const other =
        speed_settings(slot.status) != speed_settings(status) || slot.status.model != status.model;
    slot = {.status = status, .load = load, .token_bytes = other ? std::nullopt : slot.token_bytes};
    world_.history.baseline(status.name, status.model, speed_settings(status),
                            [this, name = status.name, load](Result<history::Baseline> before) {
                                if (before) know(name, load, std::move(before).value());
                            });
}

void SpeedWatch::know(std::string const& name, std::uint64_t load, history::Baseline before) {
    auto const at = slots_.find(name);
    if (at == slots_.end() || at->second.load != load) return;
    auto& slot = at->second;
    slot.before = std::move(before);
    if (slot.status.adopted) return;
    auto const took = in_seconds(slot.status.loaded_in);
    slot.usual_load_s = history::slow_load(took, slot.before.load_seconds);
    if (slot.usual_load_s)
        world_.log.warn(
            "slot {} took {:.3g} s to load, usually {:.3g} s: memory is short or in small pieces, or its "
            "file had to come from a slow disk",
            name, took, *slot.usual_load_s);
}

// ---- requests

void SpeedWatch::ended(std::vector<history::RequestRecord> const& requests) {
    for (auto const& request : requests) {
        auto const at = slots_.find(request.slot);
        if (at != slots_.end() && at->second.status.model == request.model) look_at(at->second, request);
    }
}

void SpeedWatch::look_at(Watched& slot, history::RequestRecord const& request) {
    auto const tokens = context_of(request);
    if (slot.status.context > 0 && tokens * long_share >= slot.status.context)
        tell_of_context(slot, request, tokens);
    auto const speed = speed_of(request);
    if (!speed) return;
    slot.recent.push_back(*speed);
    if (slot.recent.size() > history::slow_in_a_row) {
        // What is slow doesn't become what is usual while it is being told.
        if (!slot.slow) slot.before.requests.push_back(slot.recent.front());
        slot.recent.pop_front();
    }
    auto& before = slot.before.requests;
    if (before.size() > history::baseline_requests_max) before.erase(before.begin());
    judge(slot);
}

void SpeedWatch::judge(Watched& slot) {
    std::vector<history::Speed> const recent{slot.recent.begin(), slot.recent.end()};
    auto const found = history::slowdown(recent, slot.before.requests);
    auto const& name = slot.status.name;
    if (!found) {
        if (std::exchange(slot.slow, std::nullopt)) world_.log.info("slot {} is as quick as it was", name);
        return;
    }
    if (slot.slow) return;
    auto const advice = history::advise(name, *found,
                                        {.swapped = world_.swapped(name).value_or(Bytes{}),
                                         .others_too = others_are_slow(name),
                                         .loaded_slowly = slot.usual_load_s.has_value()});
    slot.slow = wire::SlotSlowView{.slot = name,
                                   .tokens_per_s = found->now,
                                   .usual_tokens_per_s = found->usual,
                                   .cause = advice.cause,
                                   .remedy = advice.remedy};
    world_.log.warn(
        "slot {} has become slow: {:.3g} tokens/s in its last {} requests, usually {:.3g}; likely: {}; {}",
        name, found->now, history::slow_in_a_row, found->usual, advice.cause, advice.remedy);
    world_.publish(*slot.slow);
}

// Each other that was asked lately, of one at least.
bool SpeedWatch::others_are_slow(std::string const& name) const {
    std::size_t slow = 0;
    std::size_t quick = 0;
    for (auto const& [other, slot] : slots_) {
        if (other != name && slot.recent.size() >= history::slow_in_a_row) ++(slot.slow ? slow : quick);
    }
    return slow > 0 && quick == 0;
}

// ---- long contexts

void SpeedWatch::tell_of_context(Watched& slot, history::RequestRecord const& request, std::int64_t tokens) {
    if (slot.token_bytes || slot.token_bytes_asked) return say_context(slot, request.id, tokens);
    slot.token_bytes_asked = true;
    world_.token_bytes(slot.status, [this, name = slot.status.name, load = slot.load, id = request.id,
                                     tokens](std::optional<double> bytes) {
        auto const at = slots_.find(name);
        if (at == slots_.end() || at->second.load != load) return;
        at->second.token_bytes = bytes;
        say_context(at->second, id, tokens);
    });
}

void SpeedWatch::say_context(Watched const& slot, std::string const& id, std::int64_t tokens) {
    auto const cache =
        slot.token_bytes
            ? format("its KV cache held {}",
                     human(Bytes{static_cast<std::int64_t>(*slot.token_bytes * static_cast<double>(tokens))}))
            : std::string{"nobody knows what that takes in its KV cache"};
    world_.log.info("slot {}: request {} went to {} of {} tokens of context; {}", slot.status.name, id,
                    tokens, slot.status.context, cache);
}

// ---- for people

std::vector<std::string> SpeedWatch::explain(std::string const& name) const {
    std::vector<std::string> lines;
    auto const at = slots_.find(name);
    if (at == slots_.end()) return lines;
    auto const& slot = at->second;
    if (slot.slow)
        lines.push_back(
            format("It has become slow: {:.3g} tokens/s in its last {} requests, usually {:.3g}. Likely: {}. "
                   "What to do: {}.",
                   slot.slow->tokens_per_s, history::slow_in_a_row, slot.slow->usual_tokens_per_s,
                   slot.slow->cause, slot.slow->remedy));
    if (slot.usual_load_s)
        lines.push_back(format("Its load took {:.3g} s, usually {:.3g} s.", in_seconds(slot.status.loaded_in),
                               *slot.usual_load_s));
    return lines;
}

}  // namespace hal0::app
