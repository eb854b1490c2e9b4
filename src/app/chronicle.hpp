#pragma once
// Tells the history what happens: the events, the loads of slots, and the requests that the data loops tell
// of.
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "api/request_log.hpp"
#include "app/speed_watch.hpp"
#include "base/no_copy.hpp"
#include "base/units.hpp"
#include "history/event_stream.hpp"
#include "history/history.hpp"
#include "os/inbox.hpp"
#include "slots/status.hpp"

namespace hal0::app {

// On the control loop, but for ended().
class Chronicle final : public api::RecordPort, NoCopy {
  public:
    // All of these outlive it; `inbox` is the control plane's.
    struct World {
        os::Inbox& inbox;
        history::EventStream& events;
        history::History& history;
        SpeedWatch& speeds;
    };
    explicit Chronicle(World const& world);
    ~Chronicle();

    void slot_changed(slots::SlotStatus const& status);
    void slot_ready(slots::SlotStatus const& status);
    void slot_removed(std::string const& slot);
    // What its past says of it, for people.
    [[nodiscard]] std::vector<std::string> explain(std::string const& slot) const {
        return world_.speeds.explain(slot);
    }

    // api::RecordPort, from any thread
    void ended(std::vector<history::RequestRecord> requests, std::uint64_t unrecorded) override;

  private:
    void take(std::vector<history::RequestRecord> requests, std::uint64_t unrecorded);

    World world_;
    std::uint64_t listener_;
    std::map<std::string, TimePoint> loading_{};  // by slot, since when
};

}  // namespace hal0::app
