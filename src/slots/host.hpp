#pragma once
// What the slots tell the house around them. Implemented in app/, which passes it on to dispatch and history:
// the room slots knows neither.
#include <optional>
#include <string>

#include "base/error.hpp"
#include "base/units.hpp"
#include "os/net.hpp"
#include "slots/status.hpp"

namespace hal0::slots {

class SlotHost {
  public:
    // Something visible changed, or the slot is new.
    virtual void slot_changed(SlotStatus const& status) = 0;
    virtual void slot_ready(std::string const& slot, os::Address const& worker, std::string const& key) = 0;
    // Let nobody in any more; SlotTable::drained(slot) is wanted once the last request has left (also at
    // once).
    virtual void slot_closing(std::string const& slot) = 0;
    // How long it has had no request; nothing while it has one.
    [[nodiscard]] virtual std::optional<Duration> slot_idle_for(std::string const& slot) const = 0;
    // Closes it as slot_closing() does, where it serves nobody; false, and it stays open, where it does.
    virtual bool slot_close_if_idle(std::string const& slot) = 0;
    // Its worker is gone without warning: requests in flight see their connections end by themselves.
    virtual void slot_lost(std::string const& slot) = 0;
    // It will not come up by itself now: whoever waits shall know why.
    virtual void slot_failed(std::string const& slot, Error const& why) = 0;
    // A file in the slots' directory that can be none's, by its name. Once for each.
    virtual void file_ignored(std::string const& path, Error const& why) = 0;
    virtual void slot_removed(std::string const& slot) = 0;  // its file is gone and its worker too

  protected:
    ~SlotHost() = default;
};

}  // namespace hal0::slots
