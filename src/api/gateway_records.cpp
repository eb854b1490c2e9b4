// What the gateway tells of requests that ended: their counts, and their records for the history.
#include <algorithm>
#include <chrono>
#include <utility>

#include "api/answer_figures.hpp"
#include "api/gateway.hpp"

namespace hal0::api {
namespace {

// What no worker told: of a stream its own pace tells it, and of what generates nothing the whole is the
// prompt.
void add_times(history::AnswerFigures& figures, bool generates, std::optional<Duration> first_byte,
               Duration total) {
    using ms = std::chrono::duration<float, std::milli>;
    if (figures.prompt_ms >= 0 || !figures.any()) return;
    if (!generates) {
        figures.prompt_ms = ms{total}.count();
    } else if (first_byte && figures.generated_tokens >= 0) {
        figures.prompt_ms = ms{*first_byte}.count();
        figures.generated_ms = ms{total - *first_byte}.count();
    }
}

Duration time_of(float figure_ms) {
    return std::chrono::duration_cast<Duration>(
        std::chrono::duration<float, std::milli>{std::max(figure_ms, 0.0F)});
}

dispatch::TokenWork work_of(history::AnswerFigures const& figures) {
    auto const cached = std::max(figures.cached_tokens, 0);
    return {.prompt = std::max(figures.prompt_tokens - cached, 0),
            .cached = cached,
            .generated = std::max(figures.generated_tokens, 0),
            .prompt_time = time_of(figures.prompt_ms),
            .generated_time = time_of(figures.generated_ms)};
}

}  // namespace

void Gateway::know_routes() {
    served_of_route_.clear();
    for (auto const& route : table_->routes()) {
        Served const served{route.slot, route.model};
        auto const at = std::ranges::find(served_, served);
        served_of_route_.push_back(static_cast<std::uint32_t>(at - served_.begin()));
        if (at == served_.end()) served_.push_back(served);
    }
}

void Gateway::note_route(Active& slot, dispatch::Route const& route) const {
    slot.served = served_of_route_.at(static_cast<std::size_t>(&route - table_->routes().data()));
}

void Gateway::on_passing(http::ExchangeId id, std::string_view content) {
    read_figures(content, active(id).figures);
}

// One that a worker was given.
void Gateway::ended(Active& slot, End const& end) {
    slot.lease.count(end.outcome, end.first_byte, end.total);
    if (slot.figures.any()) {
        bool const generates = slot.endpoint->work == dispatch::Work::Chat;
        add_times(slot.figures, generates, slot.streams ? end.first_byte : std::nullopt, end.total);
        slot.lease.count(work_of(slot.figures));
    }
    record(slot, end);
}

void Gateway::record(Active const& slot, End const& end) {
    if (!log_.takes_one()) return;
    auto const& [name, model] = served_.at(slot.served);
    auto const now = world_.loop.now();
    auto const whole = now - slot.arrived;
    log_.add({.id = std::string{slot.client_id.empty() ? ids_.text(slot.number) : slot.client_id},
              .slot = name,
              .model = model,
              .path = std::string{slot.endpoint->path},
              .began = std::chrono::system_clock::now() - whole,
              .status = end.status,
              .outcome = std::string{dispatch::to_string(end.outcome)},
              .waited_s = in_seconds(std::max(whole - end.total, Duration::zero())),
              .first_byte_s = end.first_byte ? std::optional{in_seconds(*end.first_byte)} : std::nullopt,
              .total_s = in_seconds(end.total),
              .figures = slot.figures,
              .stream = slot.streams,
              .in_flight =
                  std::max<std::int64_t>(slot.in_flight, static_cast<std::int64_t>(slot.lease.in_flight())),
              .answer_bytes = static_cast<std::int64_t>(end.answer_bytes)});
}

}  // namespace hal0::api
