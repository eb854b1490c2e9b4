#pragma once
// What happens, as a numbered stream that a client can leave and rejoin where it was.
#include <compare>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/no_copy.hpp"
#include "base/result.hpp"
#include "base/units.hpp"

namespace hal0::history {

// "EPOCH-SEQ": the epoch is this daemon's start (milliseconds since 1970), so that an id of an earlier daemon
// is known as such and never mistaken for one of ours.
struct EventId {
    std::uint64_t epoch{0};
    std::uint64_t sequence{0};
    auto operator<=>(EventId const&) const = default;  // in the order of time
};
std::string to_string(EventId id);
std::optional<EventId> parse_event_id(std::string_view text);

struct Event {
    EventId id{};
    WallTime time{};
    std::string type{};     // "slot.state", "job", …
    std::string subject{};  // which slot or job
    std::string data{};     // its body, JSON, made in wire/
};

class EventStream final : NoCopy {
  public:
    // Keeps the last `kept_max` events for those who come back.
    EventStream(std::uint64_t epoch, std::size_t kept_max) : epoch_{epoch}, kept_max_{kept_max} {}

    EventId publish(WallTime time, std::string type, std::string subject, std::string data);

    // What came after `last`. `complete` is false when some of that is gone (too old, another daemon's): the
    // client must look at the present state first.
    struct Missed {
        std::vector<Event> events{};
        bool complete{true};
    };
    [[nodiscard]] Missed since(EventId last) const;
    // since(oldest()) gives all that is kept, and is complete.
    [[nodiscard]] EventId oldest() const { return {epoch_, sequence_ - kept_.size()}; }
    [[nodiscard]] EventId latest() const { return {epoch_, sequence_}; }

    using Listener = std::function<void(Event const&)>;
    std::uint64_t subscribe(
        Listener listener);  // gives the number to unsubscribe with; fine from within a listener
    void unsubscribe(std::uint64_t number);

  private:
    std::uint64_t epoch_;
    std::size_t kept_max_;
    std::uint64_t sequence_{0};
    std::deque<Event> kept_{};
    std::uint64_t next_listener_{1};
    std::map<std::uint64_t, Listener> listeners_{};
};

}  // namespace hal0::history
