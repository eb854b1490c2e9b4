#include "os/pool.hpp"

namespace hal0::os {

Pool::Pool(std::size_t threads) : threads_wanted_{threads} {}

void Pool::close() {
    std::deque<std::function<void()>> dropped;  // destroyed outside the lock: whatever it holds may come here
    {
        std::lock_guard const lock{guard_};
        closing_ = true;
        dropped.swap(jobs_);
    }
    changed_.notify_all();
    for (auto& thread : threads_)  // there will be no more of them
        thread.join();
    threads_.clear();
}

void Pool::push(std::function<void()> job) {
    {
        std::lock_guard const lock{guard_};
        if (closing_) return;
        jobs_.push_back(std::move(job));
        if (threads_.size() < threads_wanted_) threads_.emplace_back([this] { serve(); });
    }
    changed_.notify_one();
}

void Pool::serve() {
    while (true) {
        std::function<void()> job;
        {
            std::unique_lock lock{guard_};
            changed_.wait(lock, [this] { return closing_ || !jobs_.empty(); });
            if (closing_) return;
            job = std::move(jobs_.front());
            jobs_.pop_front();
        }
        job();
    }
}

}  // namespace hal0::os
