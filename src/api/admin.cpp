#include "api/admin.hpp"

#include <array>

#include "api/metrics.hpp"
#include "api/translate.hpp"
#include "base/format.hpp"

namespace hal0::api {

Admin::Admin(World const& world) : world_{world}, heartbeat_{world.loop, [this] { beat(); }} {}

Admin::~Admin() = default;

void Admin::request(AdminRequest request) {
    world_.inbox.post([this, request = std::move(request)]() mutable { handle(request); });
}

void Admin::gone(dispatch::Ticket ticket) {
    world_.inbox.post([this, ticket] {
        unanswered_.erase(ticket);
        streams_.erase(ticket);
    });
}

void Admin::handle(AdminRequest& request) {
    auto const ticket = request.ticket;
    unanswered_.insert(ticket);
    auto const found = find_admin_route(request.method, request.path);
    if (found.route == nullptr) {
        if (found.allow.empty()) return fail(ticket, unknown_admin_path(request.path));
        return respond(ticket, method_response(request.method_text, request.path, found.allow));
    }
    auto call = take_apart(*found.route, found.params, request.query, std::move(request.body));
    if (!call) return fail(ticket, call.error());
    call->ticket = ticket;
    call->method = request.method;
    call->last_event_id = std::move(request.last_event_id);
    call->over_unix_socket = request.over_unix_socket;
    found.route->handle(*this, *call);
}

void Admin::respond(dispatch::Ticket ticket, http::Response response) {
    if (unanswered_.erase(ticket) > 0) port(ticket).respond(ticket, std::move(response));
}

void Admin::begin_stream(dispatch::Ticket ticket, http::Response head_and_first,
                         std::unique_ptr<AdminStream> stream) {
    if (streams_.size() >= admin_streams_max)
        return fail(ticket, {Errc::Busy, format("{} clients follow events or logs already; close some",
                                                streams_.size())});
    unanswered_.erase(ticket);
    port(ticket).begin_stream(ticket, std::move(head_and_first));
    streams_[ticket] = std::move(stream);
    if (!heartbeat_.running()) heartbeat_.start(world_.heartbeat);
}

void Admin::beat() {
    for (auto const& [ticket, stream] : streams_) {
        if (auto bytes = stream->heartbeat(); !bytes.empty()) write(ticket, std::move(bytes));
    }
    if (!streams_.empty()) heartbeat_.start(world_.heartbeat);
}

void Admin::end(Error const& why) {
    for (auto const& [ticket, stream] : std::exchange(streams_, {}))
        port(ticket).finish(ticket);
    while (!unanswered_.empty())
        fail(*unanswered_.begin(), why);
}

// ---- the daemon itself

namespace {

void show_status(Admin& admin, AdminCall const& call) {
    auto status = admin.house().status();
    status.slots = admin.house().slots();
    for (auto const& job : admin.jobs().list()) {
        if (job.state == jobs::State::Running) status.jobs.push_back(view_of(job));
    }
    admin.answer(call.ticket, status);
}

void show_metrics(Admin& admin, AdminCall const& call) {
    auto& house = admin.house();
    auto const slots = house.slots();
    std::vector<SlotCounts> counts;
    counts.reserve(slots.size());
    for (auto const& slot : slots)
        counts.push_back(house.counts(slot.name));
    admin.respond(call.ticket, {.content_type = "text/plain; version=0.0.4; charset=utf-8",
                                .body = render_metrics(house.status().version, slots, counts)});
}

void stop(Admin& admin, AdminCall const& call) {
    admin.house().stop([&admin, ticket = call.ticket] { admin.respond(ticket, {.status = 204}); });
}

using Shape = AnswerDoc::Shape;

constexpr std::array rows{
    AdminRoute{.path = "/api/status",
               .summary = "The daemon, its slots and the jobs that run.",
               .answer = {Shape::One, &wire::describe<wire::StatusView>},
               .handle = &show_status},
    AdminRoute{.path = "/metrics",
               .summary =
                   "What Prometheus scrapes: of each slot its state, memory, loads and requests, by how "
                   "they ended and how long they took.",
               .answer = {Shape::Text},
               .handle = &show_metrics},
    AdminRoute{.method = http::Method::Post,
               .path = "/api/stop",
               .summary =
                   "Take every slot down, then end the daemon; answered in between. Requests in flight "
                   "get half a minute; new ones are refused. (SIGTERM ends the daemon alone: its "
                   "workers go on.)",
               .answer = {Shape::Nothing, nullptr, "204"},
               .handle = &stop},
};

}  // namespace

std::span<AdminRoute const> status_routes() { return rows; }

}  // namespace hal0::api
