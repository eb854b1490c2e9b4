#pragma once
// The control plane's side of dispatch: owns the gates, publishes route tables to the loops, and performs
// what the scheduler decides. Lives on the control loop; the loops reach it through the ControlPort it is.
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/no_copy.hpp"
#include "dispatch/gate.hpp"
#include "dispatch/ports.hpp"
#include "dispatch/route_table.hpp"
#include "dispatch/scheduler.hpp"
#include "os/inbox.hpp"
#include "os/loop.hpp"

namespace hal0::dispatch {

// What the dispatcher asks of whoever owns the slots.
class SlotWaker {
  public:
    // Bring the slot up; its opening or failure is told later. An Error refuses at once (nothing to load,
    // crash loop).
    virtual Result<void> wake(std::string const& slot) = 0;
    virtual void drained(std::string const& slot) = 0;  // after close(): the last request has left

  protected:
    ~SlotWaker() = default;
};

struct SlotFacts {
    std::string slot{};
    std::string model{};
    std::optional<models::Kind> kind{};  // nothing while it isn't known
    std::int64_t context{0};             // tokens one request can use
    std::int64_t created{0};             // Unix time
    bool operator==(SlotFacts const&) const = default;
};

class Dispatcher final : public ControlPort, NoCopy {
  public:
    struct Settings {
        QueueLimits queue{};
        Duration wait_max{};  // a cold request's patience
    };
    Dispatcher(os::Loop& loop, os::Inbox& inbox, SlotWaker& waker, Settings const& settings);

    void add_loop(LoopPort& port);  // before the first publish; its number is its place in order

    // ---- from the owner of the slots, on the control loop
    void upsert(SlotFacts const& facts);
    void remove(std::string const& slot);  // its gate must be closed and drained
    void open(std::string const& slot, os::Address const& worker, std::string const& key);
    void close(std::string const& slot);  // drained() follows, perhaps at once through the inbox
    // The same where nobody is being served; false, and nothing is closed, where somebody is.
    bool close_if_idle(std::string const& slot);
    void failed(std::string const& slot, Error const& why);
    // The daemon ends: who waits, and who would from now on, is refused with `why`.
    void end(Error const& why);

    [[nodiscard]] std::uint64_t in_flight(std::string const& slot) const;
    // How long it has had no request; nothing while it has one.
    [[nodiscard]] std::optional<Duration> idle_for(std::string const& slot) const;
    // What became of its requests since the daemon began; all 0 for one that never was.
    [[nodiscard]] SlotTally::Reading tally(std::string const& slot) const;
    [[nodiscard]] std::optional<os::Address> worker(std::string const& slot) const;  // as last opened
    [[nodiscard]] std::size_t waiting(std::string const& slot) const { return scheduler_.waiting(slot); }

    // ---- ControlPort, from any thread
    void wanted(Ticket ticket, std::string slot, Bytes body) override;
    void cancelled(Ticket ticket) override;
    void table_seen(std::uint32_t loop, std::uint64_t version) override;

  private:
    struct Entry {
        SlotFacts facts{};
        os::Address worker{};
        std::string key{};
    };
    struct Published {
        std::uint64_t version{0};
        std::unique_ptr<RouteTable const> table;
    };

    void publish();
    void perform(std::vector<Action> const& actions);
    void arm_deadline();
    SlotGate& gate(std::string const& slot);

    os::Inbox& inbox_;
    SlotWaker& waker_;
    Duration wait_max_;
    os::Loop& loop_;
    Scheduler scheduler_;
    os::Timer deadline_;
    std::vector<LoopPort*> loops_{};
    std::vector<std::uint64_t> seen_{};  // by loop: the latest table it reads
    std::vector<Published> tables_{};    // oldest first; all but the last are kept for loops that are behind
    std::uint64_t version_{0};
    std::map<std::string, Entry> slots_{};
    // By name, and never freed while the daemon lives: a late lease of a removed slot still finds its gate,
    // and a slot created again under the name takes it over.
    std::map<std::string, std::unique_ptr<SlotGate>> gates_{};
};

}  // namespace hal0::dispatch
