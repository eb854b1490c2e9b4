#include "http/acceptor.hpp"

#include "http/limits.hpp"
#include "os/net.hpp"

namespace hal0::http {

Acceptor::Acceptor(os::Loop& loop, int listener, AcceptTarget& target)
    : loop_{loop},
      listener_{listener},
      target_{target},
      via_{os::bound_address(listener) ? Via::Tcp : Via::UnixSocket} {}

Acceptor::~Acceptor() {
    if (watched_) loop_.unwatch(listener_, *this);
}

Result<void> Acceptor::resume() {
    if (watched_) return {};
    HAL0_CHECK(loop_.watch_shared_listener(listener_, *this));
    watched_ = true;
    return {};
}

void Acceptor::try_again() {
    if (!resume()) pause_.start(accept_pause);
}

// The waiting connections stay in the kernel's queue, where other loops can take them.
void Acceptor::pause() {
    if (watched_) loop_.unwatch(listener_, *this);
    watched_ = false;
}

void Acceptor::room_again() {
    if (!wants_room_) return;
    wants_room_ = false;
    try_again();
}

void Acceptor::on_ready(os::Ready) {
    for (std::size_t i = 0; i < accepts_per_turn_max; ++i) {
        if (target_.full()) {
            wants_room_ = true;
            return pause();
        }
        auto accepted = os::accept_one(listener_);
        if (!accepted) {  // out of descriptors or memory: they may come back at any time
            pause();
            pause_.start(accept_pause);
            return;
        }
        if (!accepted->open()) return;
        target_.on_accepted(std::move(accepted).value(), via_);
    }
}

}  // namespace hal0::http
