#include "dispatch/gate.hpp"

#include <cassert>

namespace hal0::dispatch {

bool SlotGate::enter() {
    auto word = word_.load(std::memory_order_relaxed);
    do {
        if ((word & closed_bit) != 0) return false;
    } while (
        !word_.compare_exchange_weak(word, word + 1, std::memory_order_acquire, std::memory_order_relaxed));
    return true;
}

void SlotGate::leave() {
    note_time();  // before the count says that nobody is in it
    auto const before = word_.fetch_sub(1, std::memory_order_acq_rel);
    assert((before & ~closed_bit) > 0);
    if (before == (closed_bit | 1U)) drained_();
}

void SlotGate::note_time() {
    last_left_ns_.store(std::chrono::nanoseconds{Clock::now().time_since_epoch()}.count(),
                        std::memory_order_relaxed);
}

void SlotGate::open() {
    note_time();
    word_.fetch_and(~closed_bit, std::memory_order_acq_rel);
}

void SlotGate::close() {
    if (word_.fetch_or(closed_bit, std::memory_order_acq_rel) == 0) drained_();
}

bool SlotGate::close_if_empty() {
    std::uint64_t empty = 0;
    if (!word_.compare_exchange_strong(empty, closed_bit, std::memory_order_acq_rel)) return false;
    drained_();
    return true;
}

}  // namespace hal0::dispatch
