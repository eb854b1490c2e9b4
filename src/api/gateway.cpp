#include "api/gateway.hpp"

#include <algorithm>
#include <utility>

#include "api/admin_routes.hpp"
#include "api/answer_figures.hpp"
#include "api/errors.hpp"
#include "api/models_list.hpp"
#include "base/format.hpp"
#include "base/text.hpp"
#include "http/sse.hpp"
#include "json/peek.hpp"
#include "wire/status.hpp"

namespace hal0::api {
namespace {

Error shape_error(json::Peek const& found) {
    using Shape = json::Peek::Shape;
    switch (found.shape) {
        case Shape::Malformed:
            return {Errc::Invalid, format("the body is not JSON: see byte {}", found.fault_at)};
        case Shape::TooDeep:
            return {Errc::Invalid, format("the body is nested deeper than {} levels at byte {}",
                                          json::peek_depth_max, found.fault_at)};
        case Shape::NotObject:
        case Shape::Object: break;
    }
    return {Errc::Invalid, "the body must be a JSON object"};
}

// A client's own request id goes on when it can do no harm in a log or a header.
bool sane_id(std::string_view id) {
    return !id.empty() && id.size() <= 128 &&
           std::all_of(id.begin(), id.end(), [](char c) { return c > ' ' && c < '\x7f' && c != '"'; });
}

// Of hal0's own answer: a worker that can't be asked, or is silent, has its status (errors.cpp).
dispatch::Outcome outcome_of_ranking(int status) {
    constexpr int bad_gateway = 502;
    constexpr int gateway_timeout = 504;
    if (status == bad_gateway) return dispatch::Outcome::WorkerLost;
    return status == gateway_timeout ? dispatch::Outcome::Stalled : dispatch::outcome_of_status(status);
}

// What hal0 answers, or would, where no worker did.
int status_of(http::RelayOutcome const& outcome) {
    constexpr int bad_gateway = 502;
    constexpr int gateway_timeout = 504;
    if (outcome.status > 0 || outcome.ending == http::Ending::ClientGone) return outcome.status;
    return outcome.ending == http::Ending::Stalled ? gateway_timeout : bad_gateway;
}

dispatch::Outcome outcome_of(http::RelayOutcome const& outcome) {
    using dispatch::Outcome;
    switch (outcome.ending) {
        case http::Ending::Complete: return dispatch::outcome_of_status(outcome.status);
        case http::Ending::ClientGone: return Outcome::ClientGone;
        case http::Ending::UpstreamRefused:
        case http::Ending::UpstreamCut: return Outcome::WorkerLost;
        case http::Ending::Stalled: return Outcome::Stalled;
    }
    return Outcome::ServerError;
}

}  // namespace

Gateway::Gateway(World const& world, AccessRules access)
    : world_{world},
      access_{std::move(access)},
      empty_table_{std::make_unique<dispatch::RouteTable const>(std::vector<dispatch::Route>{})} {
    table_ = empty_table_.get();
    models_body_ = render_models(*table_);
}

Gateway::~Gateway() = default;

Gateway::Active& Gateway::active(http::ExchangeId id) {
    if (active_.size() <= id.connection) active_.resize(std::size_t{id.connection} + 1);
    return active_[id.connection];
}

dispatch::Ticket Gateway::ticket(http::ExchangeId id) const {
    return {world_.number, id.connection, id.generation};
}

// ---- requests

void Gateway::on_head(http::Exchange& exchange, Bytes& body_max) {
    auto const& head = exchange.head();
    begin(exchange.id(), head);
    if (auto const why = api::refuse(access_, head, exchange.over_unix_socket())) return fail(exchange, *why);
    auto const found = find_endpoint(head.method, head.path);
    auto& slot = active(exchange.id());
    slot.endpoint = found.endpoint;
    if (found.endpoint != nullptr && found.endpoint->serve == Serve::Admin) {
        body_max = std::min(body_max, admin_body_max);
        // Comes without the key: nothing of it is read, and the control plane hears nothing of it.
        if (head.method == http::Method::Options) answer_admin_options(exchange);
        return;
    }
    if (found.endpoint != nullptr) return;
    if (head.path == "*" || !found.allow.empty()) {
        auto const allow =
            head.path == "*" ? std::string_view{"GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"} : found.allow;
        return answer(exchange, method_response(head.method_text, head.path, allow));
    }
    fail(exchange, Error{Errc::NotFound,
                         format("there is nothing at {}; the API is under /v1 and /api", clipped(head.path))}
                       .with("code", "unknown_url"));
}

// From here on it has a name.
void Gateway::begin(http::ExchangeId id, http::RequestHead const& head) {
    auto& slot = active(id);
    slot.generation = id.generation;
    slot.number = ids_.take();
    auto const brought = head.header("x-request-id");
    slot.client_id.assign(sane_id(brought) ? brought : std::string_view{});
}

void Gateway::on_request(http::Exchange& exchange) {
    auto& slot = active(exchange.id());
    slot.arrived = world_.loop.now();
    slot.figures = {};
    slot.in_flight = 0;
    auto const& endpoint = *slot.endpoint;
    switch (endpoint.serve) {
        case Serve::Health: return answer(exchange, {.body = render_health(*table_)});
        case Serve::Models: return serve_models(exchange);
        case Serve::Relay:
        case Serve::Rerank: return serve_work(exchange, endpoint);
        case Serve::Admin: return serve_admin(exchange);
    }
}

void Gateway::serve_models(http::Exchange& exchange) {
    constexpr std::string_view list = "/v1/models";
    auto const path = exchange.head().path;
    if (path == list) return answer(exchange, {.body = models_body_});
    auto const id = http::percent_decode(path.substr(list.size() + 1));
    auto body = id ? render_model(*table_, *id) : std::nullopt;
    if (!body) return fail(exchange, table_->unknown(id.value_or(std::string{path}), std::nullopt));
    answer(exchange, {.body = std::move(*body)});
}

void Gateway::serve_work(http::Exchange& exchange, Endpoint const& endpoint) {
    auto const found = json::peek(exchange.body());
    if (found.shape != json::Peek::Shape::Object) return fail(exchange, shape_error(found));
    if (found.model_is_not_text)
        return fail(exchange, Error{Errc::Invalid, "'model' must be a string"}.with("param", "model"));
    if (found.model_is_too_long)
        return fail(exchange,
                    Error{Errc::Invalid,
                          format("'model' has more than the {} bytes a name may have", json::model_bytes_max)}
                        .with("param", "model"));
    auto const route =
        table_->resolve(found.model ? std::string_view{*found.model} : std::string_view{}, endpoint.work);
    if (!route) return fail(exchange, route.error());
    active(exchange.id()).streams = found.stream && endpoint.stream_errors != StreamErrors::None;
    send(exchange, endpoint, *route.value());
}

void Gateway::send(http::Exchange& exchange, Endpoint const& endpoint, dispatch::Route const& route) {
    auto const id = exchange.id();
    auto& slot = active(id);
    note_route(slot, route);
    // The gate may be open before this loop's table says where to: the grant comes behind that table.
    if (route.has_address()) slot.lease = dispatch::Lease::take(*route.gate);
    if (!slot.lease.held()) return wait(exchange, route);
    slot.in_flight = static_cast<std::uint32_t>(slot.lease.in_flight());
    slot.began = world_.loop.now();
    if (endpoint.serve == Serve::Rerank) return rank(exchange, endpoint, route);
    slot.state = Active::State::Relaying;
    lines_.clear();
    common_headers(id, &exchange.head(), [this](std::string_view name, std::string_view value) {
        lines_.append(name).append(": ").append(value).append("\r\n");
    });
    exchange.relay(
        {.upstream = route.worker, .path = endpoint.worker_path, .bearer = route.key, .add_lines = lines_},
        *this);
}

void Gateway::wait(http::Exchange& exchange, dispatch::Route const& route) {
    auto const id = exchange.id();
    auto& slot = active(id);
    slot.state = Active::State::Waiting;
    slot.gate = route.gate;
    if (slot.streams) waiting_streams_.try_emplace(id, Waiting{route.slot, world_.loop.now()});
    if (!waiting_streams_.empty() && !heartbeat_.running()) heartbeat_.start(world_.heartbeat);
    world_.control.wanted(ticket(id), route.slot, {static_cast<std::int64_t>(exchange.body().size())});
}

// Before a load has taken that long nobody hears anything: a refusal has its status then.
void Gateway::tell_who_waits() {
    auto const now = world_.loop.now();
    std::erase_if(waiting_streams_, [this, now](auto const& entry) {
        auto const& [id, waiting] = entry;
        auto* const exchange = live(ticket(id), Active::State::Waiting);
        if (exchange == nullptr) return true;
        auto const waited = now - waiting.since;
        if (waited < world_.heartbeat) return false;
        http::Response head{.content_type = "text/event-stream", .headers = {{"cache-control", "no-cache"}}};
        if (!exchange->kept_waiting()) add_common(id, &exchange->head(), head);
        exchange->keep_waiting(
            head, http::sse_comment(format("slot '{}' is coming up: {} s so far", waiting.slot,
                                           std::chrono::round<std::chrono::seconds>(waited).count())));
        return false;
    });
    if (!waiting_streams_.empty()) heartbeat_.start(world_.heartbeat);
}

void Gateway::rank(http::Exchange& exchange, Endpoint const& endpoint, dispatch::Route const& route) {
    auto const id = exchange.id();
    active(id).state = Active::State::Ranking;
    RerankWorker const worker{.address = route.worker,
                              .key = route.key,
                              .path = std::string{endpoint.worker_path},
                              .model = route.model,
                              .cross_encoder = route.kind == models::Kind::Rerank};
    auto done = [this, id](http::Response response) {
        auto job = rankings_.extract(id);  // lives to the end of this call
        auto* waiting = live(ticket(id), Active::State::Ranking);
        if (waiting != nullptr) {
            auto& slot = active(id);
            read_figures(response.body, slot.figures);
            ended(slot, {.outcome = outcome_of_ranking(response.status),
                         .status = response.status,
                         .total = world_.loop.now() - slot.began,
                         .answer_bytes = response.body.size()});
        }
        end(id);
        if (waiting != nullptr) answer(*waiting, std::move(response));
    };
    auto job = std::make_unique<RerankJob>(world_.loop, world_.inbox, world_.pool, worker, std::move(done));
    auto& started = *job;
    rankings_.emplace(id, std::move(job));
    started.start(exchange.take_body());
}

void Gateway::serve_admin(http::Exchange& exchange) {
    auto const& head = exchange.head();
    auto const id = exchange.id();
    active(id).state = Active::State::Admin;
    world_.admin.request({.ticket = ticket(id),
                          .method = head.method,
                          .method_text = std::string{head.method_text},
                          .path = std::string{head.path},
                          .query = std::string{head.query},
                          .body = exchange.take_body(),
                          .last_event_id = std::string{head.header("last-event-id")},
                          .over_unix_socket = exchange.over_unix_socket()});
}

void Gateway::answer_admin_options(http::Exchange& exchange) {
    auto const& head = exchange.head();
    auto const allow = find_admin_route(head.method, head.path).allow;
    if (allow.empty()) return fail(exchange, unknown_admin_path(head.path));
    answer(exchange, method_response(head.method_text, head.path, allow));
}

// ---- answers

// A request whose head can't be read has none yet.
std::string_view Gateway::id_of(http::ExchangeId id) {
    auto const& slot = active(id);
    if (slot.generation != id.generation) return ids_.next();
    return slot.client_id.empty() ? ids_.text(slot.number) : std::string_view{slot.client_id};
}

template <class Put>
void Gateway::common_headers(http::ExchangeId id, http::RequestHead const* head, Put put) {
    put("x-request-id", id_of(id));
    if (head == nullptr) return;
    auto const origin = cors_origin(access_, *head);
    if (origin.empty()) return;
    put("access-control-allow-origin", origin);
    put("vary", "origin");
    if (head->method != http::Method::Options) return;
    // A preflight's answer says what a page may send (Fetch standard).
    put("access-control-allow-methods", "GET, POST, PUT, PATCH, DELETE, OPTIONS");
    put("access-control-allow-headers", cors_headers(*head));
    put("access-control-max-age", "600");
}

void Gateway::add_common(http::ExchangeId id, http::RequestHead const* head, http::Response& response) {
    common_headers(id, head, [&response](std::string_view name, std::string_view value) {
        response.headers.push_back({std::string{name}, std::string{value}});
    });
}

void Gateway::answer(http::Exchange& exchange, http::Response response) {
    add_common(exchange.id(), &exchange.head(), response);
    exchange.respond(response);
}

void Gateway::fail(http::Exchange& exchange, Error const& error) {
    if (exchange.kept_waiting())
        return exchange.end_events(error_event(active(exchange.id()).endpoint->stream_errors, error));
    answer(exchange, error_response(exchange.head().path, error));
}

http::Response Gateway::failure(http::ExchangeId id, http::OwnError const& error,
                                http::RequestHead const* head) {
    auto response = failure_response(head == nullptr ? std::string_view{} : head->path, error);
    add_common(id, head, response);
    return response;
}

void Gateway::on_gone(http::ExchangeId id) {
    auto& slot = active(id);
    if (slot.generation != id.generation) return;
    switch (slot.state) {
        case Active::State::Waiting:
            world_.control.cancelled(ticket(id));
            slot.gate->tally().count_unserved(dispatch::Outcome::ClientGone);
            record(slot, {.outcome = dispatch::Outcome::ClientGone});
            break;
        case Active::State::Admin: world_.admin.gone(ticket(id)); break;
        case Active::State::Ranking:
            rankings_.erase(id);
            ended(slot, {.outcome = dispatch::Outcome::ClientGone, .total = world_.loop.now() - slot.began});
            break;
        case Active::State::None:
        case Active::State::Relaying: break;
    }
    end(id);
}

std::string Gateway::cut_event(http::ExchangeId id, http::OwnError const& error) {
    return api::cut_event(active(id).endpoint->stream_errors, error);
}

void Gateway::on_relay_end(http::ExchangeId id, http::RelayOutcome const& outcome) {
    auto& slot = active(id);
    if (slot.generation == id.generation)
        ended(slot, {.outcome = outcome_of(outcome),
                     .status = status_of(outcome),
                     .first_byte = outcome.status > 0 ? std::optional{outcome.first_byte} : std::nullopt,
                     .total = outcome.total,
                     .answer_bytes = outcome.body_bytes});
    end(id);
}

void Gateway::end(http::ExchangeId id) {
    auto& slot = active(id);
    if (slot.generation != id.generation) return;
    slot.state = Active::State::None;
    slot.lease.release();
}

http::Exchange* Gateway::live(dispatch::Ticket ticket, Active::State state) {
    http::ExchangeId const id{ticket.connection, ticket.generation};
    auto const& slot = active(id);
    if (slot.generation != id.generation || slot.state != state) return nullptr;
    return server_->find(id);
}

// ---- from the control plane

void Gateway::publish(dispatch::RouteTable const& table, std::uint64_t version) {
    world_.inbox.post([this, &table, version] {
        table_ = &table;
        know_routes();
        models_body_ = render_models(table);
        world_.control.table_seen(world_.number, version);
    });
}

void Gateway::grant(dispatch::Ticket ticket) {
    world_.inbox.post([this, ticket] {
        auto* exchange = live(ticket, Active::State::Waiting);
        if (exchange == nullptr) return;
        end(exchange->id());
        serve_work(*exchange,
                   *active(exchange->id()).endpoint);  // anew: the slot may be closed again, or another's
    });
}

void Gateway::refuse(dispatch::Ticket ticket, Error why) {
    world_.inbox.post([this, ticket, why = std::move(why)] {
        auto* exchange = live(ticket, Active::State::Waiting);
        if (exchange == nullptr) return;
        auto& slot = active(exchange->id());
        slot.gate->tally().count_unserved(dispatch::Outcome::Refused);
        record(slot, {.outcome = dispatch::Outcome::Refused, .status = wire::http_status(why.kind)});
        end(exchange->id());
        fail(*exchange, why);
    });
}

void Gateway::forget_worker(os::Address worker) {
    world_.inbox.post([this, worker = std::move(worker)] { server_->forget_upstream(worker); });
}

void Gateway::respond(dispatch::Ticket ticket, http::Response response) {
    world_.inbox.post([this, ticket, response = std::move(response)]() mutable {
        auto* exchange = live(ticket, Active::State::Admin);
        if (exchange == nullptr) return;
        end(exchange->id());
        answer(*exchange, std::move(response));
    });
}

void Gateway::begin_stream(dispatch::Ticket ticket, http::Response head_and_first) {
    world_.inbox.post([this, ticket, response = std::move(head_and_first)]() mutable {
        auto* exchange = live(ticket, Active::State::Admin);
        if (exchange == nullptr) return;
        add_common(exchange->id(), &exchange->head(), response);
        exchange->begin_stream(response);
    });
}

void Gateway::write(dispatch::Ticket ticket, std::string bytes) {
    world_.inbox.post([this, ticket, bytes = std::move(bytes)] {
        if (auto* exchange = live(ticket, Active::State::Admin)) exchange->write(bytes);
    });
}

void Gateway::finish(dispatch::Ticket ticket) {
    world_.inbox.post([this, ticket] {
        auto* exchange = live(ticket, Active::State::Admin);
        if (exchange == nullptr) return;
        end(exchange->id());
        exchange->finish();
    });
}

}  // namespace hal0::api
