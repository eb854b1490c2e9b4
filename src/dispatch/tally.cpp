#include "dispatch/tally.hpp"

#include <algorithm>
#include <chrono>

namespace hal0::dispatch {
namespace {

// bucket_bounds.size() for one over all of them.
std::size_t bucket_of(Duration time) {
    return static_cast<std::size_t>(std::ranges::lower_bound(bucket_bounds, time) - bucket_bounds.begin());
}

std::int64_t ns_of(Duration time) {
    return std::chrono::duration_cast<std::chrono::nanoseconds>(time).count();
}

constexpr auto relaxed = std::memory_order_relaxed;  // each figure stands for itself

}  // namespace

void Times::add(Duration time) {
    if (auto const bucket = bucket_of(time); bucket < buckets.size()) ++buckets.at(bucket);
    ++count;
    sum += time;
}

void SlotTally::AtomicTimes::add(Duration time) {
    if (auto const bucket = bucket_of(time); bucket < buckets.size())
        buckets.at(bucket).fetch_add(1, relaxed);
    count.fetch_add(1, relaxed);
    sum_ns.fetch_add(ns_of(time), relaxed);
}

Times SlotTally::AtomicTimes::read() const {
    Times times;
    for (std::size_t i = 0; i < buckets.size(); ++i)
        times.buckets.at(i) = buckets.at(i).load(relaxed);
    times.count = count.load(relaxed);
    times.sum = std::chrono::nanoseconds{sum_ns.load(relaxed)};
    return times;
}

void SlotTally::count(Outcome outcome, std::optional<Duration> first_byte, Duration total) {
    requests_.at(static_cast<std::size_t>(outcome)).fetch_add(1, relaxed);
    if (first_byte) first_byte_.add(*first_byte);
    total_.add(total);
}

void SlotTally::count_unserved(Outcome outcome) {
    requests_.at(static_cast<std::size_t>(outcome)).fetch_add(1, relaxed);
}

void SlotTally::count(TokenWork const& work) {
    prompt_tokens_.fetch_add(work.prompt, relaxed);
    cached_tokens_.fetch_add(work.cached, relaxed);
    generated_tokens_.fetch_add(work.generated, relaxed);
    prompt_ns_.fetch_add(ns_of(work.prompt_time), relaxed);
    generated_ns_.fetch_add(ns_of(work.generated_time), relaxed);
}

SlotTally::Reading SlotTally::read() const {
    Reading reading;
    for (std::size_t i = 0; i < requests_.size(); ++i)
        reading.requests.at(i) = requests_.at(i).load(relaxed);
    reading.first_byte = first_byte_.read();
    reading.total = total_.read();
    reading.work = {.prompt = prompt_tokens_.load(relaxed),
                    .cached = cached_tokens_.load(relaxed),
                    .generated = generated_tokens_.load(relaxed),
                    .prompt_time = std::chrono::nanoseconds{prompt_ns_.load(relaxed)},
                    .generated_time = std::chrono::nanoseconds{generated_ns_.load(relaxed)}};
    return reading;
}

}  // namespace hal0::dispatch
