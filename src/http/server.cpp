#include "http/server.hpp"

#include <atomic>
#include <utility>

#include "http/acceptor.hpp"
#include "http/connection.hpp"
#include "http/limits.hpp"
#include "http/shared.hpp"

namespace hal0::http {

class Server::Impl final : public ConnectionOwner, public AcceptTarget, NoCopy {
  public:
    Impl(os::Loop& loop, Handler& handler, ServerLimits const& limits)
        : shared_{loop, handler, limits, *this}, done_timer_{loop, [this] { tell_drained(); }} {}

    Result<void> listen(std::vector<int> const& listeners);
    Exchange* find(ExchangeId id);
    [[nodiscard]] ServerCounters counters() const;
    [[nodiscard]] std::size_t open_connections() const { return open_.load(std::memory_order_relaxed); }
    void drain(std::function<void()> done);
    void forget_upstream(os::Address const& upstream) { shared_.upstreams.forget(upstream); }

  private:
    void on_closed(Connection& connection) override;
    [[nodiscard]] bool full() const override {
        return shared_.counters.connections >= shared_.limits.connections_max;
    }
    void on_accepted(os::UniqueFd fd, Via via) override;
    void tell_drained();

    Shared shared_;
    std::vector<std::unique_ptr<Connection>> connections_{};  // by number; never fewer
    std::atomic<std::size_t> open_{0};   // counters.connections, for other threads to read
    std::vector<std::uint32_t> free_{};  // numbers of closed ones
    std::vector<std::unique_ptr<Acceptor>> acceptors_{};
    std::function<void()> drained_{};
    os::Timer done_timer_;
};

Result<void> Server::Impl::listen(std::vector<int> const& listeners) {
    for (int const fd : listeners) {
        acceptors_.push_back(std::make_unique<Acceptor>(shared_.loop, fd, *this));
        HAL0_CHECK(acceptors_.back()->resume());
    }
    return {};
}

void Server::Impl::on_accepted(os::UniqueFd fd, Via via) {
    if (free_.empty()) {
        free_.push_back(static_cast<std::uint32_t>(connections_.size()));
        connections_.push_back(std::make_unique<Connection>(shared_, free_.back()));
    }
    auto const number = free_.back();
    if (!connections_[number]->open(std::move(fd), via))
        return;  // no memory for it: the client is turned away
    free_.pop_back();
    ++shared_.counters.accepted;
    open_.store(++shared_.counters.connections, std::memory_order_relaxed);
}

void Server::Impl::on_closed(Connection& connection) {
    free_.push_back(connection.number());
    open_.store(--shared_.counters.connections, std::memory_order_relaxed);
    if (shared_.draining) {
        if (shared_.counters.connections == 0) done_timer_.start(Duration::zero());
        return;
    }
    for (auto const& acceptor : acceptors_)
        acceptor->room_again();
}

Exchange* Server::Impl::find(ExchangeId id) {
    if (id.connection >= connections_.size()) return nullptr;
    auto& connection = *connections_[id.connection];
    return connection.answerable(id.generation) ? &connection : nullptr;
}

ServerCounters Server::Impl::counters() const {
    auto counters = shared_.counters;
    counters.upstream_open = shared_.upstreams.open_count();
    counters.upstream_idle = shared_.upstreams.idle_count();
    return counters;
}

void Server::Impl::drain(std::function<void()> done) {
    shared_.draining = true;
    drained_ = std::move(done);
    acceptors_.clear();
    for (auto const& connection : connections_)
        if (connection->is_unasked()) connection->close();
    if (shared_.counters.connections == 0) done_timer_.start(Duration::zero());
}

void Server::Impl::tell_drained() {
    if (auto const done = std::exchange(drained_, nullptr)) done();
}

Server::Server(std::unique_ptr<Impl> impl) : impl_{std::move(impl)} {}
Server::~Server() = default;

Result<std::unique_ptr<Server>> Server::make(os::Loop& loop, std::vector<int> const& listeners,
                                             Handler& handler, ServerLimits const& limits) {
    auto impl = std::make_unique<Impl>(loop, handler, limits);
    HAL0_CHECK(impl->listen(listeners));
    return std::unique_ptr<Server>{new Server{std::move(impl)}};
}

Exchange* Server::find(ExchangeId id) { return impl_->find(id); }
std::size_t Server::open_connections() const { return impl_->open_connections(); }
ServerCounters Server::counters() const { return impl_->counters(); }
void Server::drain(std::function<void()> done) { impl_->drain(std::move(done)); }
void Server::forget_upstream(os::Address const& upstream) { impl_->forget_upstream(upstream); }

}  // namespace hal0::http
