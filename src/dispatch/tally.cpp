#include "dispatch/tally.hpp"

#include <algorithm>
#include <chrono>

namespace hal0::dispatch {
namespace {

// bucket_bounds.size() for one over all of them.
std::size_t bucket_of(Duration time) {
    return static_cast<std::size_t>(std::ranges::lower_bound(bucket_bounds, time) - bucket_bounds.begin());
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
    sum_ns.fetch_add(std::chrono::duration_cast<std::chrono::nanoseconds>(time).count(), relaxed);
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

SlotTally::Reading SlotTally::read() const {
    Reading reading;
    for (std::size_t i = 0; i < requests_.size(); ++i)
        reading.requests.at(i) = requests_.at(i).load(relaxed);
    reading.first_byte = first_byte_.read();
    reading.total = total_.read();
    return reading;
}

}  // namespace hal0::dispatch
