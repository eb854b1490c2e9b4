#pragma once
// The seam between a slot and whatever keeps its worker: the process launcher, or systemd.
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/result.hpp"
#include "engines/worker_spec.hpp"
#include "os/child.hpp"

namespace hal0::slots {

// A worker as a slot has it. Destroying it stops the watching, never the worker.
class Worker {
  public:
    virtual ~Worker() = default;
    // Nothing while whoever keeps it hasn't told.
    [[nodiscard]] virtual std::optional<int> pid() const = 0;
    // To all that belongs to it. From within `ended` too: for what it leaves behind.
    virtual Result<void> signal(int number) = 0;
    // Who keeps it, as `systemctl status` takes it; empty where nobody does.
    [[nodiscard]] virtual std::string unit() const { return {}; }
};

// A worker that an earlier daemon started.
struct Found {
    std::unique_ptr<Worker> worker;
    // What it runs; nothing when its run directory doesn't say any more: it lives, and can't be used.
    std::optional<engines::WorkerSpec> spec{};
};

class Launcher {
  public:
    // How it ended, with nothing of it left; an Error: it never ran. Told once, on the loop, never from
    // within launch() or adopt(); it may destroy the worker.
    using Ended = std::function<void(Result<os::ExitStatus>)>;

    virtual ~Launcher() = default;
    // The worker writes to the slot's log and outlives this process. Where to reach it is in the spec; the
    // key that it wants is made here.
    virtual Result<std::unique_ptr<Worker>> launch(std::string const& slot, engines::WorkerSpec const& spec,
                                                   Ended ended) = 0;
    // Nothing when no worker of that slot lives.
    virtual Result<std::optional<Found>> adopt(std::string const& slot, Ended ended) = 0;
    // Removes what is left of a slot without a worker: its socket, key, spec and lock; not its log.
    virtual Result<void> forget(std::string const& slot) = 0;
};

}  // namespace hal0::slots
