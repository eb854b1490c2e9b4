#pragma once
// How one thread gives work to a loop that belongs to another: a queue and an eventfd. The only way in.
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include "base/no_copy.hpp"
#include "base/result.hpp"
#include "os/loop.hpp"

namespace hal0::os {

class Inbox final : NoCopy, FdHandler {
  public:
    // Registers with `loop`, which must outlive it. Made and destroyed on the loop's thread, destroyed only
    // when nobody posts any more (their threads joined).
    static Result<std::unique_ptr<Inbox>> make(Loop& loop);
    ~Inbox();

    // From any thread: `work` runs on the loop's thread, in the order of posting. Work still queued when the
    // inbox is destroyed is destroyed unrun.
    void post(std::function<void()> work);

  private:
    Inbox(Loop& loop, UniqueFd event) : loop_{loop}, event_{std::move(event)} {}
    void on_ready(Ready ready) override;

    Loop& loop_;
    UniqueFd event_;
    std::mutex guard_{};
    std::vector<std::function<void()>> queue_{};  // guarded by guard_
};

}  // namespace hal0::os
