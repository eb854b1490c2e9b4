#include "history/history.hpp"

#include <algorithm>
#include <utility>

#include "base/format.hpp"
#include "history/limits.hpp"

namespace hal0::history {
namespace {

// Of a job that moves on a few times a second: the last of what isn't written yet says it all.
bool replaces(Event const& newer, Event const& older) {
    constexpr std::string_view of_progress = "job";
    return newer.type == of_progress && older.type == of_progress && newer.subject == older.subject;
}

}  // namespace

History::History(World world, Store::Settings const& settings)
    : world_{std::move(world)},
      store_{settings},
      off_{settings.kept_for <= std::chrono::hours::zero()},
      flush_{world_.loop, [this] { write(); }},
      prune_{world_.loop, [this] { prune(); }} {
    if (!off_) prune_.start(world_.flush_pause);  // what a daemon left that ran with another setting
}

// ---- what happens

bool History::has_room(std::size_t records) {
    if (off_) return false;
    if (waiting_.size() + under_way_records_ + records <= queue_records_max) return true;
    dropped_ += records;
    dropped_while_failing_ += records;
    return false;
}

void History::add(Event const& event) {
    if (!waiting_.events.empty() && replaces(event, waiting_.events.back())) {
        waiting_.events.back() = event;
        return;
    }
    if (has_room(1)) {
        waiting_.events.push_back(event);
        return grew();
    }
    waiting_.events_lost_to = event.id.sequence;
}

void History::add(LoadRecord load) {
    if (!has_room(1)) return;
    waiting_.loads.push_back(std::move(load));
    grew();
}

void History::add(std::vector<RequestRecord> requests) {
    if (!has_room(requests.size())) return;
    std::move(requests.begin(), requests.end(), std::back_inserter(waiting_.requests));
    grew();
}

void History::grew() {
    if (!failing_ && waiting_.size() >= batch_records) return write();
    if (!flush_.running()) flush_.start(failing_ ? world_.retry_pause : world_.flush_pause);
}

// ---- writing

void History::write() {
    flush_.stop();
    if (waiting_.size() == 0) return;
    under_way_.push_back(std::make_unique<Write>(Write{.batch = std::exchange(waiting_, {})}));
    auto* const next = under_way_.back().get();
    under_way_records_ += next->batch.size();
    world_.pool.run(
        world_.inbox,
        [store = &store_, next] {
            auto outcome = store->write(next->batch, std::chrono::system_clock::now());
            next->written = true;
            return outcome;
        },
        [this](Result<std::string> const& outcome) { wrote(outcome); });
}

void History::wrote(Result<std::string> const& outcome) {
    auto const over = std::move(under_way_.front());
    under_way_.pop_front();
    under_way_records_ -= over->batch.size();
    if (!outcome) {
        dropped_ += over->batch.size();
        dropped_while_failing_ += over->batch.size();
        auto const& lost = over->batch.events;
        waiting_.events_lost_to = std::max({waiting_.events_lost_to, over->batch.events_lost_to,
                                            lost.empty() ? 0 : lost.back().id.sequence});
        return failed(outcome.error());
    }
    if (!outcome->empty()) world_.tell(*outcome);
    if (!std::exchange(failing_, false)) return;
    world_.tell(
        format("what happens is kept again; {} records were lost", std::exchange(dropped_while_failing_, 0)));
}

// Once for each time that it begins; a newer hal0's file will not become readable.
void History::failed(Error const& why) {
    if (why.kind == Errc::Unsupported) {
        off_ = true;
        waiting_ = {};
        return world_.tell(format(
            "{}; it is left as it is, and nothing of what happens is kept: move it away, or start that hal0",
            why.message));
    }
    if (std::exchange(failing_, true)) return;
    world_.tell(
        format("what happens can't be kept: {}; hal0 serves on without, and tries again", why.message));
}

void History::prune() {
    if (off_ || pruning_) return;
    pruning_ = true;
    world_.pool.run(
        world_.inbox, [store = &store_] { return store->prune(std::chrono::system_clock::now()); },
        [this](Result<bool> const& more) {
            pruning_ = false;
            // What fails here fails when something is written, and is told then.
            bool const soon = more.ok() && *more;
            prune_.start(soon ? world_.flush_pause : world_.prune_pause);
        });
}

void History::end() {
    if (off_) return;
    // What the closed pool has dropped, in its order, then what never went there.
    Result<void> outcome;
    for (auto const& left : under_way_) {
        if (left->written) continue;
        auto const written = store_.write(left->batch, std::chrono::system_clock::now());
        if (!written) outcome = written.error();
    }
    if (auto const written = store_.write(waiting_, std::chrono::system_clock::now()); !written)
        outcome = written.error();
    if (outcome) outcome = store_.end_epoch();
    if (!outcome && !failing_ && outcome.error().kind != Errc::Unsupported)
        world_.tell(format("the last of what happened is not kept: {}", outcome.error().message));
}

// ---- asking

template <class T, class Ask> void History::ask(Ask question, Done<T> done) {
    if (off_)
        return done(Error{
            Errc::Unsupported,
            "nothing of what happens is kept: history_days in hal0.toml is 0, or the daemon's log says why"});
    write();  // what waits is to be among the answer: the pool has one thread
    world_.pool.run(
        world_.inbox, [store = &store_, question = std::move(question)] { return question(*store); },
        std::move(done));
}

void History::requests(Query query, Done<std::vector<RequestRecord>> done) {
    ask<std::vector<RequestRecord>>(
        [query = std::move(query)](Store& store) { return store.requests(query); }, std::move(done));
}

void History::loads(Query query, Done<std::vector<LoadRecord>> done) {
    ask<std::vector<LoadRecord>>([query = std::move(query)](Store& store) { return store.loads(query); },
                                 std::move(done));
}

void History::events(EventQuery query, Done<std::vector<Event>> done) {
    ask<std::vector<Event>>([query = std::move(query)](Store& store) { return store.events(query); },
                            std::move(done));
}

void History::baseline(std::string slot, std::string model, std::string settings, Done<Baseline> done) {
    ask<Baseline>([slot = std::move(slot), model = std::move(model), settings = std::move(settings)](
                      Store& store) { return store.baseline(slot, model, settings); },
                  std::move(done));
}

void History::events_between(EventId after, EventId until, Done<PastEvents> done) {
    ask<PastEvents>([after, until](Store& store) { return store.events_between(after, until); },
                    [this, done = std::move(done)](Result<PastEvents> past) {
                        // Only this one knows yet that events are missing: a write ahead of the question
                        // failed.
                        if (past && waiting_.events_lost_to > 0) return done(PastEvents{});
                        done(std::move(past));
                    });
}

}  // namespace hal0::history
