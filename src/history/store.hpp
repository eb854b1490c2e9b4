#pragma once
// The file hal0.db: what is in it, how it is written, asked and kept small. Blocks: for one thread that has
// it to itself.
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/no_copy.hpp"
#include "base/result.hpp"
#include "base/units.hpp"
#include "history/database.hpp"
#include "history/event_stream.hpp"
#include "history/limits.hpp"
#include "history/records.hpp"
#include "history/slowdown.hpp"

namespace hal0::history {

// What is written at once: all of it, or nothing.
struct Batch {
    std::vector<Event> events{};
    std::vector<LoadRecord> loads{};
    std::vector<RequestRecord> requests{};
    // Up to here events of this epoch are missing, or never will be complete.
    std::uint64_t events_lost_to{0};
    [[nodiscard]] std::size_t size() const { return events.size() + loads.size() + requests.size(); }
};

// Of earlier daemons and of this one, in their order.
struct PastEvents {
    std::vector<Event> events{};
    bool complete{false};  // there was nothing else
};

struct EventQuery {
    std::optional<std::string> subject{};
    std::optional<EventId> before{};
    std::int64_t limit{50};
};

class Store final : NoCopy {
  public:
    struct Settings {
        std::string path{};
        std::uint64_t epoch{0};  // this daemon's
        std::chrono::hours kept_for{};
        Keep keep{};
    };
    explicit Store(Settings settings) : settings_{std::move(settings)} {}

    // Opens the file where it isn't open yet. One that is no database, or is damaged, is put aside and
    // another begun: a sentence says so.
    Result<std::string> write(Batch const& batch, WallTime now);
    // A few of those that are too old or too many; whether there are more.
    Result<bool> prune(WallTime now);
    // This daemon's events are all written: its successor may tell what came after any of them.
    Result<void> end_epoch();

    Result<std::vector<RequestRecord>> requests(Query const& query);
    Result<std::vector<LoadRecord>> loads(Query const& query);
    Result<std::vector<Event>> events(EventQuery const& query);
    // What the slot did with this model on these settings, until they were others.
    Result<Baseline> baseline(std::string const& slot, std::string const& model, std::string const& settings);
    // Those after `after`, to `until` with it.
    Result<PastEvents> events_between(EventId after, EventId until);

  private:
    Result<void> open();
    Result<void> begin_epoch();
    Result<void> put(Batch const& batch);
    Result<void> put_event(Event const& event);
    Result<void> put_load(LoadRecord const& load);
    Result<void> put_request(RequestRecord const& request);
    Result<std::string> start_anew(WallTime now);
    Result<bool> prune_table(std::string_view table, std::int64_t rows_max, WallTime now);
    Result<void> prune_table_to(std::string_view table, std::int64_t number);
    Result<bool> too_large();
    Result<bool> continuous(EventId after, EventId until);
    Result<std::int64_t> last_sequence(std::uint64_t epoch);
    template <class T> Result<T> noticed(Result<T> outcome);

    Settings settings_;
    bool damaged_{false};  // found when it was read: the next write begins another
    std::unique_ptr<Database> database_{};
    std::unique_ptr<Statement> add_event_{};
    std::unique_ptr<Statement> add_load_{};
    std::unique_ptr<Statement> add_request_{};
};

}  // namespace hal0::history
