// What is kept of the past: requests, loads, and events of earlier daemons too.
#include <array>
#include <optional>

#include "api/admin.hpp"
#include "api/translate.hpp"
#include "base/format.hpp"
#include "base/text.hpp"
#include "history/limits.hpp"

namespace hal0::api {
namespace {

constexpr std::int64_t rows_usual = 50;

Result<std::int64_t> wanted_rows(AdminCall const& call) {
    return call.number("limit", rows_usual, history::query_rows_max);
}

Result<history::Query> rows_query(AdminCall const& call) {
    history::Query query;
    HAL0_TRY(limit, wanted_rows(call));
    query.limit = limit;
    if (auto const* slot = call.value("slot")) query.slot = *slot;
    if (call.value("before") == nullptr) return query;
    HAL0_TRY(before, call.number("before", 0, INT64_MAX));
    query.before = before;
    return query;
}

// Answers with the views of what comes.
template <class Record> auto viewing(Admin& admin, dispatch::Ticket ticket) {
    return [&admin, ticket](Result<std::vector<Record>> const& found) {
        if (!found) return admin.fail(ticket, found.error());
        std::vector<decltype(view_of(Record{}))> views;
        views.reserve(found->size());
        for (auto const& record : *found)
            views.push_back(view_of(record));
        admin.answer(ticket, views);
    };
}

void list_requests(Admin& admin, AdminCall const& call) {
    auto const query = rows_query(call);
    if (!query) return admin.fail(call.ticket, query.error());
    admin.history().requests(*query, viewing<history::RequestRecord>(admin, call.ticket));
}

void list_loads(Admin& admin, AdminCall const& call) {
    auto const query = rows_query(call);
    if (!query) return admin.fail(call.ticket, query.error());
    admin.history().loads(*query, viewing<history::LoadRecord>(admin, call.ticket));
}

Result<history::EventQuery> events_query(AdminCall const& call) {
    history::EventQuery query;
    HAL0_TRY(limit, wanted_rows(call));
    query.limit = limit;
    if (auto const* subject = call.value("subject")) query.subject = *subject;
    auto const* before = call.value("before");
    if (before == nullptr) return query;
    query.before = history::parse_event_id(*before);
    if (query.before) return query;
    return Error{Errc::Invalid, format("'before' is the id of an event, not '{}'", clipped(*before))};
}

void list_events(Admin& admin, AdminCall const& call) {
    auto const query = events_query(call);
    if (!query) return admin.fail(call.ticket, query.error());
    admin.history().events(*query, viewing<history::Event>(admin, call.ticket));
}

using Shape = AnswerDoc::Shape;

constexpr QueryDoc limit_doc{"limit", "at most so many: 50, up to 1000"};
constexpr std::array row_query{QueryDoc{"slot", "only of this one; it may be gone by now"}, limit_doc,
                               QueryDoc{"before", "only those with a lower `number`: the next page"}};
constexpr std::array event_row_query{
    QueryDoc{"subject", "only of this slot or job"}, limit_doc,
    QueryDoc{"before", "only those before the one with this `id`: the next page"}};

constexpr std::array history_rows{
    AdminRoute{
        .path = "/api/requests",
        .summary = "The requests on slots that ended, the newest first, as far back as `history_days` says.",
        .query = row_query,
        .answer = {Shape::List, &wire::describe<wire::RequestView>},
        .handle = &list_requests},
    AdminRoute{.path = "/api/loads",
               .summary = "The loads of slots, the newest first, and those that failed.",
               .query = row_query,
               .answer = {Shape::List, &wire::describe<wire::LoadView>},
               .handle = &list_loads},
    AdminRoute{.path = "/api/events/past",
               .summary =
                   "What happened, the newest first, earlier daemons' events too; of a job's progress one a "
                   "second.",
               .query = event_row_query,
               .answer = {Shape::List, &wire::describe<wire::EventView>},
               .handle = &list_events},
};

}  // namespace

std::span<AdminRoute const> history_routes() { return history_rows; }

}  // namespace hal0::api
