#include "http/upstream_pool.hpp"

#include <algorithm>
#include <utility>

#include "http/limits.hpp"

namespace hal0::http {
namespace {

constexpr os::Ready arrivals = os::Ready::Read | os::Ready::Hangup;

// TCP tells of room where it was missing, and of the end of connecting. A unix socket is connected at once,
// and would tell each time the worker reads: a needless turn of the loop for every request.
bool is_told_of_room(os::Address const& address) { return !std::holds_alternative<os::UnixAddress>(address); }

}  // namespace

Upstream::Upstream(UpstreamPool& pool, Worker& worker, os::UniqueFd fd)
    : pool_{pool},
      worker_{worker},
      fd_{std::move(fd)},
      told_of_room_{is_told_of_room(worker.address)},
      age_{worker.age} {
    ++pool_.open_;
}

Upstream::~Upstream() {
    pool_.loop_.unwatch(fd_.get(), *this);
    --pool_.open_;
}

void Upstream::await_room() {
    if (told_of_room_) return;
    told_of_room_ = true;
    pool_.loop_.rewatch(fd_.get(), arrivals | os::Ready::Write, os::Trigger::Edge, *this);
}

void Upstream::on_ready(os::Ready ready) {
    if (user_ != nullptr) return user_->on_upstream(ready);
    // Bytes nobody asked for, an end, a fault: no connection to send a request over.
    if (ready != os::Ready::Write) pool_.drop_idle(*this);
}

void Upstream::on_deadline() {
    if (user_ == nullptr) pool_.drop_idle(*this);
}

Worker& UpstreamPool::worker(os::Address const& address) {
    for (auto const& worker : workers_)
        if (worker->address == address) return *worker;
    workers_.push_back(std::make_unique<Worker>());
    workers_.back()->address = address;
    return *workers_.back();
}

std::unique_ptr<Upstream> UpstreamPool::take(Worker& worker, UpstreamUser& user) {
    if (worker.idle.empty()) return nullptr;
    auto upstream = std::move(worker.idle.back());
    worker.idle.pop_back();
    --idle_;
    upstream->user_ = &user;
    wheel_.clear(*upstream);
    return upstream;
}

Result<std::unique_ptr<Upstream>> UpstreamPool::open(Worker& worker, UpstreamUser& user) {
    HAL0_TRY(fd, os::connect_to(worker.address));
    auto upstream = std::make_unique<Upstream>(*this, worker, std::move(fd));
    upstream->user_ = &user;
    auto const wanted = upstream->told_of_room_ ? arrivals | os::Ready::Write : arrivals;
    HAL0_CHECK(loop_.watch(upstream->fd(), wanted, os::Trigger::Edge, *upstream));
    return upstream;
}

void UpstreamPool::give_back(std::unique_ptr<Upstream> upstream, Duration idle) {
    auto& worker = upstream->worker_;
    if (upstream->age_ != worker.age) return;
    if (worker.idle.size() >= upstream_idle_max) {
        worker.idle.erase(worker.idle.begin());
        --idle_;
    }
    if (upstream->told_of_room_ && !is_told_of_room(worker.address)) {
        upstream->told_of_room_ = false;
        loop_.rewatch(upstream->fd(), arrivals, os::Trigger::Edge, *upstream);
    }
    ++upstream->served_;
    upstream->user_ = nullptr;
    wheel_.set(*upstream, idle);
    worker.idle.push_back(std::move(upstream));
    ++idle_;
}

void UpstreamPool::forget(os::Address const& address) {
    auto& found = worker(address);
    ++found.age;
    idle_ -= found.idle.size();
    found.idle.clear();
}

void UpstreamPool::drop_idle(Upstream& upstream) {
    auto& idle = upstream.worker_.idle;
    auto const at =
        std::find_if(idle.begin(), idle.end(), [&](auto const& each) { return each.get() == &upstream; });
    idle.erase(at);
    --idle_;
}

}  // namespace hal0::http
