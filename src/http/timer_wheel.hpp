#pragma once
// Deadlines of many connections, coarse and cheap: a wheel of wheel_slots lists, one per wheel_tick. A
// deadline that moves away, as one on silence does with each byte, costs a few instructions.
#include <array>
#include <cstdint>

#include "base/no_copy.hpp"
#include "base/units.hpp"
#include "http/limits.hpp"
#include "os/loop.hpp"

namespace hal0::http {

// A place in one of the wheel's lists; alone it is a list of its own. The wheel's business only.
struct WheelEntry {
    static constexpr std::uint64_t never = UINT64_MAX;

    WheelEntry* previous{this};
    WheelEntry* following{this};
    std::uint64_t due_tick{never};  // the tick to be called at
    std::uint64_t placed_tick{0};   // the tick whose list it stands in: never after `due_tick`
};

// Who is called when its time is over. Destroying it takes it off the wheel.
class Deadline : public WheelEntry, NoCopy {
  public:
    virtual void on_deadline() = 0;

  protected:
    Deadline() = default;
    ~Deadline();
};

class TimerWheel final : NoCopy {
  public:
    explicit TimerWheel(os::Loop& loop);
    // Calls `deadline` once, `after` from now or up to two ticks later; an earlier setting is forgotten.
    void set(Deadline& deadline, Duration after);
    void clear(Deadline& deadline) { deadline.due_tick = WheelEntry::never; }

  private:
    [[nodiscard]] std::uint64_t now_tick() const;
    void place(Deadline& deadline);
    void turn();
    void visit(std::uint64_t tick);
    void wake_at(std::uint64_t tick);
    [[nodiscard]] std::uint64_t next_tick_in_use() const;
    WheelEntry& slot(std::uint64_t tick) { return slots_[tick % wheel_slots]; }
    [[nodiscard]] bool empty(std::uint64_t tick) const;

    os::Loop& loop_;
    TimePoint start_;
    std::uint64_t tick_{0};  // all lists up to this one were visited
    std::uint64_t wake_{WheelEntry::never};
    std::array<WheelEntry, wheel_slots> slots_{};
    os::Timer timer_;
};

}  // namespace hal0::http
