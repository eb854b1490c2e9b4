#include "dispatch/dispatcher.hpp"

#include <algorithm>
#include <utility>

#include "base/format.hpp"

namespace hal0::dispatch {

Dispatcher::Dispatcher(os::Loop& loop, os::Inbox& inbox, SlotWaker& waker, Settings const& settings)
    : inbox_{inbox},
      waker_{waker},
      wait_max_{settings.wait_max},
      loop_{loop},
      scheduler_{settings.queue},
      deadline_{loop, [this] {
                    perform(scheduler_.on(Tick{loop_.now()}));
                    arm_deadline();
                }} {}

void Dispatcher::add_loop(LoopPort& port) {
    loops_.push_back(&port);
    seen_.push_back(0);
}

SlotGate& Dispatcher::gate(std::string const& slot) {
    auto& gate = gates_[slot];
    if (!gate) {
        gate =
            std::make_unique<SlotGate>([this, slot] { inbox_.post([this, slot] { waker_.drained(slot); }); });
    }
    return *gate;
}

void Dispatcher::upsert(SlotFacts const& facts) {
    auto& entry = slots_[facts.slot];
    if (entry.facts == facts) return;
    entry.facts = facts;
    publish();
}

void Dispatcher::remove(std::string const& slot) {
    if (slots_.erase(slot) == 0) return;
    perform(scheduler_.on(SlotFailed{slot, {Errc::NotFound, format("slot '{}' was removed", slot)}}));
    publish();
}

void Dispatcher::open(std::string const& slot, os::Address const& worker, std::string const& key) {
    auto const at = slots_.find(slot);
    if (at == slots_.end()) return;
    at->second.worker = worker;
    at->second.key = key;
    gate(slot).open();
    publish();  // before the grants: who is let in finds the worker's address in the table it has
    perform(scheduler_.on(SlotUp{slot}));
    arm_deadline();
}

void Dispatcher::close(std::string const& slot) {
    bool const was_open = gate(slot).is_open();
    gate(slot).close();
    auto const at = slots_.find(slot);
    if (at == slots_.end()) return;
    if (was_open) publish();  // who goes by the gate sees it at once; what is made of a table once is stale
    for (auto* port : loops_)
        port->forget_worker(at->second.worker);
}

bool Dispatcher::close_if_idle(std::string const& slot) {
    if (!gate(slot).close_if_empty()) return false;
    publish();
    return true;
}

void Dispatcher::failed(std::string const& slot, Error const& why) {
    perform(scheduler_.on(SlotFailed{slot, why}));
    arm_deadline();
}

void Dispatcher::end(Error const& why) {
    perform(scheduler_.on(Ended{why}));
    arm_deadline();
}

std::uint64_t Dispatcher::in_flight(std::string const& slot) const {
    auto const at = gates_.find(slot);
    return at == gates_.end() ? 0 : at->second->in_flight();
}

std::optional<Duration> Dispatcher::idle_for(std::string const& slot) const {
    auto const at = gates_.find(slot);
    auto const since = at == gates_.end() ? std::nullopt : at->second->idle_since();
    if (!since) return std::nullopt;
    return std::max(loop_.now() - *since, Duration::zero());
}

SlotTally::Reading Dispatcher::tally(std::string const& slot) const {
    auto const at = gates_.find(slot);
    return at == gates_.end() ? SlotTally::Reading{} : at->second->tally().read();
}

std::optional<os::Address> Dispatcher::worker(std::string const& slot) const {
    auto const at = slots_.find(slot);
    if (at == slots_.end() || at->second.key.empty()) return std::nullopt;
    return at->second.worker;
}

void Dispatcher::wanted(Ticket ticket, std::string slot, Bytes body) {
    inbox_.post([this, ticket, slot = std::move(slot), body] {
        if (!slots_.contains(slot)) {  // removed since the loop's table was made
            loops_.at(ticket.loop)->refuse(ticket, {Errc::NotFound, format("slot '{}' was removed", slot)});
            return;
        }
        if (gate(slot).is_open()) {  // opened since the loop looked
            loops_.at(ticket.loop)->grant(ticket);
            return;
        }
        perform(scheduler_.on(Wanted{ticket, slot, body, loop_.now() + wait_max_}));
        arm_deadline();
    });
}

void Dispatcher::cancelled(Ticket ticket) {
    inbox_.post([this, ticket] {
        perform(scheduler_.on(Cancelled{ticket}));
        arm_deadline();
    });
}

void Dispatcher::table_seen(std::uint32_t loop, std::uint64_t version) {
    inbox_.post([this, loop, version] {
        seen_.at(loop) = std::max(seen_.at(loop), version);
        auto const oldest_read = *std::min_element(seen_.begin(), seen_.end());
        std::erase_if(tables_, [oldest_read](Published const& p) { return p.version < oldest_read; });
    });
}

void Dispatcher::publish() {
    std::vector<Route> routes;
    routes.reserve(slots_.size());
    for (auto const& [name, entry] : slots_) {
        routes.push_back({.slot = name,
                          .model = entry.facts.model,
                          .kind = entry.facts.kind,
                          .context = entry.facts.context,
                          .created = entry.facts.created,
                          .gate = &gate(name),
                          .worker = entry.worker,
                          .key = entry.key});
    }
    tables_.push_back({++version_, std::make_unique<RouteTable const>(std::move(routes))});
    for (auto* port : loops_)
        port->publish(*tables_.back().table, version_);
}

void Dispatcher::perform(std::vector<Action> const& actions) {
    for (auto const& action : actions) {
        if (auto const* grant = std::get_if<Grant>(&action)) {
            loops_.at(grant->ticket.loop)->grant(grant->ticket);
        } else if (auto const* refuse = std::get_if<Refuse>(&action)) {
            loops_.at(refuse->ticket.loop)->refuse(refuse->ticket, refuse->why);
        } else if (auto const* wake = std::get_if<Wake>(&action)) {
            auto woken = waker_.wake(wake->slot);
            if (!woken) perform(scheduler_.on(SlotFailed{wake->slot, woken.error()}));
        }
    }
}

void Dispatcher::arm_deadline() {
    auto const next = scheduler_.next_deadline();
    if (next == TimePoint::max()) {
        deadline_.stop();
    } else {
        deadline_.start(std::max(next - loop_.now(), Duration::zero()));
    }
}

}  // namespace hal0::dispatch
