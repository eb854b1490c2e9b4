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
    HAL0_CHECK(loop.watch(inbox->event_.get(), Ready::Read, Trigger::Level, *inbox));
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
    // Can't fail but for a counter at its end, which also means that the loop is awake.
    [[maybe_unused]] auto const written = ::write(event_.get(), &one, sizeof one);
}

void Inbox::on_ready(Ready) {
    std::uint64_t count = 0;
    [[maybe_unused]] auto const got = ::read(event_.get(), &count, sizeof count);
    std::vector<std::function<void()>> work;
    {
        std::lock_guard const lock{guard_};
        work.swap(queue_);
    }
    for (auto& item : work)
        item();
}

}  // namespace hal0::os
