#pragma once
// Keeps the logs short that grow for as long as their writers live: the workers', and the daemon's own where
// that is STATE/hal0.log.
#include <string>
#include <vector>

#include "base/log.hpp"
#include "base/no_copy.hpp"
#include "os/inbox.hpp"
#include "os/loop.hpp"
#include "os/places.hpp"
#include "os/pool.hpp"

namespace hal0::app {

class LogKeeper final : NoCopy {
  public:
    // All of these outlive it.
    struct World {
        os::Loop& loop;
        os::Inbox& inbox;
        os::Pool& pool;
        Log& log;
    };
    LogKeeper(World const& world, os::Places places);

    void look();  // now, and from now on every minute

  private:
    [[nodiscard]] std::vector<std::string> logs() const;

    World world_;
    os::Places places_;
    os::Timer timer_;
};

}  // namespace hal0::app
