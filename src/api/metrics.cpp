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

class Metrics;

// What is told at one scrape.
struct Scrape {
    std::string const& version;
    std::vector<SlotView> const& slots;
    std::vector<SlotCounts> const& counts;
};

enum class Type { Gauge, Counter, Histogram };
constexpr std::array<std::string_view, 3> type_names{"gauge", "counter", "histogram"};

struct Family {
    std::string_view name;
    Type type;
    std::string_view labels;  // of its samples, in their order: "slot,state"
    std::string_view help;
    void (*write)(Metrics&, Scrape const&);  // all its samples
};

class Metrics {
  public:
    // Everything of one family follows at once.
    void tell(Family const& family, Scrape const& scrape) {
        family_ = &family;
        out_ += format("# HELP {0} {1}\n# TYPE {0} {2}\n", family.name, family.help,
                       type_names.at(static_cast<std::size_t>(family.type)));
        family.write(*this, scrape);
    }
    // `labels`: the values of the family's first ones.
    template <class Number>
    void sample(std::initializer_list<std::string_view> labels, Number value, std::string_view suffix = "") {
        auto const names = split(family_->labels, ',');
        std::vector<std::string> pairs;
        pairs.reserve(labels.size());
        for (auto const label : labels)
            pairs.push_back(format("{}=\"{}\"", names.at(pairs.size()), label_value(label)));
        out_ += format("{}{}{{{}}} {}\n", family_->name, suffix, join(pairs, ","), value);
    }
    void histogram(std::string_view slot, dispatch::Times const& times) {
        std::uint64_t up_to = 0;
        for (std::size_t i = 0; i < times.buckets.size(); ++i) {
            up_to += times.buckets.at(i);
            auto const bound = std::chrono::duration<double>(dispatch::bucket_bounds.at(i)).count();
            sample({slot, format("{}", bound)}, up_to, "_bucket");
        }
        // Counted by others meanwhile: it is never less than what is in the buckets.
        auto const all = std::max(times.count, up_to);
        sample({slot, "+Inf"}, all, "_bucket");
        sample({slot}, std::chrono::duration<double>(times.sum).count(), "_sum");
        sample({slot}, all, "_count");
    }
    std::string take() { return std::move(out_); }

  private:
    Family const* family_{nullptr};
    std::string out_{};
};

void write_build(Metrics& metrics, Scrape const& scrape) { metrics.sample({scrape.version}, 1); }

void write_info(Metrics& metrics, Scrape const& scrape) {
    for (auto const& slot : scrape.slots)
        metrics.sample({slot.name, slot.model, slot.kind.value_or(""), slot.provider, slot.version,
                        slot.backend, slot.device},
                       1);
}

using slots::State;
constexpr std::array states{State::Offline, State::Starting,  State::Loading,
                            State::Ready,   State::Unloading, State::Error};

void write_states(Metrics& metrics, Scrape const& scrape) {
    for (auto const& slot : scrape.slots) {
        for (auto const state : states)
            metrics.sample({slot.name, to_string(state)}, slot.state == to_string(state) ? 1 : 0);
    }
}

void write_requests(Metrics& metrics, Scrape const& scrape) {
    for (auto const& of : scrape.counts) {
        for (std::size_t i = 0; i < dispatch::outcome_names.size(); ++i)
            metrics.sample({of.slot, dispatch::outcome_names.at(i)}, of.requests.requests.at(i));
    }
}

template <auto value> void write_slots(Metrics& metrics, Scrape const& scrape) {
    for (auto const& slot : scrape.slots)
        metrics.sample({slot.name}, value(slot));
}

template <auto value> void write_counts(Metrics& metrics, Scrape const& scrape) {
    for (auto const& of : scrape.counts)
        metrics.sample({of.slot}, value(of));
}

template <auto times> void write_times(Metrics& metrics, Scrape const& scrape) {
    for (auto const& of : scrape.counts)
        metrics.histogram(of.slot, times(of));
}

