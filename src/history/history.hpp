#pragma once
// What happened, kept on disk by one writer on a thread of its own. Nobody waits for it: what can't be
// written is dropped, counted, and said once.
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/no_copy.hpp"
#include "base/result.hpp"
#include "base/units.hpp"
#include "history/store.hpp"
#include "os/inbox.hpp"
#include "os/loop.hpp"
#include "os/pool.hpp"

namespace hal0::history {

// On the control loop.
class History final : NoCopy {
  public:
    // All of these outlive it. `pool`: of one thread, and this history's alone; closed before end().
    struct World {
        os::Loop& loop;
        os::Inbox& inbox;
        os::Pool& pool;
        std::function<void(std::string const&)>
            tell;  // a sentence for the log, when something is amiss, or is again well
        Duration flush_pause{std::chrono::seconds{1}};
        Duration retry_pause{std::chrono::seconds{10}};  // after a write that failed
        Duration prune_pause{std::chrono::minutes{1}};
    };
    // `kept_for` of zero: nothing is kept, no file is made, and questions are Unsupported.
    History(World world, Store::Settings const& settings);

    void add(Event const& event);
    void add(LoadRecord load);
    void add(std::vector<RequestRecord> requests);
    // So many happened of which nothing was gathered.
    void count_dropped(std::uint64_t records) { dropped_ += records; }
    [[nodiscard]] std::uint64_t dropped() const { return dropped_; }

    template <class T> using Done = std::function<void(Result<T>)>;
    // What was added before is among them.
    void requests(Query query, Done<std::vector<RequestRecord>> done);
    void loads(Query query, Done<std::vector<LoadRecord>> done);
    void events(EventQuery query, Done<std::vector<Event>> done);
    void baseline(std::string slot, std::string model, std::string settings, Done<Baseline> done);
    void events_between(EventId after, EventId until, Done<PastEvents> done);

    // Writes what is left, here and now. The last call: the daemon ends, and the pool is closed.
    void end();

  private:
    struct Write {
        Batch batch{};
        bool written{false};  // by the pool's thread
    };
    [[nodiscard]] bool has_room(std::size_t records);
    void grew();
    void write();
    void wrote(Result<std::string> const& outcome);
    void failed(Error const& why);
    void prune();
    template <class T, class Ask> void ask(Ask question, Done<T> done);

    World world_;
    Store store_;  // touched by the pool's thread alone, until end()
    bool off_;
    Batch waiting_{};
    std::deque<std::unique_ptr<Write>> under_way_{};  // the first is being written
    std::size_t under_way_records_{0};
    std::uint64_t dropped_{0};
    std::uint64_t dropped_while_failing_{0};
    bool failing_{false};
    bool pruning_{false};
    os::Timer flush_;
    os::Timer prune_;
};

}  // namespace hal0::history
