#include "api/http_docs.hpp"

#include <algorithm>
#include <array>
#include <string_view>
#include <vector>

#include "api/admin.hpp"
#include "api/admin_routes.hpp"
#include "api/endpoints.hpp"
#include "api/event_types.hpp"
#include "api/gateway.hpp"
#include "api/metrics.hpp"
#include "base/format.hpp"
#include "base/text.hpp"
#include "dispatch/scheduler.hpp"
#include "dispatch/tally.hpp"
#include "http/limits.hpp"
#include "http/worker_errors.hpp"
#include "json/peek.hpp"
#include "slots/limits.hpp"
#include "wire/status.hpp"

namespace hal0::api {
namespace {

constexpr std::string_view opening = R"(# HTTP reference

<!-- Made by `build/dev/bin/hal0-http-docs` from src/api and src/wire: don't edit it here. -->

hal0 answers on 127.0.0.1:8080 and on a unix socket, unless its settings say otherwise. Where a key is set, each
request over TCP needs `Authorization: Bearer KEY`. A request whose `Host` or `Origin` isn't allowed is refused.

`/v1` speaks OpenAI's API (and Anthropic's messages, and Jina's and Cohere's reranking): the `model` of a request is
a slot (`primary`, `hal0/primary`), a model id, or nothing, which takes the slot of that kind of work: the one named
`primary` or `chat`, `embed`, `rerank` (then `embed`), else one that is ready and has least to do. `/api` is for those
who run the box:

```
curl localhost:8080/api/slots
curl -X POST localhost:8080/api/slots/primary/load
curl -N localhost:8080/api/events
```

## Models at work

| request | what it does |
|---|---|
)";

constexpr std::string_view on_errors = R"(
## Errors

Under `/api/`: `{"error": {"code": "not_found", "message": "…", "details": {…}}}`. Everywhere else OpenAI's:
`{"error": {"message": "…", "type": "invalid_request_error", "param": null, "code": "model_not_found"}}`, where `code` is
OpenAI's own word where it has one (`model_not_found`, `unknown_url`, `invalid_api_key`), else the one below. What a
worker answers, an error too, goes through as it is.
With 503 comes `Retry-After` where it is known when the same request is worth sending again; with 405 comes `Allow`.

| status | code | OpenAI's type |
|---|---|---|
)";

constexpr std::string_view on_the_wire = R"(
What is wrong with a request before its path counts, and what is wrong with the worker behind its model, is told in
OpenAI's shape, also under `/api/`:

| status | code | when |
|---|---|---|
)";

constexpr std::string_view on_waiting = R"(
Who asks for a stream (`"stream": true`) of a slot that has to come up first hears after 5 seconds that it waits, by a comment
(a line that begins with `:`), and every 5 seconds from then on. The answer has begun with that, as a 200: what fails later
is an event with an `error` in it (Anthropic's API: of the type `error`), and so is a worker's own refusal.
)";

constexpr std::string_view on_limits = R"(
## Limits

What stands in brackets is a setting: [settings.md](settings.md).

| what | at most | past it |
|---|---|---|
)";

constexpr std::string_view on_metrics = R"(
## Metrics

`GET /metrics` is Prometheus' text format. Counts are those since the daemon began. `state` is the slot's, as its
[SlotView](#slotview) has it. A histogram NAME is told as `NAME_bucket`, with seconds as `le`, `NAME_sum` and `NAME_count`.
)";

constexpr std::string_view metrics_head = R"(
| metric | type | labels | what it tells |
|---|---|---|---|
)";

constexpr std::string_view on_admin = R"(
## The admin API

A list is an array at top level. A request with a member or a query parameter that isn't listed here, or with a
parameter twice, is refused.
)";

constexpr std::string_view on_events = R"(
#### Following them

`GET /api/events` is a stream of server-sent events. Each has an `id`, its type as `event`, and as `data` an
[EventView](#eventview). A client that lost its connection sends the last id it saw as `Last-Event-ID` and gets what it
has missed, or `resync` when that is gone. A comment every 15 seconds shows that the connection lives.

| type | subject | data | when |
|---|---|---|---|
)";

constexpr std::string_view on_bodies = R"(
## Bodies

Times are RFC 3339 in UTC, sizes are bytes. In a request, a member that may be null may be left out.
)";

