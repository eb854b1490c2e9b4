#pragma once
// One thread's event loop over epoll: readiness of descriptors, and timers. Everything here is called on the
// loop's own thread; other threads reach it through an Inbox (os/inbox.hpp).
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "base/no_copy.hpp"
#include "base/result.hpp"
#include "base/units.hpp"
#include "os/unique_fd.hpp"

namespace hal0::os {

// What a descriptor is ready for; a set of bits.
enum class Ready : std::uint32_t {
    None = 0,
    Read = 1,    // bytes, a connection, or the end of the stream
    Write = 2,   // room to write, or a connect that finished
    Hangup = 4,  // the peer closed its sending side (EPOLLRDHUP) or the whole connection (EPOLLHUP)
    Fault = 8,   // EPOLLERR
};
constexpr Ready operator|(Ready a, Ready b) {
    return static_cast<Ready>(static_cast<std::uint32_t>(a) | static_cast<std::uint32_t>(b));
}
constexpr bool has(Ready set, Ready bit) {
    return (static_cast<std::uint32_t>(set) & static_cast<std::uint32_t>(bit)) != 0;
}

enum class Trigger { Level, Edge };

// Who is told, of one descriptor: what watches two needs two handlers (unwatch() forgets by handler). A
// handler unwatches its descriptor before it is destroyed; after unwatch() it is not called again, not even
// for events already taken from the kernel in the same turn.
class FdHandler {
  public:
    virtual void on_ready(Ready ready) = 0;

  protected:
    ~FdHandler() = default;
};

class Timer;

class Loop final : NoCopy {
  public:
    // Fails where the kernel gives no epoll or event descriptor (limits).
    static Result<std::unique_ptr<Loop>> make();
    ~Loop();

    // `fd` stays the caller's. Fault and the end of the whole connection are always reported; the end of the
    // peer's sending side only where Read or Hangup is wanted, as a level-triggered watch would report it
    // turn after turn. Edge-triggered, Write is free on TCP, where room is told of only after a write that
    // met none; a unix socket tells of it each time the peer reads.
    Result<void> watch(int fd, Ready wanted, Trigger trigger, FdHandler& handler);
    // A listening socket that several loops watch: one of them is woken per connection (EPOLLEXCLUSIVE).
    Result<void> watch_shared_listener(int fd, FdHandler& handler);
    // Changes what is wanted. What the descriptor is ready for already is told once more, edge-triggered too.
    void rewatch(int fd, Ready wanted, Trigger trigger, FdHandler& handler);
    // Before close() too, which does not end the watch while a child between fork and exec has the
    // descriptor.
    void unwatch(int fd, FdHandler& handler);

    // Runs until stop(); one turn handles all ready descriptors, then due timers.
    // stop() ends the run() in progress, after its turn; before run() it does nothing. Neither run() nor
    // run_once() may be called from within a turn.
    void run();
    void stop() { running_ = false; }
    // One turn, waiting at most `longest` for something to happen. For tests and for short-lived clients.
    void run_once(Duration longest);

    // Time as read once per turn: cheap, and the same for everything in one turn. Between turns (before
    // run(), in a test) it is the clock's own, so that a timer started there isn't early.
    [[nodiscard]] TimePoint now() const { return in_turn_ ? now_ : Clock::now(); }

  private:
    friend class Timer;
    struct Batch;

    explicit Loop(UniqueFd epoll);
    void dispatch(int longest_ms);
    void fire_due();
    [[nodiscard]] int wait_ms(Duration longest) const;
    void timer_insert(Timer& timer);
    void timer_remove(Timer& timer);
    void sift_up(std::size_t at);
    void sift_down(std::size_t at);

    UniqueFd epoll_;
    std::unique_ptr<Batch> batch_;  // events taken from the kernel and not yet handled
    std::vector<Timer*> heap_{};    // binary heap by the place each timer was put at
    TimePoint now_{};
    bool in_turn_{false};
    bool running_{false};
};

// One deadline. Starting it again moves it; a later deadline costs nothing until the earlier one is reached.
// Fires once per start, in a turn after the one it was started in at the earliest when that turn's timers are
// already being fired. `due` may start, stop or destroy its own timer and any other.
class Timer final : NoCopy {
  public:
    Timer(Loop& loop, std::function<void()> due) : loop_{loop}, due_{std::move(due)} {}
    ~Timer();

    void start(Duration after);  // zero or less: as soon as can be; Duration::max(): never
    void stop();
    [[nodiscard]] bool running() const { return armed_; }

  private:
    friend class Loop;
    Loop& loop_;
    std::function<void()> due_;
    TimePoint deadline_{};         // when it shall fire
    TimePoint placed_{};           // the time its place in the heap stands for: never after deadline_
    std::size_t place_{SIZE_MAX};  // index in the heap, SIZE_MAX when it isn't there
    bool armed_{false};
    bool* destroyed_{nullptr};  // set while `due_` runs: where to say that it destroyed this
};

}  // namespace hal0::os
