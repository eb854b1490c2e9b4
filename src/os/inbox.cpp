#include "os/inbox.hpp"

#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <utility>

#include "os/file.hpp"

namespace hal0::os {

Result<std::unique_ptr<Inbox>> Inbox::make(Loop& loop) {
    UniqueFd event{::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
    if (!event.open()) return errno_error(errno, "creating an inbox (eventfd)");
    std::unique_ptr<Inbox> inbox{new Inbox{loop, std::move(event)}};
    // Edge-triggered: each write is told, and the counter needs no reading (one system call less a wake).
    HAL0_CHECK(loop.watch(inbox->event_.get(), Ready::Read, Trigger::Edge, *inbox));
    return inbox;
}

Inbox::~Inbox() { loop_.unwatch(event_.get(), *this); }

void Inbox::post(std::function<void()> work) {
    bool first = false;
    {
        std::lock_guard const lock{guard_};
        first = queue_.empty();
        queue_.push_back(std::move(work));
    }
    if (!first) return;  // the one before us has woken the loop, and it takes all there is
    std::uint64_t const one = 1;
    // Can't fail but for a counter at its end, after 2^64 posts.
    [[maybe_unused]] auto const written = ::write(event_.get(), &one, sizeof one);
}

void Inbox::on_ready(Ready) {
    std::vector<std::function<void()>> work;
    {
        std::lock_guard const lock{guard_};
        work.swap(queue_);
    }
    for (auto& item : work)
        item();  // may destroy this inbox: nothing of it is touched from here on
}

}  // namespace hal0::os
