#include "api/metrics.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <initializer_list>
#include <string_view>
#include <utility>

#include "base/format.hpp"
#include "base/text.hpp"
#include "slots/status.hpp"

namespace hal0::api {
namespace {

using wire::SlotView;

// As the format has it: backslash, quote and line feed.
std::string label_value(std::string_view text) {
    std::string out;
    for (char const c : text) {
        if (c == '\n') {
            out += "\\n";
            continue;
        }
        if (c == '\\' || c == '"') out += '\\';
        out += c;
    }
    return out;
}

using Labels = std::initializer_list<std::pair<std::string_view, std::string_view>>;

class Metrics {
  public:
    enum class Type { Gauge, Counter, Histogram };
    // Everything of one family follows at once.
    void family(std::string_view name, Type type, std::string_view help) {
        constexpr std::array<std::string_view, 3> names{"gauge", "counter", "histogram"};
        name_ = name;
        out_ += format("# HELP {} {}\n# TYPE {} {}\n", name, help, name,
                       names.at(static_cast<std::size_t>(type)));
    }
    template <class Number> void sample(Labels labels, Number value, std::string_view suffix = "") {
        std::vector<std::string> pairs;
        pairs.reserve(labels.size());
        for (auto const& [name, text] : labels)
            pairs.push_back(format("{}=\"{}\"", name, label_value(text)));
        out_ += format("{}{}{{{}}} {}\n", name_, suffix, join(pairs, ","), value);
    }
    void histogram(std::string_view slot, dispatch::Times const& times) {
        std::uint64_t up_to = 0;
        for (std::size_t i = 0; i < times.buckets.size(); ++i) {
            up_to += times.buckets.at(i);
            auto const bound = std::chrono::duration<double>(dispatch::bucket_bounds.at(i)).count();
            sample({{"slot", slot}, {"le", format("{}", bound)}}, up_to, "_bucket");
        }
        // Counted by others meanwhile: it is never less than what is in the buckets.
        auto const all = std::max(times.count, up_to);
        sample({{"slot", slot}, {"le", "+Inf"}}, all, "_bucket");
        sample({{"slot", slot}}, std::chrono::duration<double>(times.sum).count(), "_sum");
        sample({{"slot", slot}}, all, "_count");
    }
    std::string take() { return std::move(out_); }

  private:
    std::string_view name_{};
    std::string out_{};
};

struct OfSlot {
    std::string_view name;
    Metrics::Type type;
    std::string_view help;
    std::int64_t (*value)(SlotView const&);
};
constexpr std::array of_slots{
    OfSlot{"hal0_slot_output_suspicious", Metrics::Type::Gauge,
           "1 where its output looked like garbage when it came up.",
           [](SlotView const& slot) { return std::int64_t{slot.suspicious.has_value()}; }},
    OfSlot{"hal0_slot_resident_bytes", Metrics::Type::Gauge,
           "Memory of its worker's process that is resident; 0 while none lives.",
           [](SlotView const& slot) { return slot.memory.value_or(0); }},
    OfSlot{"hal0_slot_context_tokens", Metrics::Type::Gauge, "Tokens that one request can use.",
           [](SlotView const& slot) { return slot.context; }},
    OfSlot{"hal0_slot_requests_in_flight", Metrics::Type::Gauge, "Requests being served.",
           [](SlotView const& slot) { return slot.in_flight; }},
    OfSlot{"hal0_slot_requests_waiting", Metrics::Type::Gauge, "Requests that wait for it to come up.",
           [](SlotView const& slot) { return slot.waiting; }},
    OfSlot{"hal0_slot_loads_total", Metrics::Type::Counter, "Times that this daemon loaded it.",
           [](SlotView const& slot) { return slot.loads; }},
    OfSlot{"hal0_slot_restarts_total", Metrics::Type::Counter,
           "Times that this daemon started it again after an unasked-for end.",
           [](SlotView const& slot) { return slot.restarts; }}};

using slots::State;
constexpr std::array states{State::Offline, State::Starting,  State::Loading,
                            State::Ready,   State::Unloading, State::Error};

void add_slots(Metrics& metrics, std::vector<SlotView> const& slots) {
    metrics.family("hal0_slot_info", Metrics::Type::Gauge, "What a slot serves: always 1.");
    for (auto const& slot : slots)
        metrics.sample({{"slot", slot.name},
                        {"model", slot.model},
                        {"kind", slot.kind.value_or("")},
                        {"engine", slot.provider},
                        {"version", slot.version},
                        {"backend", slot.backend},
                        {"device", slot.device}},
                       1);
    metrics.family("hal0_slot_state", Metrics::Type::Gauge, "1 for the state that a slot is in.");
    for (auto const& slot : slots) {
        for (auto const state : states)
            metrics.sample({{"slot", slot.name}, {"state", to_string(state)}},
                           slot.state == to_string(state) ? 1 : 0);
    }
    for (auto const& row : of_slots) {
        metrics.family(row.name, row.type, row.help);
        for (auto const& slot : slots)
            metrics.sample({{"slot", slot.name}}, row.value(slot));
    }
}

struct OfTimes {
    std::string_view name;
    std::string_view help;
    dispatch::Times const& (*times)(SlotCounts const&);
};
constexpr std::array of_times{
    OfTimes{"hal0_request_first_byte_seconds",
            "From a request's way to the worker to the first byte of its answer.",
            [](SlotCounts const& of) -> dispatch::Times const& { return of.requests.first_byte; }},
    OfTimes{"hal0_request_seconds", "From a request's way to the worker to the end of its answer.",
            [](SlotCounts const& of) -> dispatch::Times const& { return of.requests.total; }},
    OfTimes{"hal0_slot_load_seconds", "From a worker's start to its word that it is ready.",
            [](SlotCounts const& of) -> dispatch::Times const& { return of.loads; }}};

void add_counts(Metrics& metrics, std::vector<SlotCounts> const& counts) {
    metrics.family(
        "hal0_requests_total", Metrics::Type::Counter,
        "Requests that a slot's worker was given, by how they ended; refused or given up before: not in it.");
    for (auto const& of : counts) {
        for (std::size_t i = 0; i < dispatch::outcome_names.size(); ++i)
            metrics.sample({{"slot", of.slot}, {"outcome", dispatch::outcome_names.at(i)}},
                           of.requests.requests.at(i));
    }
    for (auto const& row : of_times) {
        metrics.family(row.name, Metrics::Type::Histogram, row.help);
        for (auto const& of : counts)
            metrics.histogram(of.slot, row.times(of));
    }
}

}  // namespace

std::string render_metrics(std::string const& version, std::vector<SlotView> const& slots,
                           std::vector<SlotCounts> const& counts) {
    Metrics metrics;
    metrics.family("hal0_build_info", Metrics::Type::Gauge, "The daemon's version: always 1.");
    metrics.sample({{"version", version}}, 1);
    add_slots(metrics, slots);
    add_counts(metrics, counts);
    return metrics.take();
}

}  // namespace hal0::api
