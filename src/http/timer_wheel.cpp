#include "http/timer_wheel.hpp"

#include <algorithm>

namespace hal0::http {
namespace {

void put_before(WheelEntry& place, WheelEntry& entry) {
    entry.previous = place.previous;
    entry.following = &place;
    place.previous->following = &entry;
    place.previous = &entry;
}

void unlink(WheelEntry& entry) {
    entry.previous->following = entry.following;
    entry.following->previous = entry.previous;
    entry.previous = &entry;
    entry.following = &entry;
}

// Moves what stands in `list` to the empty `to`.
void move_all(WheelEntry& list, WheelEntry& to) {
    put_before(list, to);
    unlink(list);
}

}  // namespace

Deadline::~Deadline() { unlink(*this); }

TimerWheel::TimerWheel(os::Loop& loop) : loop_{loop}, start_{loop.now()}, timer_{loop, [this] { turn(); }} {}

std::uint64_t TimerWheel::now_tick() const {
    return static_cast<std::uint64_t>((loop_.now() - start_) / wheel_tick);
}

void TimerWheel::set(Deadline& deadline, Duration after) {
    auto const wait = std::clamp<Duration>(after, Duration::zero(), std::chrono::hours{24 * 365});
    if (wake_ == WheelEntry::never) tick_ = std::max(tick_, now_tick());  // it stood still while it was empty
    // The tick under way counts as over, so that none is called early.
    deadline.due_tick = std::max(now_tick(), tick_) + static_cast<std::uint64_t>(wait / wheel_tick) + 1 +
                        (wait % wheel_tick == Duration::zero() ? 0 : 1);
    bool const linked = deadline.following != &deadline;
    if (linked && deadline.placed_tick <= deadline.due_tick) return;
    unlink(deadline);
    place(deadline);
}

void TimerWheel::place(Deadline& deadline) {
    deadline.placed_tick = std::min(deadline.due_tick, tick_ + wheel_slots - 1);
    put_before(slot(deadline.placed_tick), deadline);
    if (deadline.placed_tick < wake_) wake_at(deadline.placed_tick);
}

void TimerWheel::wake_at(std::uint64_t tick) {
    wake_ = tick;
    timer_.start(start_ + static_cast<Duration::rep>(tick) * wheel_tick - loop_.now());
}

bool TimerWheel::empty(std::uint64_t tick) const {
    auto const& list = slots_[tick % wheel_slots];
    return list.following == &list;
}

std::uint64_t TimerWheel::next_tick_in_use() const {
    for (auto tick = tick_ + 1; tick < tick_ + wheel_slots; ++tick)
        if (!empty(tick)) return tick;
    return WheelEntry::never;
}

void TimerWheel::turn() {
    // Whatever is set while deadlines are called is placed after the present tick: this ends.
    auto const now = now_tick();
    wake_ = 0;
    while (tick_ < now) {
        auto const next = next_tick_in_use();
        tick_ = std::min(now, next);
        if (next <= now) visit(next);
    }
    wake_ = WheelEntry::never;
    if (auto const next = next_tick_in_use(); next != WheelEntry::never) wake_at(next);
}

void TimerWheel::visit(std::uint64_t tick) {
    // The list is taken off first: a deadline called may set or destroy itself and any other.
    WheelEntry taken;
    move_all(slot(tick), taken);
    while (taken.following != &taken) {
        auto& deadline = static_cast<Deadline&>(*taken.following);
        unlink(deadline);
        if (deadline.due_tick == WheelEntry::never) continue;
        if (deadline.due_tick > tick_) {
            place(deadline);
            continue;
        }
        deadline.due_tick = WheelEntry::never;
        deadline.on_deadline();
    }
}

}  // namespace hal0::http
