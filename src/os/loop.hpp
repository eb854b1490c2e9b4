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
    Hangup = 4,  // the peer closed its side or the whole connection (EPOLLRDHUP | EPOLLHUP)
    Fault = 8,   // EPOLLERR
};
constexpr Ready operator|(Ready a, Ready b) {
    return static_cast<Ready>(static_cast<std::uint32_t>(a) | static_cast<std::uint32_t>(b));
}
constexpr bool has(Ready set, Ready bit) {
    return (static_cast<std::uint32_t>(set) & static_cast<std::uint32_t>(bit)) != 0;
}

enum class Trigger { Level, Edge };

// Who is told. A handler unwatches its descriptor before it is destroyed; after unwatch() it is not called
// again, not even for events already taken from the kernel in the same turn.
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

    // `fd` stays the caller's. Hangup and Fault are always reported. Edge-triggered registrations are made
    // once for both directions and never modified.
    Result<void> watch(int fd, Ready wanted, Trigger trigger, FdHandler& handler);
    // A listening socket that several loops watch: one of them is woken per connection (EPOLLEXCLUSIVE).
    Result<void> watch_shared_listener(int fd, FdHandler& handler);
    void rewatch(int fd, Ready wanted, FdHandler& handler);  // level-triggered only: change what is wanted
    void unwatch(int fd, FdHandler& handler);

    // Runs until stop(); one turn handles all ready descriptors, then due timers, then what was deferred.
    void run();
    void stop() { running_ = false; }
    // One turn, waiting at most `longest` for something to happen. For tests and for short-lived clients.
    void run_once(Duration longest);

    // Called at the end of the current turn: the safe place to destroy what may be on the call stack now.
    void defer(std::function<void()> work);

    // Time as read once per turn: cheap, and the same for everything in one turn.
    [[nodiscard]] TimePoint now() const { return now_; }

  private:
    friend class Timer;
    struct Batch;

    explicit Loop(UniqueFd epoll);
    void dispatch(int longest_ms);
    void fire_due();
    void run_deferred();
    [[nodiscard]] int wait_ms(Duration longest) const;
    void timer_insert(Timer& timer);
    void timer_remove(Timer& timer);
    void sift_up(std::size_t at);
    void sift_down(std::size_t at);

    UniqueFd epoll_;
    std::unique_ptr<Batch> batch_;  // events taken from the kernel and not yet handled
    std::vector<Timer*> heap_{};    // binary heap by the place each timer was put at
    std::vector<std::function<void()>> deferred_{};
    TimePoint now_{};
    bool running_{false};
};

// One deadline. Starting it again moves it; a later deadline costs nothing until the earlier one is reached.
class Timer final : NoCopy {
  public:
    Timer(Loop& loop, std::function<void()> due) : loop_{loop}, due_{std::move(due)} {}
    ~Timer() { stop(); }

    void start(Duration after);
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
};

}  // namespace hal0::os
