#pragma once
// A few threads for work that blocks (hashing, large JSON, DNS, directory walks). The answer comes back to
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
    ~Pool();                             // finishes what runs, drops what waits

    // `work()` on a pool thread, then `then(its result)` on the loop behind `home`, which must outlive the
    // work.
    template <class Work, class Then> void run(Inbox& home, Work work, Then then) {
        push([&home, work = std::move(work), then = std::move(then)]() mutable {
            auto answer = std::make_shared<decltype(work())>(work());
            home.post(
                [answer = std::move(answer), then = std::move(then)]() mutable { then(std::move(*answer)); });
        });
    }

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
