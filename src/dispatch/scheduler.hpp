#pragma once
// Who is served, who waits, who is told no: pure decisions over requests for slots that aren't ready. Nothing
// here does anything; the caller performs the actions.
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/error.hpp"
#include "base/units.hpp"

namespace hal0::dispatch {

// One waiting request, named by who holds it. Opaque to the scheduler.
struct Ticket {
    std::uint32_t loop{0};
    std::uint32_t connection{0};
    std::uint32_t generation{0};
    auto operator<=>(Ticket const&) const = default;
};

// ---- what happens
struct Wanted {  // a request found its slot closed
    Ticket ticket{};
    std::string slot{};
    Bytes body{};          // held in memory while it waits
    TimePoint deadline{};  // when its client shall be told that it took too long
};
struct Cancelled {  // its client went away
    Ticket ticket{};
};
struct SlotUp {  // the slot's gate is open
    std::string slot{};
};
struct SlotFailed {  // it will not come up by itself now: every waiter shall know why
    std::string slot{};
    Error why{};
};
struct Tick {
    TimePoint now{};
};
struct Ended {  // nobody is let in any more: neither who waits nor who comes
    Error why{};
};
using Event = std::variant<Wanted, Cancelled, SlotUp, SlotFailed, Tick, Ended>;

// ---- what shall be done
struct Wake {  // load this slot; asked for every request, for only the slot knows whether it is coming up
    std::string slot{};
    bool operator==(Wake const&) const = default;
};
struct Grant {  // try again now
    Ticket ticket{};
    bool operator==(Grant const&) const = default;
};
struct Refuse {
    Ticket ticket{};
    Error why{};
    bool operator==(Refuse const&) const = default;
};
using Action = std::variant<Wake, Grant, Refuse>;

struct QueueLimits {
    std::size_t waiting_max{1024};  // over all slots
    Bytes bytes_max{256_MiB};       // request bodies held by the waiting, over all slots
};

class Scheduler {
  public:
    explicit Scheduler(QueueLimits limits) : limits_{limits} {}

    [[nodiscard]] std::vector<Action> on(Event const& event);

    [[nodiscard]] std::size_t waiting(std::string const& slot) const;
    [[nodiscard]] std::size_t waiting() const { return count_; }
    [[nodiscard]] Bytes bytes_waiting() const { return bytes_; }
    // The earliest deadline of all that wait; TimePoint::max() when nobody does.
    [[nodiscard]] TimePoint next_deadline() const;

  private:
    struct Waiter {
        Ticket ticket{};
        Bytes body{};
        TimePoint deadline{};
    };
    using Queue = std::deque<Waiter>;

    void handle(Wanted const& event, std::vector<Action>& out);
    void handle(Cancelled const& event, std::vector<Action>& out);
    void handle(SlotUp const& event, std::vector<Action>& out);
    void handle(SlotFailed const& event, std::vector<Action>& out);
    void handle(Tick const& event, std::vector<Action>& out);
    void handle(Ended const& event, std::vector<Action>& out);
    Queue take(std::string const& slot);
    void forget(Waiter const& waiter);

    QueueLimits limits_;
    std::optional<Error> ended_{};           // why nobody is let in
    std::map<std::string, Queue> queues_{};  // a queue that is here isn't empty
    std::size_t count_{0};
    Bytes bytes_{};
};

}  // namespace hal0::dispatch
