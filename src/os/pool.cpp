#include "os/pool.hpp"

namespace hal0::os {

Pool::Pool(std::size_t threads) : threads_wanted_{threads} {}

Pool::~Pool() {
    {
        std::lock_guard const lock{guard_};
        closing_ = true;
        jobs_.clear();
    }
    changed_.notify_all();
    for (auto& thread : threads_)
        thread.join();
}

void Pool::push(std::function<void()> job) {
    {
        std::lock_guard const lock{guard_};
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
