#pragma once
// Workers as services of systemd: hal0-slot@INSTANCE.service, a static template (packaging/). They outlive
// the daemon, and systemd tells how each of them ends, also to the next daemon.
#include <memory>
#include <string>

#include "base/no_copy.hpp"
#include "os/loop.hpp"
#include "os/places.hpp"
#include "slots/launcher.hpp"
#include "slots/unit_run.hpp"

namespace hal0::slots {

class SystemdLauncher final : public Launcher, NoCopy {
  public:
    // `units_runtime`: the runtime directory that a unit finds by itself (slots/unit_name.hpp).
    SystemdLauncher(std::unique_ptr<UnitManager> manager, os::Places places, std::string units_runtime)
        : manager_{std::move(manager)},
          places_{std::move(places)},
          units_runtime_{std::move(units_runtime)} {}

    Result<std::unique_ptr<Worker>> launch(std::string const& slot, engines::WorkerSpec const& spec,
                                           Ended ended) override;
    // A worker that a process launcher started is found as well.
    Result<std::optional<Found>> adopt(std::string const& slot, Ended ended) override;
    Result<void> forget(std::string const& slot) override;

    // Whether the manager has the template, and can use it.
    Result<void> check();

  private:
    [[nodiscard]] Result<std::string> unit_of(std::string const& slot) const;

    std::unique_ptr<UnitManager> manager_;
    os::Places places_;
    std::string units_runtime_;
};

}  // namespace hal0::slots
