#pragma once
// Connections to workers, kept open between requests: the one used last is taken first, so that few stay warm
// and the others age away.
#include <cstddef>
#include <memory>
#include <vector>

#include "base/no_copy.hpp"
#include "base/result.hpp"
#include "http/timer_wheel.hpp"
#include "os/loop.hpp"
#include "os/net.hpp"

namespace hal0::http {

class UpstreamPool;

// Who is told of a connection's events while it is in use.
class UpstreamUser {
  public:
    virtual void on_upstream(os::Ready ready) = 0;

  protected:
    ~UpstreamUser() = default;
};

// The connections of one address.
struct Worker;

// One connection to a worker; watched for its whole life.
class Upstream final : public os::FdHandler, public Deadline {
  public:
    Upstream(UpstreamPool& pool, Worker& worker, os::UniqueFd fd);
    ~Upstream();
    [[nodiscard]] int fd() const { return fd_.get(); }
    // Answers it gave, the present one not counted.
    [[nodiscard]] unsigned served() const { return served_; }
    // A write met a full socket: its user is told when there is room.
    void await_room();

  private:
    friend class UpstreamPool;
    void on_ready(os::Ready ready) override;
    void on_deadline() override;

    UpstreamPool& pool_;
    Worker& worker_;
    UpstreamUser* user_{nullptr};  // null while it waits in the pool
    os::UniqueFd fd_;
    unsigned served_{0};
    bool told_of_room_;
    unsigned age_;  // of its worker's address when it was opened
};

struct Worker {
    os::Address address{};
    std::vector<std::unique_ptr<Upstream>> idle{};
    unsigned age{
        0};  // how often the address was forgotten: an older connection leads to a worker of the past
};

class UpstreamPool final : NoCopy {
  public:
    UpstreamPool(os::Loop& loop, TimerWheel& wheel) : loop_{loop}, wheel_{wheel} {}

    // The address as the pool knows it, for good: there are as many as workers ever had.
    Worker& worker(os::Address const& address);
    // An idle connection, or null.
    std::unique_ptr<Upstream> take(Worker& worker, UpstreamUser& user);
    // A new one, perhaps still connecting. Errors: Busy where its backlog is full.
    Result<std::unique_ptr<Upstream>> open(Worker& worker, UpstreamUser& user);
    // Keeps a connection after an answer, for `idle` at most; a surplus one is closed.
    void give_back(std::unique_ptr<Upstream> upstream, Duration idle);
    void forget(os::Address const& address);

    [[nodiscard]] std::size_t open_count() const { return open_; }
    [[nodiscard]] std::size_t idle_count() const { return idle_; }

  private:
    friend class Upstream;
    void drop_idle(Upstream& upstream);

    os::Loop& loop_;
    TimerWheel& wheel_;
    std::size_t open_{0};
    std::size_t idle_{0};
    std::vector<std::unique_ptr<Worker>> workers_{};
};

}  // namespace hal0::http
