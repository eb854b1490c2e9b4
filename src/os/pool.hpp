#pragma once
// A few threads for work that blocks or takes long (large JSON, shortening a log). The answer comes back to
// the asking loop as one more event.
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "base/no_copy.hpp"
#include "os/inbox.hpp"

namespace hal0::os {

class Pool final : NoCopy {
  public:
    explicit Pool(std::size_t threads);  // threads start with the first work
    ~Pool() { close(); }

    // `work()` on a pool thread, then `then(its result)` on the loop behind `home`. Work can't be called
    // back: whoever destroys `home` closes the pool first. On a closed pool nothing comes of it.
    template <class Work, class Then> void run(Inbox& home, Work work, Then then) {
        push([&home, work = std::move(work), then = std::move(then)]() mutable {
            auto answer = std::make_shared<decltype(work())>(work());
            home.post(
                [answer = std::move(answer), then = std::move(then)]() mutable { then(std::move(*answer)); });
        });
    }
    // Drops what waits and comes back when what runs has ended and posted its answer: from here on no thread
    // of the pool's touches anything. On the thread that owns the pool.
    void close();

  private:
    void push(std::function<void()> job);
    void serve();

    std::size_t const threads_wanted_;
    std::mutex guard_{};
    std::condition_variable changed_{};
    std::deque<std::function<void()>> jobs_{};  // guarded by guard_
    bool closing_{false};                       // guarded by guard_
    std::vector<std::thread> threads_{};        // grows under guard_, joined by the owner
};

}  // namespace hal0::os
