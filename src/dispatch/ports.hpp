#pragma once
// What the control plane and the data loops say to each other about requests. Every call may come from any
// thread: implementations post to the inbox of the side they speak for.
#include <cstdint>
#include <string>

#include "base/error.hpp"
#include "base/units.hpp"
#include "dispatch/route_table.hpp"
#include "dispatch/scheduler.hpp"

namespace hal0::dispatch {

// A loop's side, spoken to by the control plane.
class LoopPort {
  public:
    // `table` stays readable until a later version has been reported seen.
    virtual void publish(RouteTable const& table, std::uint64_t version) = 0;
    virtual void grant(Ticket ticket) = 0;  // the slot is open: look it up and enter again
    virtual void refuse(Ticket ticket, Error why) = 0;
    virtual void forget_worker(os::Address worker) = 0;  // pooled connections to it are of no use any more

  protected:
    ~LoopPort() = default;
};

// The control plane's side, spoken to by the loops.
class ControlPort {
  public:
    virtual void wanted(Ticket ticket, std::string slot, Bytes body) = 0;
    virtual void cancelled(Ticket ticket) = 0;
    virtual void table_seen(std::uint32_t loop, std::uint64_t version) = 0;

  protected:
    ~ControlPort() = default;
};

}  // namespace hal0::dispatch
