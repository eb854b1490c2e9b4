#pragma once
// Holds each slot's speed and load time against its own past, tells once when it has become slow, and tells
// of requests whose context is long.
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/log.hpp"
#include "base/no_copy.hpp"
#include "history/history.hpp"
#include "slots/status.hpp"
#include "wire/history_views.hpp"

namespace hal0::app {

// What of a slot's settings its speed depends on, in one text.
std::string speed_settings(slots::SlotStatus const& status);

// On the control loop.
class SpeedWatch final : NoCopy {
  public:
    // All of these outlive it.
    struct World {
        Log& log;
        history::History& history;
        std::function<void(wire::SlotSlowView const&)> publish;
        std::function<std::optional<Bytes>(std::string const& slot)> swapped;  // of its worker
        // What one token takes in the slot's cache, by the plan of its model; later, and nothing where nobody
        // knows.
        std::function<void(slots::SlotStatus const&, std::function<void(std::optional<double>)>)> token_bytes;
    };
    explicit SpeedWatch(World world) : world_{std::move(world)} {}

    void slot_ready(slots::SlotStatus const& status);
    void slot_removed(std::string const& slot) { slots_.erase(slot); }
    void ended(std::vector<history::RequestRecord> const& requests);
    // Sentences for `hal0 slot explain`; none where all is as it was.
    [[nodiscard]] std::vector<std::string> explain(std::string const& name) const;

  private:
    struct Watched {
        slots::SlotStatus status{};  // as it was when it became ready
        std::uint64_t load{0};       // tells one load from the next
        history::Baseline before{};
        std::deque<history::Speed> recent{};
        std::optional<wire::SlotSlowView> slow{};
        std::optional<double> usual_load_s{};  // this one was slow
        std::optional<double> token_bytes{};   // of its cache
        bool token_bytes_asked{false};
    };
    void know(std::string const& name, std::uint64_t load, history::Baseline before);
    void look_at(Watched& slot, history::RequestRecord const& request);
    void judge(Watched& slot);
    void tell_of_context(Watched& slot, history::RequestRecord const& request, std::int64_t tokens);
    void say_context(Watched const& slot, std::string const& id, std::int64_t tokens);
    [[nodiscard]] bool others_are_slow(std::string const& name) const;

    World world_;
    std::map<std::string, Watched> slots_{};
    std::uint64_t loads_{0};
};

}  // namespace hal0::app
