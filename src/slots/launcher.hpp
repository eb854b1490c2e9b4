#pragma once
// The seam between a slot and whatever keeps its worker: the process launcher, or systemd.
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/secret.hpp"
#include "engines/worker_spec.hpp"
#include "os/child.hpp"

namespace hal0::slots {

// A worker that an earlier daemon started.
struct Found {
    std::unique_ptr<os::Process> process;
    // What it runs; nothing when its run directory doesn't say any more: it lives, and can't be used.
    std::optional<engines::WorkerSpec> spec{};
};

class Launcher {
  public:
    using Ended = std::function<void(os::ExitStatus)>;

    // The worker writes to the slot's log and outlives this process. Where to reach it is in the spec; the
    // key that it wants is made here.
    virtual Result<std::unique_ptr<os::Process>> launch(std::string const& slot,
                                                        engines::WorkerSpec const& spec, Ended ended) = 0;
    // Nothing when no worker of that slot lives.
    virtual Result<std::optional<Found>> adopt(std::string const& slot, Ended ended) = 0;
    // Removes what is left of a slot without a worker.
    virtual Result<void> forget(std::string const& slot) = 0;

  protected:
    ~Launcher() = default;
};

}  // namespace hal0::slots
