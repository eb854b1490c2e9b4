#include "history/store.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "base/format.hpp"
#include "base/text.hpp"

namespace hal0::history {
namespace {

using std::chrono::milliseconds;

// Each takes the schema one version further; none is changed once a daemon may have run it. Times are
// milliseconds since 1970. `gap`: up to this one an epoch's events aren't all here.
constexpr char const* schema_1 = R"(
CREATE TABLE epochs(epoch INTEGER PRIMARY KEY, gap INTEGER NOT NULL DEFAULT 0, closed INTEGER NOT NULL DEFAULT 0);
CREATE TABLE events(number INTEGER PRIMARY KEY, epoch INTEGER NOT NULL, sequence INTEGER NOT NULL,
  time INTEGER NOT NULL, type TEXT NOT NULL, subject TEXT NOT NULL, data TEXT NOT NULL);
CREATE UNIQUE INDEX events_by_id ON events(epoch, sequence);
CREATE TABLE loads(number INTEGER PRIMARY KEY, slot TEXT NOT NULL, model TEXT NOT NULL, engine TEXT NOT NULL,
  version TEXT NOT NULL, backend TEXT NOT NULL, settings TEXT NOT NULL, time INTEGER NOT NULL, seconds REAL NOT NULL,
  outcome TEXT NOT NULL, why TEXT NOT NULL, memory INTEGER);
CREATE TABLE requests(number INTEGER PRIMARY KEY, id TEXT NOT NULL, slot TEXT NOT NULL, model TEXT NOT NULL,
  path TEXT NOT NULL, time INTEGER NOT NULL, status INTEGER NOT NULL, outcome TEXT NOT NULL,
  waited_s REAL NOT NULL, first_byte_s REAL, total_s REAL NOT NULL, prompt_tokens INTEGER,
  cached_tokens INTEGER, generated_tokens INTEGER, prompt_ms REAL, generated_ms REAL,
  stream INTEGER NOT NULL, in_flight INTEGER NOT NULL, answer_bytes INTEGER NOT NULL);
CREATE INDEX requests_by_slot ON requests(slot);
)";
constexpr std::array schema_steps{schema_1};

std::int64_t stored(WallTime time) {
    return std::chrono::duration_cast<milliseconds>(time.time_since_epoch()).count();
}
WallTime time_from(std::int64_t stored_ms) { return WallTime{milliseconds{stored_ms}}; }

// Ids are under 2^63: they are milliseconds and counts.
std::int64_t stored(std::uint64_t of_id) { return static_cast<std::int64_t>(of_id); }

std::optional<std::int64_t> told(std::int32_t tokens) {
    return tokens >= 0 ? std::optional<std::int64_t>{tokens} : std::nullopt;
}
std::optional<double> told(float ms) { return ms >= 0 ? std::optional<double>{ms} : std::nullopt; }

std::int32_t tokens_at(Statement const& row, int column) {
    return row.is_null(column) ? -1 : static_cast<std::int32_t>(row.integer(column));
}
float ms_at(Statement const& row, int column) {
    return row.is_null(column) ? -1.0F : static_cast<float>(row.real(column));
}

Event event_of(Statement const& row) {
    return {.id = {static_cast<std::uint64_t>(row.integer(0)), static_cast<std::uint64_t>(row.integer(1))},
            .time = time_from(row.integer(2)),
            .type = row.text(3),
            .subject = row.text(4),
            .data = row.text(5)};
}

LoadRecord load_of(Statement const& row) {
    return {.number = row.integer(0),
            .slot = row.text(1),
            .model = row.text(2),
            .engine = row.text(3),
            .version = row.text(4),
            .backend = row.text(5),
            .settings = row.text(6),
            .began = time_from(row.integer(7)),
            .seconds = row.real(8),
            .outcome = row.text(9),
            .why = row.text(10),
            .memory = row.maybe_integer(11)};
}

RequestRecord request_of(Statement const& row) {
    return {.number = row.integer(0),
            .id = row.text(1),
            .slot = row.text(2),
            .model = row.text(3),
            .path = row.text(4),
            .began = time_from(row.integer(5)),
            .status = row.integer(6),
            .outcome = row.text(7),
            .waited_s = row.real(8),
            .first_byte_s = row.maybe_real(9),
            .total_s = row.real(10),
            .figures = {.prompt_tokens = tokens_at(row, 11),
                        .cached_tokens = tokens_at(row, 12),
                        .generated_tokens = tokens_at(row, 13),
                        .prompt_ms = ms_at(row, 14),
                        .generated_ms = ms_at(row, 15)},
            .stream = row.integer(16) != 0,
            .in_flight = row.integer(17),
            .answer_bytes = row.integer(18)};
}

Speed speed_of(Statement const& row) { return {.tokens_per_s = row.real(0), .context = row.integer(1)}; }
double seconds_of(Statement const& row) { return row.real(0); }

template <class Row> Result<std::vector<Row>> rows_of(Statement& asked, Row (*row_of)(Statement const&)) {
    std::vector<Row> rows;
    while (true) {
        HAL0_TRY(found, asked.step());
        if (!found) return rows;
        rows.push_back(row_of(asked));
    }
}

}  // namespace

