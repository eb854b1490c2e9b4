#include "dispatch/scheduler.hpp"

#include <algorithm>
#include <utility>

#include "base/format.hpp"
#include "base/text.hpp"

namespace hal0::dispatch {

std::vector<Action> Scheduler::on(Event const& event) {
    std::vector<Action> out;
    std::visit([this, &out](auto const& e) { handle(e, out); }, event);
    return out;
}

void Scheduler::handle(Wanted const& event, std::vector<Action>& out) {
    if (ended_) {
        out.emplace_back(Refuse{event.ticket, *ended_});
        return;
    }
    if (count_ >= limits_.waiting_max) {
        out.emplace_back(Refuse{
            event.ticket,
            {Errc::Busy, format("{} requests wait for models to load already; try again soon", count_)}});
        return;
    }
    if (bytes_ + event.body > limits_.bytes_max) {
        out.push_back(
            Refuse{event.ticket,
                   {Errc::Busy, format("waiting requests hold {} already, the limit is {}; try again soon",
                                       human(bytes_), human(limits_.bytes_max))}});
        return;
    }
    auto& queue = queues_[event.slot];
    queue.push_back({event.ticket, event.body, event.deadline});
    ++count_;
    bytes_ += event.body;
    out.emplace_back(Wake{event.slot});
}

void Scheduler::handle(Cancelled const& event, std::vector<Action>&) {
    for (auto at = queues_.begin(); at != queues_.end(); ++at) {
        auto& queue = at->second;
        auto const found = std::find_if(queue.begin(), queue.end(),
                                        [&event](Waiter const& w) { return w.ticket == event.ticket; });
        if (found == queue.end()) continue;
        forget(*found);
        queue.erase(found);
        if (queue.empty()) queues_.erase(at);
        return;
    }
}

void Scheduler::handle(SlotUp const& event, std::vector<Action>& out) {
    for (auto const& waiter : take(event.slot))
        out.emplace_back(Grant{waiter.ticket});
}

void Scheduler::handle(SlotFailed const& event, std::vector<Action>& out) {
    for (auto const& waiter : take(event.slot))
        out.emplace_back(Refuse{waiter.ticket, event.why});
}

void Scheduler::handle(Tick const& event, std::vector<Action>& out) {
    for (auto at = queues_.begin(); at != queues_.end();) {
        auto& queue = at->second;
        auto const late = std::stable_partition(queue.begin(), queue.end(),
                                                [&event](Waiter const& w) { return w.deadline > event.now; });
        for (auto waiter = late; waiter != queue.end(); ++waiter) {
            forget(*waiter);
            out.emplace_back(
                Refuse{waiter->ticket,
                       {Errc::Timeout, format("slot '{}' was not ready in time; it goes on loading: "
                                              "try again, or see 'hal0 slot explain {}'",
                                              at->first, at->first)}});
        }
        queue.erase(late, queue.end());
        at = queue.empty() ? queues_.erase(at) : std::next(at);
    }
}

void Scheduler::handle(Ended const& event, std::vector<Action>& out) {
    ended_ = event.why;
    while (!queues_.empty()) {
        auto const slot = queues_.begin()->first;  // a copy: its queue goes
        for (auto const& waiter : take(slot))
            out.emplace_back(Refuse{waiter.ticket, event.why});
    }
}

Scheduler::Queue Scheduler::take(std::string const& slot) {
    auto const at = queues_.find(slot);
    if (at == queues_.end()) return {};
    auto queue = std::move(at->second);
    queues_.erase(at);
    for (auto const& waiter : queue)
        forget(waiter);
    return queue;
}

void Scheduler::forget(Waiter const& waiter) {
    --count_;
    bytes_ -= waiter.body;
}

std::size_t Scheduler::waiting(std::string const& slot) const {
    auto const at = queues_.find(slot);
    return at == queues_.end() ? 0 : at->second.size();
}

TimePoint Scheduler::next_deadline() const {
    auto first = TimePoint::max();
    for (auto const& [slot, queue] : queues_) {
        for (auto const& waiter : queue)
            first = std::min(first, waiter.deadline);
    }
    return first;
}

}  // namespace hal0::dispatch
