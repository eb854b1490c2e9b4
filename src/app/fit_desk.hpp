#pragma once
// Answers what a model would take, on the control loop, by asking the pool, one question after the other. The
// model asked for last is held open with its planner for half a minute: somebody may be moving a slider.
#include <chrono>
#include <deque>
#include <functional>
#include <memory>

#include "app/fit.hpp"
#include "base/no_copy.hpp"
#include "os/inbox.hpp"
#include "os/loop.hpp"
#include "os/pool.hpp"

namespace hal0::app {

inline constexpr Duration fit_held_for = std::chrono::seconds{30};
inline constexpr Duration fit_box_age_max = std::chrono::seconds{2};
// With a planner that doesn't answer: so long it holds one of the pool's threads, and a stop of the daemon.
inline constexpr Duration fit_patience = std::chrono::seconds{10};
inline constexpr std::size_t fits_waiting_max = 64;

class FitDesk final : NoCopy {
  public:
    using Answer = std::function<void(Result<wire::FitView>)>;
    // All of these outlive it, and the pool is closed before it is destroyed.
    struct World {
        os::Loop& loop;
        os::Inbox& inbox;
        os::Pool& pool;
        os::Places const& places;
        Library const& library;
    };
    explicit FitDesk(World world);
    ~FitDesk();

    // `answer` is called once, later. Busy when too many wait.
    void ask(wire::FitQuestion question, Answer answer);
    // Models or engines have come or gone: what is held open is let go before the next answer.
    void supplies_changed() { stale_ = true; }

  private:
    struct Held;  // by the one question that is being answered, on the pool
    struct Asked {
        wire::FitQuestion question{};
        Answer answer{};
    };
    void next();
    void told(Result<wire::FitView> view);
    void let_go();

    World world_;
    std::shared_ptr<Held> held_;
    std::deque<Asked> asked_{};  // the first is being answered
    bool stale_{false};
    os::Timer forget_;
};

}  // namespace hal0::app
