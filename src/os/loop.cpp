#include "os/loop.hpp"

#include <sys/epoll.h>

#include <algorithm>
#include <array>
#include <cassert>
#include <cerrno>
#include <limits>

#include "os/file.hpp"

namespace hal0::os {
namespace {

constexpr std::size_t events_per_turn_max = 256;

std::uint32_t epoll_bits(Ready wanted, Trigger trigger) {
    std::uint32_t bits = trigger == Trigger::Edge ? std::uint32_t{EPOLLET} : 0;
    if (has(wanted, Ready::Read)) bits |= EPOLLIN | EPOLLRDHUP;
    if (has(wanted, Ready::Hangup)) bits |= EPOLLRDHUP;
    if (has(wanted, Ready::Write)) bits |= EPOLLOUT;
    return bits;
}

Ready ready_bits(std::uint32_t bits) {
    Ready ready = Ready::None;
    if ((bits & EPOLLIN) != 0) ready = ready | Ready::Read;
    if ((bits & EPOLLOUT) != 0) ready = ready | Ready::Write;
    if ((bits & (EPOLLRDHUP | EPOLLHUP)) != 0) ready = ready | Ready::Hangup;
    if ((bits & EPOLLERR) != 0) ready = ready | Ready::Fault;
    return ready;
}

}  // namespace

struct Loop::Batch {
    std::array<epoll_event, events_per_turn_max> events{};
    std::size_t next{0};
    std::size_t count{0};
};

Result<std::unique_ptr<Loop>> Loop::make() {
    UniqueFd epoll{::epoll_create1(EPOLL_CLOEXEC)};
    if (!epoll.open()) return errno_error(errno, "creating an event loop (epoll_create1)");
    return std::unique_ptr<Loop>{new Loop{std::move(epoll)}};
}

Loop::Loop(UniqueFd epoll)
    : epoll_{std::move(epoll)}, batch_{std::make_unique<Batch>()}, now_{Clock::now()} {}

Loop::~Loop() {
    for (auto* timer : heap_)
        timer->place_ = SIZE_MAX;
}

Result<void> Loop::watch(int fd, Ready wanted, Trigger trigger, FdHandler& handler) {
    epoll_event event{};
    event.events = epoll_bits(wanted, trigger);
    event.data.ptr = &handler;
    if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) != 0) {
        return errno_error(errno, "watching a descriptor (epoll_ctl)");
    }
    return {};
}

Result<void> Loop::watch_shared_listener(int fd, FdHandler& handler) {
    epoll_event event{};
    event.events = EPOLLIN | EPOLLEXCLUSIVE;
    event.data.ptr = &handler;
    if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) != 0) {
        return errno_error(errno, "watching a listening socket (epoll_ctl)");
    }
    return {};
}

void Loop::rewatch(int fd, Ready wanted, Trigger trigger, FdHandler& handler) {
    epoll_event event{};
    event.events = epoll_bits(wanted, trigger);
    event.data.ptr = &handler;
    // Can fail only for a descriptor that isn't watched (EBADF, ENOENT): a bug of the caller's.
    [[maybe_unused]] int const failed = ::epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, fd, &event);
    assert(failed == 0);
}

void Loop::unwatch(int fd, FdHandler& handler) {
    ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, fd, nullptr);
    for (std::size_t i = batch_->next; i < batch_->count; ++i) {
        if (batch_->events[i].data.ptr == &handler) batch_->events[i].data.ptr = nullptr;
    }
}

void Loop::run() {
    running_ = true;
    while (running_)
        run_once(Duration::max());
}

void Loop::run_once(Duration longest) {
    assert(!in_turn_);
    dispatch(wait_ms(longest));
    fire_due();
    in_turn_ = false;
}