// ---- opening

Result<void> Store::open() {
    if (database_) return {};
    HAL0_TRY(opened, Database::open(settings_.path, schema_steps,
                                    {.size_max = settings_.keep.size_max, .cache_max = cache_max}));
    HAL0_TRY(event, opened->prepare("INSERT INTO events(epoch, sequence, time, type, subject, data) "
                                    "VALUES(?, ?, ?, ?, ?, ?)"));
    HAL0_TRY(load, opened->prepare("INSERT INTO loads VALUES(NULL, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"));
    HAL0_TRY(request, opened->prepare("INSERT INTO requests VALUES(NULL, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, "
                                      "?, ?, ?, ?, ?, ?)"));
    HAL0_TRY(epoch, opened->prepare("INSERT OR IGNORE INTO epochs(epoch) VALUES(?)"));
    HAL0_CHECK(epoch->bind(stored(settings_.epoch)).run());
    database_ = std::move(opened);
    add_event_ = std::move(event);
    add_load_ = std::move(load);
    add_request_ = std::move(request);
    return {};
}

Result<std::string> Store::start_anew(WallTime now) {
    add_event_.reset();
    add_load_.reset();
    add_request_.reset();
    database_.reset();
    HAL0_TRY(name, move_aside(settings_.path, now));
    damaged_ = false;
    HAL0_CHECK(open());
    // What was written of this daemon went with the old file.
    HAL0_CHECK(database_->execute(format("UPDATE epochs SET gap = {}", INT64_MAX).c_str()));
    return format(
        "{} could not be read as a database; it is {} now, and what happens from here on is kept in a "
        "new one",
        settings_.path, name);
}

template <class T> Result<T> Store::noticed(Result<T> outcome) {
    if (!outcome.ok() && outcome.error().kind == Errc::Corrupt) damaged_ = true;
    return outcome;
}

// ---- writing

Result<std::string> Store::write(Batch const& batch, WallTime now) {
    std::string said;
    if (!damaged_) {
        auto const written = noticed(put(batch));
        if (written) return said;
        if (!damaged_) return written.error();
    }
    HAL0_TRY(anew, start_anew(now));
    HAL0_CHECK(put(batch));
    return anew;
}

Result<void> Store::put(Batch const& batch) {
    HAL0_CHECK(open());
    HAL0_TRY(transaction, Transaction::begin(*database_));
    for (auto const& event : batch.events)
        HAL0_CHECK(put_event(event));
    for (auto const& load : batch.loads)
        HAL0_CHECK(put_load(load));
    for (auto const& request : batch.requests)
        HAL0_CHECK(put_request(request));
    if (batch.events_lost_to > 0) {
        HAL0_TRY(gap, database_->prepare("UPDATE epochs SET gap = max(gap, ?) WHERE epoch = ?"));
        HAL0_CHECK(gap->bind(stored(batch.events_lost_to)).bind(stored(settings_.epoch)).run());
    }
    return transaction->commit();
}