std::string link(wire::BodyDoc const& body) { return format("[{}](#{})", body.name, lower(body.name)); }

// The bodies that are spoken of, each once, in the order of their first mention.
class Bodies {
  public:
    void add(wire::BodyDoc (*describe)()) {
        if (describe == nullptr) return;
        auto doc = describe();
        auto const known = [&doc](wire::BodyDoc const& other) { return other.name == doc.name; };
        if (std::any_of(all_.begin(), all_.end(), known)) return;
        all_.push_back(doc);
        for (auto const& field : doc.fields)
            add(field.body);
    }
    [[nodiscard]] std::vector<wire::BodyDoc> const& all() const { return all_; }

  private:
    std::vector<wire::BodyDoc> all_{};
};

std::string endpoint_rows() {
    std::string out;
    for (auto const& row : endpoints())
        out += format("| `{} {}{}` | {} |\n", http::method_name(row.method), row.path,
                      row.path.ends_with('/') ? "{id}" : "", row.summary);
    return out;
}

std::string error_rows() {
    std::vector<std::string> rows;
    for (int k = 0; k <= static_cast<int>(Errc::Internal); ++k) {
        auto const kind = static_cast<Errc>(k);
        if (kind == Errc::Cancelled) continue;  // nobody is there to receive it
        rows.push_back(format("| {} | `{}` | `{}` |\n", wire::http_status(kind), errc_name(kind),
                              wire::openai_type(kind)));
    }
    rows.push_back(
        format("| 405 | `{}` | `{}` |\n", errc_name(Errc::Invalid), wire::openai_type(Errc::Invalid)));
    std::sort(rows.begin(), rows.end());
    return join(rows, "");
}

std::string wire_error_rows() {
    struct Row {
        int status;
        std::string_view code;
        std::string_view when;
    };
    constexpr std::array refused{
        Row{400, "invalid", "it isn't HTTP/1.1 that can be read in one way only"},
        Row{408, "timeout", "its header or its body stopped arriving"},
        Row{413, "too_large", "its body is over the limit"},
        Row{414, "invalid", "its target is too long"},
        Row{417, "invalid", "it expects something else than `100-continue`"},
        Row{431, "invalid", "its header is too long, or of too many fields"},
        Row{501, "invalid", "its body has a transfer coding other than `chunked`"},
        Row{503, "busy", "too many large bodies are held at the moment"},
        Row{505, "invalid", "it is of another version of HTTP"},
    };
    namespace told = http::worker_errors;
    std::string out;
    for (auto const& row : refused)
        out += format("| {} | `{}` | {} |\n", row.status, row.code, row.when);
    for (auto const& error : {told::unreachable, told::died, told::bad_answer, told::silent})
        out += format("| {} | `{}` | {} |\n", error.status, error.code, error.message);
    return out;
}

std::string limit_rows() {
    auto const bytes = [](std::size_t count) { return human(Bytes{static_cast<std::int64_t>(count)}); };
    auto const seconds = [](Duration time) {
        return format("{} s", std::chrono::duration_cast<std::chrono::seconds>(time).count());
    };
    http::ServerLimits const server;
    dispatch::QueueLimits const queue;
    struct Row {
        std::string what;
        std::string most;
        std::string_view past_it;
    };
    std::string out;
    for (auto const& [what, most, past_it] : {
             Row{"a request's target", bytes(http::target_bytes_max), "414"},
             Row{"its header, all of it", bytes(http::head_bytes_max), "431"},
             Row{"fields of its header", format("{}", http::header_count_max), "431"},
             Row{"its header's time to arrive", seconds(server.head_timeout), "408"},
             Row{"its body (`limits.body_max`)", human(server.body_max), "413"},
             Row{"its body under `/api/`", human(admin_body_max), "413"},
             Row{"silence while its body arrives", seconds(server.body_silence), "408"},
             Row{"request bodies held by one loop, but two of `limits.body_max` at least",
                 human(server.bodies_in_flight_max), "503 `busy`"},
             Row{format("headers held by one loop, of each what is over {}",
                        bytes(http::head_bytes_uncounted)),
                 human(server.heads_in_flight_max), "503 `busy`"},
             Row{"nesting of its JSON", format("{} levels", json::peek_depth_max), "400"},
             Row{"values in its JSON under `/api/`", format("{}", wire::request_values_max), "413"},
             Row{"its `model`", bytes(json::model_bytes_max), "400"},
             Row{"documents of one ranking", format("{}", rerank_documents_max), "413"},
             Row{"values in the JSON of one ranking", format("{}", rerank_values_max), "413"},
             Row{"requests that wait for slots to load (`limits.waiting_max`)",
                 format("{}", queue.waiting_max), "503 `busy`"},
             Row{"their bodies together (`limits.waiting_bytes_max`)", human(queue.bytes_max), "503 `busy`"},
             Row{"their wait (`limits.wait_max_s`)", seconds(slots::load_timeout), "504"},
             Row{"silence of a worker that computes", seconds(server.upstream_silence), "504"},
             Row{"a client that takes nothing of its answer", seconds(server.write_stall), "it is cut"},
             Row{"an idle connection", seconds(server.idle_timeout), "it is closed"},
             Row{"connections of one loop, fewer where the process may open few files",
                 format("{}", server.connections_max), "they wait to be accepted"},
             Row{"clients that follow events or logs", format("{}", admin_streams_max), "503 `busy`"},
         })
        out += format("| {} | {} | {} |\n", what, most, past_it);
    return out;
}

