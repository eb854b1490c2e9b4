#pragma once
// What all connections of one server use together: one of each per loop.
#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "base/no_copy.hpp"
#include "http/inbound.hpp"
#include "http/limits.hpp"
#include "http/server.hpp"
#include "http/timer_wheel.hpp"
#include "http/upstream_pool.hpp"
#include "os/loop.hpp"

namespace hal0::http {

class Connection;

// Where connections end up.
class ConnectionOwner {
  public:
    virtual void on_closed(Connection& connection) = 0;

  protected:
    ~ConnectionOwner() = default;
};

struct Shared final : NoCopy {
    Shared(os::Loop& on, Handler& told, ServerLimits const& within, ConnectionOwner& owned_by)
        : loop{on},
          handler{told},
          limits{within},
          bodies_held_max{std::max(within.bodies_in_flight_max, within.body_max + within.body_max)},
          owner{owned_by} {}

    // Gives the connection a turn of its own soon, when others had theirs.
    void later(Connection& connection);

    os::Loop& loop;
    Handler& handler;
    ServerLimits const limits;
    Bytes const bodies_held_max;
    ConnectionOwner& owner;
    TimerWheel wheel{loop};
    UpstreamPool upstreams{loop, wheel};
    InboundSpares inbounds{};
    ServerCounters counters{};
    bool draining{false};

    // Valid from a read to the end of its handling; only what an event began reads, never a handler's call.
    std::array<char, scratch_bytes> scratch;
    // Used within one function each.
    std::string head_text{};
    std::string body_text{};
    ResponseHead response_head{};

  private:
    void give_turns();
    std::vector<Connection*> waiting_{};
    std::vector<Connection*> in_turn_{};
    os::Timer turns_{loop, [this] { give_turns(); }};
};

}  // namespace hal0::http
