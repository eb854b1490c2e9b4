#pragma once
// Reads what a slot's worker truly holds, when it is ready and before it goes, and keeps that beside its
// model: the next estimate learns of it. On a thread of the pool's, one at a time; nothing waits for it, and
// nothing is read but for these two moments.
#include <deque>
#include <functional>
#include <string>

#include "app/library.hpp"
#include "base/log.hpp"
#include "base/no_copy.hpp"
#include "base/result.hpp"
#include "hardware/machine.hpp"
#include "hardware/report.hpp"
#include "os/inbox.hpp"
#include "os/places.hpp"
#include "os/pool.hpp"

namespace hal0::app {

// Just loaded, it has done no work yet. Of a worker that an earlier daemon started, or that is to go, nobody
// knows what it has done.
enum class Moment : std::uint8_t { Loaded, Used };

struct WorkerReading {
    std::string slot{};
    int pid{0};
    Moment moment{Moment::Used};
    bool operator==(WorkerReading const&) const = default;
};

// What a reading calls the load of this worker.
std::string load_name(int pid);

// Blocks. Gives a sentence for the log, or nothing to say. NotFound when that worker is gone; Unsupported
// where its settings are such that nothing can be learned.
Result<std::string> measure(os::Places const& places, Library const& library, WorkerReading const& worker);

// On the control loop.
class Measuring final : NoCopy {
  public:
    using Measure = std::function<Result<std::string>(WorkerReading const&)>;  // called on the pool's threads

    // All of these outlive it, and the pool is closed before it is destroyed.
    Measuring(os::Inbox& inbox, os::Pool& pool, Log& log, Measure measure)
        : inbox_{inbox}, pool_{pool}, log_{log}, measure_{std::move(measure)} {}

    void look_at(WorkerReading worker);
    [[nodiscard]] bool idle() const { return waiting_.empty(); }

  private:
    void next();
    void told(Result<std::string> const& note);

    os::Inbox& inbox_;
    os::Pool& pool_;
    Log& log_;
    Measure measure_;
    std::deque<WorkerReading> waiting_{};  // the first is being read
};

// What figures are worth only together with: which box they are of, and which card.
std::string box_name(hardware::Machine& machine);
std::string card_name(hardware::HardwareReport const& report, std::string const& device);

}  // namespace hal0::app