Result<void> Store::put_event(Event const& event) {
    return add_event_->bind(stored(event.id.epoch))
        .bind(stored(event.id.sequence))
        .bind(stored(event.time))
        .bind(std::string_view{event.type})
        .bind(std::string_view{event.subject})
        .bind(std::string_view{event.data})
        .run();
}

Result<void> Store::put_load(LoadRecord const& load) {
    return add_load_->bind(std::string_view{load.slot})
        .bind(std::string_view{load.model})
        .bind(std::string_view{load.engine})
        .bind(std::string_view{load.version})
        .bind(std::string_view{load.backend})
        .bind(std::string_view{load.settings})
        .bind(stored(load.began))
        .bind(load.seconds)
        .bind(std::string_view{load.outcome})
        .bind(std::string_view{load.why}.substr(0, why_bytes_max))
        .bind(load.memory)
        .run();
}

Result<void> Store::put_request(RequestRecord const& request) {
    return add_request_->bind(std::string_view{request.id})
        .bind(std::string_view{request.slot})
        .bind(std::string_view{request.model})
        .bind(std::string_view{request.path})
        .bind(stored(request.began))
        .bind(request.status)
        .bind(std::string_view{request.outcome})
        .bind(request.waited_s)
        .bind(request.first_byte_s)
        .bind(request.total_s)
        .bind(told(request.figures.prompt_tokens))
        .bind(told(request.figures.cached_tokens))
        .bind(told(request.figures.generated_tokens))
        .bind(told(request.figures.prompt_ms))
        .bind(told(request.figures.generated_ms))
        .bind(std::int64_t{request.stream ? 1 : 0})
        .bind(request.in_flight)
        .bind(request.answer_bytes)
        .run();
}

Result<void> Store::end_epoch() {
    HAL0_CHECK(open());
    HAL0_TRY(closed, database_->prepare("UPDATE epochs SET closed = 1 WHERE epoch = ?"));
    return closed->bind(stored(settings_.epoch)).run();
}

// ---- keeping it small

Result<bool> Store::prune(WallTime now) {
    HAL0_CHECK(open());
    HAL0_TRY(requests, prune_table("requests", settings_.keep.requests_max, now));
    HAL0_TRY(events, prune_table("events", settings_.keep.events_max, now));
    HAL0_TRY(loads, prune_table("loads", settings_.keep.loads_max, now));
    HAL0_TRY(large, too_large());
    if (large) {
        HAL0_CHECK(prune_table("requests", 0, now));
        HAL0_CHECK(prune_table("events", 0, now));
    }
    constexpr char const* give_back =
        "DELETE FROM epochs WHERE closed = 1 AND epoch < (SELECT coalesce(min(epoch), 0) FROM events);"
        "PRAGMA incremental_vacuum(256)";
    if (requests || events || loads || large) HAL0_CHECK(database_->execute(give_back));
    return requests || events || loads || large;
}

// Nine tenths of what SQLite lets it become: there must be room to delete in.
Result<bool> Store::too_large() {
    HAL0_TRY(pages, database_->number("PRAGMA page_count"));
    HAL0_TRY(unused, database_->number("PRAGMA freelist_count"));
    HAL0_TRY(page, database_->number("PRAGMA page_size"));
    return (pages - unused) * page > settings_.keep.size_max.count / 10 * 9;
}