template <class Words> std::string quoted_list(Words const& words) {
    std::string out;
    for (std::string_view const word : words)
        out += format("{}`{}`", out.empty() ? "" : ", ", word);
    return out;
}

std::string metric_rows() {
    auto out = format("`outcome` is one of {}.\n{}", quoted_list(dispatch::outcome_names), metrics_head);
    for (auto const& metric : metric_docs())
        out += format("| `{}` | {} | {} | {} |\n", metric.name, metric.type, quoted_list(metric.labels),
                      metric.help);
    return out;
}

std::string takes(AdminRoute const& row) {
    std::vector<std::string> parts;
    if (row.request != nullptr) parts.push_back(link(row.request()));
    for (auto const& parameter : row.query)
        parts.push_back(format("`?{}=`: {}", parameter.name, parameter.what));
    return join(parts, "<br>");
}

std::string answers(AnswerDoc const& answer) {
    using Shape = AnswerDoc::Shape;
    switch (answer.shape) {
        case Shape::Nothing: return std::string{answer.status};
        case Shape::One: return format("{}: {}", answer.status, link(answer.body()));
        case Shape::List: return format("{}: list of {}", answer.status, link(answer.body()));
        case Shape::Text: return format("{}: text", answer.status);
        case Shape::Events: return format("{}: server-sent events", answer.status);
    }
    return {};
}

std::string admin_rows(AdminGroup const& group, Bodies& bodies) {
    auto out =
        format("\n### {}\n\n| request | what it does | takes | answers |\n|---|---|---|---|\n", group.title);
    for (auto const& row : group.routes) {
        out += format("| `{} {}` | {} | {} | {} |\n", http::method_name(row.method), row.path, row.summary,
                      takes(row), answers(row.answer));
        bodies.add(row.request);
        bodies.add(row.answer.body);
    }
    return out;
}

std::string event_type_rows() {
    std::string out;
    for (auto const& type : event_types)
        out += format("| `{}` | {} | {} | {} |\n", type.name, type.subject,
                      type.data == nullptr ? "null" : link(type.data()), type.when);
    return out;
}

std::string body_section(wire::BodyDoc const& body) {
    auto out =
        format("\n### {}\n\n{}\n\n| member | type | what it means |\n|---|---|---|\n", body.name, body.what);
    for (auto const& field : body.fields)
        out += format("| `{}` | {} | {} |\n", field.name, field.type, field.meaning);
    return out;
}

}  // namespace

std::string render_http_docs() {
    Bodies bodies;
    auto out = std::string{opening} + endpoint_rows();
    out.append(on_errors).append(error_rows()).append(on_the_wire).append(wire_error_rows());
    out.append(on_waiting)
        .append(on_limits)
        .append(limit_rows())
        .append(on_metrics)
        .append(metric_rows())
        .append(on_admin);
    for (auto const& group : admin_groups())
        out += admin_rows(group, bodies);
    bodies.add(&wire::describe<wire::EventView>);
    out.append(on_events).append(event_type_rows()).append(on_bodies);
    for (auto const& body : bodies.all())
        out += body_section(body);
    return out;
}

}  // namespace hal0::api
