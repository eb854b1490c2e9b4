#pragma once
// What the house knows, as the admin API's bodies say it.
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "engines/store.hpp"
#include "history/event_stream.hpp"
#include "history/records.hpp"
#include "jobs/jobs.hpp"
#include "models/store.hpp"
#include "os/net.hpp"
#include "os/places.hpp"
#include "slots/config.hpp"
#include "slots/status.hpp"
#include "wire/history_views.hpp"
#include "wire/views.hpp"

namespace hal0::api {

// What dispatch knows of a slot.
struct SlotLoad {
    std::uint64_t in_flight{0};
    std::size_t waiting{0};
    std::optional<os::Address> address{};  // where its worker listens
};

wire::SlotView view_of(slots::SlotStatus const& slot, SlotLoad const& load);
wire::ModelView view_of(models::StoredModel const& model, std::vector<std::string> used_by);
wire::EngineView view_of(engines::InstalledEngine const& engine, bool runs_here,
                         std::vector<std::string> used_by);
wire::JobView view_of(jobs::Job const& job);
wire::EventView view_of(history::Event const& event);
wire::RequestView view_of(history::RequestRecord const& request);
wire::LoadView view_of(history::LoadRecord const& load);
wire::PlacesView view_of(os::Places const& places);

// Invalid for a kind that there is not.
Result<slots::SlotConfig> config_of(wire::SlotCreate const& slot);

}  // namespace hal0::api