// Of the oldest: numbers are given in the order of time.
Result<bool> Store::prune_table(std::string_view table, std::int64_t rows_max, WallTime now) {
    HAL0_TRY(newest, database_->number(format("SELECT max(number) FROM {}", table)));
    HAL0_TRY(last, database_->prepare(
                       format("SELECT max(number), count(*) FROM (SELECT number, time FROM {} ORDER BY "
                              "number LIMIT {}) WHERE number <= ? OR time < ?",
                              table, prune_rows_max)));
    last->bind(newest - rows_max).bind(stored(now - settings_.kept_for));
    HAL0_TRY(found, last->step());
    if (!found || last->is_null(0)) return false;
    auto const number = last->integer(0);
    bool const more = last->integer(1) == prune_rows_max;
    last->rewind();  // a statement under way would keep the transaction from its end
    HAL0_CHECK(prune_table_to(table, number));
    return more;
}

Result<void> Store::prune_table_to(std::string_view table, std::int64_t number) {
    HAL0_TRY(transaction, Transaction::begin(*database_));
    if (table == "events")
        HAL0_CHECK(database_->execute(
            format("UPDATE epochs SET gap = max(gap, (SELECT coalesce(max(sequence), 0) FROM events WHERE "
                   "events.epoch = epochs.epoch AND events.number <= {}))",
                   number)
                .c_str()));
    HAL0_CHECK(database_->execute(format("DELETE FROM {} WHERE number <= {}", table, number).c_str()));
    return transaction->commit();
}

// ---- asking

Result<std::vector<RequestRecord>> Store::requests(Query const& query) {
    HAL0_CHECK(open());
    HAL0_TRY(asked, database_->prepare(
                        format("SELECT * FROM requests WHERE number < ? {} ORDER BY number DESC LIMIT ?",
                               query.slot ? "AND slot = ?" : "")));
    asked->bind(query.before.value_or(INT64_MAX));
    if (query.slot) asked->bind(std::string_view{*query.slot});
    asked->bind(std::clamp<std::int64_t>(query.limit, 0, query_rows_max));
    return noticed(rows_of<RequestRecord>(*asked, &request_of));
}

Result<std::vector<LoadRecord>> Store::loads(Query const& query) {
    HAL0_CHECK(open());
    HAL0_TRY(asked,
             database_->prepare(format("SELECT * FROM loads WHERE number < ? {} ORDER BY number DESC LIMIT ?",
                                       query.slot ? "AND slot = ?" : "")));
    asked->bind(query.before.value_or(INT64_MAX));
    if (query.slot) asked->bind(std::string_view{*query.slot});
    asked->bind(std::clamp<std::int64_t>(query.limit, 0, query_rows_max));
    return noticed(rows_of<LoadRecord>(*asked, &load_of));
}

// Since the first load on these settings behind the last on others; nothing before there was one.
Result<Baseline> Store::baseline(std::string const& slot, std::string const& model,
                                 std::string const& settings) {
    HAL0_CHECK(open());
    HAL0_TRY(since, database_->prepare(
                        "SELECT min(time), min(number) FROM loads WHERE slot = ?1 AND number > (SELECT "
                        "coalesce(max(number), 0) FROM loads WHERE slot = ?1 AND NOT (model = ?2 AND "
                        "settings = ?3))"));
    since->bind(std::string_view{slot}).bind(std::string_view{model}).bind(std::string_view{settings});
    HAL0_TRY(any, noticed(since->step()));
    if (!any || since->is_null(0)) return Baseline{};
    Baseline found;
    HAL0_TRY(requests, database_->prepare(
                           "SELECT generated_tokens * 1000.0 / generated_ms, coalesce(prompt_tokens, 0) + "
                           "generated_tokens FROM requests WHERE slot = ? AND model = ? AND time > ? AND "
                           "in_flight = 1 AND generated_tokens >= ? AND generated_ms > 0 ORDER BY number "
                           "DESC LIMIT ?"));
    requests->bind(std::string_view{slot}).bind(std::string_view{model}).bind(since->integer(0));
    requests->bind(tokens_least).bind(static_cast<std::int64_t>(baseline_requests_max));
    HAL0_TRY(speeds, noticed(rows_of<Speed>(*requests, &speed_of)));
    found.requests.assign(speeds.rbegin(), speeds.rend());
    HAL0_TRY(loads, database_->prepare(
                        "SELECT seconds FROM loads WHERE slot = ? AND number >= ? AND outcome = 'ready' "
                        "ORDER BY number DESC LIMIT ?"));
    loads->bind(std::string_view{slot})
        .bind(since->integer(1))
        .bind(static_cast<std::int64_t>(baseline_loads_max));
    HAL0_TRY(seconds, noticed(rows_of<double>(*loads, &seconds_of)));
    found.load_seconds.assign(seconds.rbegin(), seconds.rend());
    return found;
}

