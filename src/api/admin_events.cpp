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

// What a client that was here before has missed. One that comes anew to follow gets only where it stands, as
// an event without data, which SSE clients take as their last event id and show to nobody; one that came to
// look back gets all that is kept.
std::string beginning(history::EventStream const& events, std::string const& last, Follow follow,
                      std::vector<std::string> const& types) {
    auto const here = events.latest();
    if (last.empty() && follow == Follow::Yes) return format("id: {}\n\n", history::to_string(here));
    auto const id = last.empty() ? events.oldest() : history::parse_event_id(last);
    auto const missed = id ? events.since(*id) : history::EventStream::Missed{.complete = false};
    if (!missed.complete)
        return render({.id = events.latest(),
                       .time = std::chrono::system_clock::now(),
                       .type = std::string{resync.name}});
    std::string text;
    for (auto const& event : missed.events) {
        if (takes(types, event.type)) text += render(event);
    }
    return text;
}

void tell_events(Admin& admin, AdminCall const& call) {
    auto const types = wanted_types(call);
    if (!types) return admin.fail(call.ticket, types.error());
    auto const* asked = call.value("last_event_id");
    auto const& last = call.last_event_id.empty() && asked != nullptr ? *asked : call.last_event_id;
    auto const* wish = call.value("follow");
    auto const follow = wish != nullptr && *wish == "false" ? Follow::No : Follow::Yes;
    http::Response answer{.content_type = "text/event-stream",
                          .headers = {{"cache-control", "no-store"}},
                          .body = beginning(admin.events(), last, follow, *types)};
    if (call.method == http::Method::Head || follow == Follow::No)
        return admin.respond(call.ticket, std::move(answer));
    admin.begin_stream(call.ticket, std::move(answer),
                       std::make_unique<EventFollower>(admin, call.ticket, *types));
}

constexpr std::array event_query{
    QueryDoc{"follow", "`false`: what is kept of the past, all of it or after `Last-Event-ID`, and no more"},
    QueryDoc{"types", "only these, with commas between them: `slot.state,job`"},
    QueryDoc{"last_event_id", "the same as the header `Last-Event-ID`, for clients that can't set one"}};

constexpr std::array event_rows{
    AdminRoute{
        .path = "/api/events",
        .summary = "What happens, as it happens; after `Last-Event-ID`, when given, with what was missed.",
        .query = event_query,
        .answer = {AnswerDoc::Shape::Events},
        .handle = &tell_events},
};

}  // namespace

std::span<AdminRoute const> event_routes() { return event_rows; }

}  // namespace hal0::api