void Loop::dispatch(int longest_ms) {
    int const count = ::epoll_wait(epoll_.get(), batch_->events.data(),
                                   static_cast<int>(batch_->events.size()), longest_ms);
    now_ = Clock::now();
    in_turn_ = true;
    // An interrupted wait (EINTR) is a turn without events.
    batch_->count = count > 0 ? static_cast<std::size_t>(count) : 0;
    for (batch_->next = 0; batch_->next < batch_->count;) {
        auto const& event = batch_->events[batch_->next++];
        if (event.data.ptr != nullptr)
            static_cast<FdHandler*>(event.data.ptr)->on_ready(ready_bits(event.events));
    }
    batch_->count = 0;
}

int Loop::wait_ms(Duration longest) const {
    using std::chrono::milliseconds;
    auto wait = longest;
    if (!heap_.empty()) wait = std::min(wait, heap_.front()->placed_ - Clock::now());
    if (wait == Duration::max()) return -1;
    wait = std::max(wait, Duration::zero());  // a negative time would mean for ever
    auto const ms = std::chrono::ceil<milliseconds>(wait).count();
    return static_cast<int>(std::min<std::int64_t>(ms, std::numeric_limits<int>::max()));
}

void Loop::fire_due() {
    while (!heap_.empty() && heap_.front()->placed_ <= now_) {
        Timer& timer = *heap_.front();
        // It was started again since: put it where it belongs now, also where it is due already, so that a
        // late turn fires in the order of the deadlines.
        if (timer.placed_ < timer.deadline_) {
            timer.placed_ = timer.deadline_;
            sift_down(0);
            continue;
        }
        timer_remove(timer);
        timer.armed_ = false;
        // The function is held here while it runs, for it may destroy the timer it stands in.
        bool destroyed = false;
        timer.destroyed_ = &destroyed;
        auto due = std::move(timer.due_);
        due();
        if (destroyed) continue;
        timer.due_ = std::move(due);
        timer.destroyed_ = nullptr;
    }
}

void Loop::timer_insert(Timer& timer) {
    timer.place_ = heap_.size();
    heap_.push_back(&timer);
    sift_up(timer.place_);
}

void Loop::timer_remove(Timer& timer) {
    auto const at = timer.place_;
    timer.place_ = SIZE_MAX;
    Timer* const last = heap_.back();
    heap_.pop_back();
    if (last == &timer) return;
    heap_.at(at) = last;
    last->place_ = at;
    sift_up(at);
    sift_down(last->place_);
}

void Loop::sift_up(std::size_t at) {
    while (at > 0) {
        auto const parent = (at - 1) / 2;
        if (heap_[parent]->placed_ <= heap_[at]->placed_) return;
        std::swap(heap_[parent], heap_[at]);
        heap_[parent]->place_ = parent;
        heap_[at]->place_ = at;
        at = parent;
    }
}

void Loop::sift_down(std::size_t at) {
    while (true) {
        auto child = 2 * at + 1;
        if (child >= heap_.size()) return;
        if (child + 1 < heap_.size() && heap_[child + 1]->placed_ < heap_[child]->placed_) ++child;
        if (heap_[at]->placed_ <= heap_[child]->placed_) return;
        std::swap(heap_[child], heap_[at]);
        heap_[child]->place_ = child;
        heap_[at]->place_ = at;
        at = child;
    }
}

Timer::~Timer() {
    if (destroyed_ != nullptr) *destroyed_ = true;
    stop();
}

void Timer::start(Duration after) {
    // Never due in the turn whose timers are being fired: what starts itself at once mustn't keep the
    // descriptors waiting.
    auto const now = loop_.now();
    deadline_ = now + std::clamp(after, Duration{1}, TimePoint::max() - now);
    armed_ = true;
    if (place_ == SIZE_MAX) {
        placed_ = deadline_;
        loop_.timer_insert(*this);
    } else if (deadline_ < placed_) {
        placed_ = deadline_;
        loop_.sift_up(place_);
    }
}

void Timer::stop() {
    armed_ = false;
    if (place_ != SIZE_MAX) loop_.timer_remove(*this);
}

}  // namespace hal0::os