Result<std::vector<Event>> Store::events(EventQuery const& query) {
    HAL0_CHECK(open());
    auto const before = query.before.value_or(EventId{INT64_MAX, 0});
    HAL0_TRY(asked, database_->prepare(
                        format("SELECT epoch, sequence, time, type, subject, data FROM events WHERE "
                               "(epoch, sequence) < (?, ?) {} ORDER BY epoch DESC, sequence DESC LIMIT ?",
                               query.subject ? "AND subject = ?" : "")));
    asked->bind(stored(before.epoch)).bind(stored(before.sequence));
    if (query.subject) asked->bind(std::string_view{*query.subject});
    asked->bind(std::clamp<std::int64_t>(query.limit, 0, query_rows_max));
    return noticed(rows_of<Event>(*asked, &event_of));
}

Result<PastEvents> Store::events_between(EventId after, EventId until) {
    HAL0_CHECK(open());
    HAL0_TRY(whole, noticed(continuous(after, until)));
    if (!whole) return PastEvents{};
    HAL0_TRY(asked, database_->prepare("SELECT epoch, sequence, time, type, subject, data FROM events WHERE "
                                       "(epoch, sequence) > (?, ?) AND (epoch, sequence) <= (?, ?) "
                                       "ORDER BY epoch, sequence LIMIT ?"));
    asked->bind(stored(after.epoch)).bind(stored(after.sequence));
    asked->bind(stored(until.epoch)).bind(stored(until.sequence));
    asked->bind(static_cast<std::int64_t>(past_events_max) + 1);
    HAL0_TRY(found, noticed(rows_of<Event>(*asked, &event_of)));
    if (found.size() > past_events_max) return PastEvents{};
    return PastEvents{std::move(found), true};
}

Result<std::int64_t> Store::last_sequence(std::uint64_t epoch) {
    HAL0_TRY(asked, database_->prepare("SELECT coalesce(max(sequence), 0) FROM events WHERE epoch = ?"));
    HAL0_TRY(found, asked->bind(stored(epoch)).step());
    return found ? asked->integer(0) : 0;
}

// Whether nothing of what came between the two is missing here: each daemon from the one of `after` on has
// written its events to the end, and none of them is gone.
Result<bool> Store::continuous(EventId after, EventId until) {
    if (until < after) return false;
    // Neither an id that nobody gave, nor more asked for than was written.
    HAL0_TRY(last_of_first, last_sequence(after.epoch));
    HAL0_TRY(last_of_last, last_sequence(until.epoch));
    if (stored(after.sequence) > last_of_first || stored(until.sequence) > last_of_last) return false;
    HAL0_TRY(epochs, database_->prepare("SELECT epoch, gap, closed FROM epochs WHERE epoch BETWEEN ? AND ?"));
    epochs->bind(stored(after.epoch)).bind(stored(until.epoch));
    bool begins = false;
    while (true) {
        HAL0_TRY(found, epochs->step());
        if (!found) return begins;
        bool const first = epochs->integer(0) == stored(after.epoch);
        bool const last = epochs->integer(0) == stored(until.epoch);
        begins = begins || first;
        if (epochs->integer(1) > (first ? stored(after.sequence) : 0)) return false;
        if (!last && epochs->integer(2) == 0) return false;
    }
}

}  // namespace hal0::history
