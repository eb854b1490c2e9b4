#include "http/shared.hpp"

#include "http/connection.hpp"

namespace hal0::http {

void Shared::later(Connection& connection) {
    if (connection.queued_) return;
    connection.queued_ = true;
    waiting_.push_back(&connection);
    turns_.start(Duration::zero());
}

void Shared::give_turns() {
    in_turn_.swap(waiting_);  // who asks again from here on gets a turn after the others' events
    for (auto* const connection : in_turn_)
        connection->take_turn();
    in_turn_.clear();
}

}  // namespace hal0::http
