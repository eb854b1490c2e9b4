// Events as they happen, to be left and rejoined.
#include <algorithm>
#include <array>

#include "api/admin.hpp"
#include "api/event_types.hpp"
#include "api/translate.hpp"
#include "base/format.hpp"
#include "base/text.hpp"
#include "http/sse.hpp"

namespace hal0::api {
namespace {

// An empty list takes all.
bool takes(std::vector<std::string> const& types, std::string_view type) {
    return types.empty() || std::find(types.begin(), types.end(), type) != types.end();
}

std::string render(history::Event const& event) {
    return http::encode(
        {.id = history::to_string(event.id), .type = event.type, .data = wire::encode(view_of(event))});
}

class EventFollower final : public AdminStream {
  public:
    EventFollower(Admin& admin, dispatch::Ticket ticket, std::vector<std::string> types)
        : admin_{admin},
          number_{admin.events().subscribe(
              [&admin, ticket, types = std::move(types)](history::Event const& event) {
                  if (takes(types, event.type)) admin.write(ticket, render(event));
              })} {}
    ~EventFollower() override { admin_.events().unsubscribe(number_); }
    [[nodiscard]] std::string heartbeat() const override { return http::sse_comment("still here"); }

  private:
    Admin& admin_;
    std::uint64_t number_;
};

Result<std::vector<std::string>> wanted_types(AdminCall const& call) {
    std::vector<std::string> types, known;
    for (auto const& type : event_types)
        known.emplace_back(type.name);
    auto const* text = call.value("types");
    if (text == nullptr) return types;
    for (auto const part : split(*text, ',')) {
        std::string const type{trim(part)};
        if (std::find(known.begin(), known.end(), type) == known.end())
            return Error{Errc::Invalid, format("there are no events of type '{}'; there are {}",
                                               clipped(type), join(known, ", "))};
        types.push_back(type);
    }
    return types;
}

enum class Follow { Yes, No };

std::string resync_event(history::EventStream const& events) {
    return render(
        {.id = events.latest(), .time = std::chrono::system_clock::now(), .type = std::string{resync.name}});
}

std::string render_all(std::vector<history::Event> const& events, std::vector<std::string> const& types) {
    std::string text;
    for (auto const& event : events) {
        if (takes(types, event.type)) text += render(event);
    }
    return text;
}

// What one client asked for.
struct Wish {
    dispatch::Ticket ticket{};
    http::Method method{};
    Follow follow{Follow::Yes};
    std::vector<std::string> types{};
};

void begin(Admin& admin, Wish const& wish, std::string first) {
    if (!admin.unanswered(wish.ticket)) return;  // it left while its past was looked up
    http::Response answer{.content_type = "text/event-stream",
                          .headers = {{"cache-control", "no-store"}},
                          .body = std::move(first)};
    if (wish.method == http::Method::Head || wish.follow == Follow::No)
        return admin.respond(wish.ticket, std::move(answer));
    admin.begin_stream(wish.ticket, std::move(answer),
                       std::make_unique<EventFollower>(admin, wish.ticket, wish.types));
}

// What isn't in memory any more, or is an earlier daemon's, the history may have; then what is in memory.
void begin_further_back(Admin& admin, Wish const& wish, history::EventId last) {
    auto const oldest = admin.events().oldest();
    admin.history().events_between(
        last, oldest, [&admin, wish, oldest](Result<history::PastEvents> const& past) {
            auto const kept = admin.events().since(oldest);
            bool const whole = past.ok() && past->complete && kept.complete;
            begin(admin, wish,
                  whole ? render_all(past->events, wish.types) + render_all(kept.events, wish.types)
                        : resync_event(admin.events()));
        });
}

// A client that was here before gets what it has missed. One that comes anew to follow gets only where it
// stands, as an event without data, which SSE clients take as their last event id and show to nobody; one
// that came to look back gets all that is in memory.
void begin_after(Admin& admin, Wish const& wish, std::string const& last) {
    auto const& events = admin.events();
    if (last.empty() && wish.follow == Follow::Yes)
        return begin(admin, wish, format("id: {}\n\n", history::to_string(events.latest())));
    auto const id = last.empty() ? events.oldest() : history::parse_event_id(last);
    if (!id) return begin(admin, wish, resync_event(events));
    auto const missed = events.since(*id);
    if (missed.complete) return begin(admin, wish, render_all(missed.events, wish.types));
    begin_further_back(admin, wish, *id);
}

void tell_events(Admin& admin, AdminCall const& call) {
    auto const types = wanted_types(call);
    if (!types) return admin.fail(call.ticket, types.error());
    auto const* asked = call.value("last_event_id");
    auto const& last = call.last_event_id.empty() && asked != nullptr ? *asked : call.last_event_id;
    auto const* wish = call.value("follow");
    begin_after(admin,
                {.ticket = call.ticket,
                 .method = call.method,
                 .follow = wish != nullptr && *wish == "false" ? Follow::No : Follow::Yes,
                 .types = *types},
                last);
}

constexpr std::array event_query{
    QueryDoc{"follow", "`false`: what is in memory of the past, or all after `Last-Event-ID`, and no more"},
    QueryDoc{"types", "only these, with commas between them: `slot.state,job`"},
    QueryDoc{"last_event_id", "the same as the header `Last-Event-ID`, for clients that can't set one"}};

constexpr std::array event_rows{
    AdminRoute{.path = "/api/events",
               .summary = "What happens, as it happens; after `Last-Event-ID`, when given, with what was "
                          "missed, also while "
                          "another daemon took over.",
               .query = event_query,
               .answer = {AnswerDoc::Shape::Events},
               .handle = &tell_events},
};

}  // namespace

std::span<AdminRoute const> event_routes() { return event_rows; }

}  // namespace hal0::api
