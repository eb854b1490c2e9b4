#pragma once
// Takes connections from one listening socket, and stops for a while when there is no room for more.
#include "base/no_copy.hpp"
#include "http/connection.hpp"
#include "os/loop.hpp"
#include "os/unique_fd.hpp"

namespace hal0::http {

// Where accepted connections go.
class AcceptTarget {
  public:
    [[nodiscard]] virtual bool full() const = 0;
    virtual void on_accepted(os::UniqueFd fd, Via via) = 0;

  protected:
    ~AcceptTarget() = default;
};

class Acceptor final : public os::FdHandler, NoCopy {
  public:
    Acceptor(os::Loop& loop, int listener, AcceptTarget& target);
    ~Acceptor();
    Result<void> resume();
    // A connection was closed: another may come.
    void room_again();

  private:
    void on_ready(os::Ready ready) override;
    void pause();
    void try_again();

    os::Loop& loop_;
    int listener_;
    AcceptTarget& target_;
    Via via_;
    bool watched_{false};
    bool wants_room_{false};
    os::Timer pause_{loop_, [this] { try_again(); }};
};

}  // namespace hal0::http