constexpr std::array families{
    Family{"hal0_build_info", Type::Gauge, "version", "The daemon's version: always 1.", &write_build},
    Family{"hal0_slot_info", Type::Gauge, "slot,model,kind,engine,version,backend,device",
           "What a slot serves: always 1.", &write_info},
    Family{"hal0_slot_state", Type::Gauge, "slot,state", "1 for the state that a slot is in.", &write_states},
    Family{"hal0_slot_output_suspicious", Type::Gauge, "slot",
           "1 where its output looked like garbage when it came up.",
           &write_slots<[](SlotView const& slot) { return slot.suspicious.has_value() ? 1 : 0; }>},
    Family{"hal0_slot_resident_bytes", Type::Gauge, "slot",
           "Memory of its worker's process that is resident; 0 while none lives.",
           &write_slots<[](SlotView const& slot) { return slot.memory.value_or(0); }>},
    Family{"hal0_slot_context_tokens", Type::Gauge, "slot", "Tokens that one request can use.",
           &write_slots<[](SlotView const& slot) { return slot.context; }>},
    Family{"hal0_slot_requests_in_flight", Type::Gauge, "slot", "Requests being served.",
           &write_slots<[](SlotView const& slot) { return slot.in_flight; }>},
    Family{"hal0_slot_requests_waiting", Type::Gauge, "slot", "Requests that wait for it to come up.",
           &write_slots<[](SlotView const& slot) { return slot.waiting; }>},
    Family{"hal0_slot_loads_total", Type::Counter, "slot", "Times that this daemon loaded it.",
           &write_slots<[](SlotView const& slot) { return slot.loads; }>},
    Family{"hal0_slot_restarts_total", Type::Counter, "slot",
           "Times that this daemon started it again after an unasked-for end.",
           &write_slots<[](SlotView const& slot) { return slot.restarts; }>},
    Family{"hal0_requests_total", Type::Counter, "slot,outcome",
           "Requests on a slot, by how they ended; refused: its worker was given none of them, for it didn't "
           "come up, not in time, or too many waited.",
           &write_requests},
    Family{"hal0_request_first_byte_seconds", Type::Histogram, "slot,le",
           "From a request's way to the worker to the first byte of its answer.",
           &write_times<[](SlotCounts const& of) { return of.requests.first_byte; }>},
    Family{"hal0_request_seconds", Type::Histogram, "slot,le",
           "From a request's way to the worker to the end of its answer.",
           &write_times<[](SlotCounts const& of) { return of.requests.total; }>},
    Family{
        "hal0_slot_prompt_tokens_total", Type::Counter, "slot",
        "Tokens of prompts that were computed, as the answers tell it; those from the worker's cache apart.",
        &write_counts<[](SlotCounts const& of) { return of.requests.work.prompt; }>},
    Family{"hal0_slot_cached_tokens_total", Type::Counter, "slot",
           "Tokens of prompts that the worker had in its cache.",
           &write_counts<[](SlotCounts const& of) { return of.requests.work.cached; }>},
    Family{"hal0_slot_generated_tokens_total", Type::Counter, "slot", "Tokens of answers.",
           &write_counts<[](SlotCounts const& of) { return of.requests.work.generated; }>},
    Family{
        "hal0_slot_prompt_seconds_total", Type::Counter, "slot",
        "What computing prompts took: rate(hal0_slot_prompt_tokens_total) by the rate of this is prompt "
        "tokens/s. "
        "Answers that tell no time, those of /v1/messages and of /v1/responses in one piece, are not in it.",
        &write_counts<[](SlotCounts const& of) { return in_seconds(of.requests.work.prompt_time); }>},
    Family{"hal0_slot_generated_seconds_total", Type::Counter, "slot",
           "What generating took, as above; of a stream that tells no time, from its first byte to its last.",
           &write_counts<[](SlotCounts const& of) { return in_seconds(of.requests.work.generated_time); }>},
    Family{"hal0_slot_load_seconds", Type::Histogram, "slot,le",
           "From a worker's start to its word that it is ready.",
           &write_times<[](SlotCounts const& of) { return of.loads; }>}};

}  // namespace

std::string render_metrics(std::string const& version, std::vector<SlotView> const& slots,
                           std::vector<SlotCounts> const& counts) {
    Metrics metrics;
    for (auto const& family : families)
        metrics.tell(family, {.version = version, .slots = slots, .counts = counts});
    return metrics.take();
}

std::vector<MetricDoc> metric_docs() {
    std::vector<MetricDoc> docs;
    docs.reserve(families.size());
    for (auto const& family : families)
        docs.push_back({family.name, type_names.at(static_cast<std::size_t>(family.type)),
                        split(family.labels, ','), family.help});
    return docs;
}

}  // namespace hal0::api
