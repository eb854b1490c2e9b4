#include "app/chronicle.hpp"

#include <chrono>
#include <utility>

namespace hal0::app {
namespace {

history::LoadRecord load_of(slots::SlotStatus const& status, Duration took) {
    auto const whole = std::chrono::duration_cast<WallTime::duration>(took);
    return {.slot = status.name,
            .model = status.model,
            .engine = status.engine,
            .version = status.version,
            .backend = status.backend,
            .settings = speed_settings(status),
            .began = std::chrono::system_clock::now() - whole,
            .seconds = in_seconds(took)};
}

}  // namespace

Chronicle::Chronicle(World const& world)
    : world_{world},
      listener_{world_.events.subscribe([this](history::Event const& event) { world_.history.add(event); })} {
}

Chronicle::~Chronicle() { world_.events.unsubscribe(listener_); }

// ---- loads

void Chronicle::slot_changed(slots::SlotStatus const& status) {
    using slots::State;
    auto const began = loading_.find(status.name);
    bool const loading = status.state == State::Starting || status.state == State::Loading;
    if (loading && !status.adopted && began == loading_.end()) loading_[status.name] = Clock::now();
    if (loading || began == loading_.end()) return;
    if (status.state == State::Error) {
        auto load = load_of(status, Clock::now() - began->second);
        load.outcome = "failed";
        load.why = status.cause;
        world_.history.add(std::move(load));
    }
    loading_.erase(began);
}

// Its baseline is asked for before this load is one of it.
void Chronicle::slot_ready(slots::SlotStatus const& status) {
    world_.speeds.slot_ready(status);
    if (status.adopted) return;
    auto load = load_of(status, status.loaded_in);
    load.outcome = "ready";
    if (status.memory) load.memory = status.memory->count;
    world_.history.add(std::move(load));
}

void Chronicle::slot_removed(std::string const& slot) {
    loading_.erase(slot);
    world_.speeds.slot_removed(slot);
}

// ---- requests

void Chronicle::ended(std::vector<history::RequestRecord> requests, std::uint64_t unrecorded) {
    world_.inbox.post([this, requests = std::move(requests), unrecorded]() mutable {
        take(std::move(requests), unrecorded);
    });
}

void Chronicle::take(std::vector<history::RequestRecord> requests, std::uint64_t unrecorded) {
    world_.history.count_dropped(unrecorded);
    world_.speeds.ended(requests);
    world_.history.add(std::move(requests));
}

}  // namespace hal0::app
