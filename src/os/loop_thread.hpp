#pragma once
// A thread that runs one loop, from start() to the end of this object.
#include <thread>

#include "base/no_copy.hpp"
#include "os/inbox.hpp"
#include "os/loop.hpp"

namespace hal0::os {

class LoopThread final : NoCopy {
  public:
    // Both outlive it. `inbox` is the loop's.
    LoopThread(Loop& loop, Inbox& inbox) : loop_{loop}, inbox_{inbox} {}
    // Stops the loop after its turn and joins the thread, which must not be the one that destroys this.
    ~LoopThread() {
        if (!thread_.joinable()) return;
        inbox_.post([loop = &loop_] { loop->stop(); });
        thread_.join();
    }
    void start() {  // once
        thread_ = std::thread{[loop = &loop_] { loop->run(); }};
    }

  private:
    Loop& loop_;
    Inbox& inbox_;
    std::thread thread_{};
};

}  // namespace hal0::os
