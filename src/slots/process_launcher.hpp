#pragma once
// Workers as processes of this daemon's user, each in a session of its own: they outlive the daemon, and the
// next one finds them by the lock they hold.
#include <string>

#include "base/no_copy.hpp"
#include "os/loop.hpp"
#include "os/places.hpp"
#include "slots/launcher.hpp"
#include "slots/run_dir.hpp"

namespace hal0::slots {

class ProcessLauncher final : public Launcher, NoCopy {
  public:
    // `self`: the program that `slot exec NAME` is asked of; it must find the same places by the environment.
    ProcessLauncher(os::Loop& loop, os::Places places, std::string self)
        : loop_{loop}, places_{std::move(places)}, self_{std::move(self)} {}

    Result<std::unique_ptr<Worker>> launch(std::string const& slot, engines::WorkerSpec const& spec,
                                           Ended ended) override;
    Result<std::optional<Found>> adopt(std::string const& slot, Ended ended) override;
    Result<void> forget(std::string const& slot) override;

  private:
    os::Loop& loop_;
    os::Places places_;
    std::string self_;
};

// Who holds the slot's lock, whoever started it; its exit status can't be known. For launchers.
Result<std::optional<Found>> adopt_holder(os::Loop& loop, RunDir const& run, Launcher::Ended ended);

}  // namespace hal0::slots
