#include "http/heads.hpp"

#include <algorithm>
#include <array>
#include <charconv>

#include "base/text.hpp"
#include "http/limits.hpp"

namespace hal0::http {
namespace {

constexpr std::string_view line_end = "\r\n";

std::string_view digits(std::uint64_t number, std::array<char, 24>& into, int base = 10) {
    auto const end = std::to_chars(into.data(), into.data() + into.size(), number, base).ptr;
    return {into.data(), static_cast<std::size_t>(end - into.data())};
}

template <class Out> void put_line(Out& out, std::string_view name, std::string_view value) {
    out.append(name);
    out.append(": ");
    out.append(value);
    out.append(line_end);
}

// A value of our own caller's: a line end in it must not begin a header of somebody else's making.
bool fits_in_a_line(std::string_view value) {
    return std::none_of(value.begin(), value.end(), [](char c) { return c == '\r' || c == '\n' || c == 0; });
}

void put_fields(std::string& out, std::vector<Field> const& fields) {
    for (auto const& field : fields)
        if (fits_in_a_line(field.name) && fits_in_a_line(field.value)) put_line(out, field.name, field.value);
}

void put_status_line(std::string& out, int status) {
    std::array<char, 24> text{};
    out.append("HTTP/1.1 ").append(digits(static_cast<std::uint64_t>(status), text)).append(" ");
    out.append(reason_phrase(status)).append(line_end);
}

void put_connection(std::string& out, ClientTerms const& terms) {
    if (!terms.keep_alive)
        out.append("connection: close\r\n");
    else if (terms.minor == 0)
        out.append("connection: keep-alive\r\n");
}

// `value` as a comma-separated list has `name` in it.
bool lists(std::string_view value, std::string_view name) {
    while (!value.empty()) {
        auto const end = value.find(',');
        if (equal_fold(trim(value.substr(0, end)), name)) return true;
        if (end == std::string_view::npos) return false;
        value.remove_prefix(end + 1);
    }
    return false;
}

bool one_of(std::string_view name, std::initializer_list<std::string_view> names) {
    return std::any_of(names.begin(), names.end(),
                       [name](std::string_view each) { return equal_fold(name, each); });
}

// Of the connection, not of the message (RFC 9110 §7.6.1). By length first: most headers are none of them.
bool hop_by_hop(std::string_view name) {
    switch (name.size()) {
        case 2: return equal_fold(name, "te");
        case 7: return one_of(name, {"trailer", "upgrade"});
        case 10: return one_of(name, {"connection", "keep-alive"});
        case 16: return equal_fold(name, "proxy-connection");
        case 17: return equal_fold(name, "transfer-encoding");
        case 18: return equal_fold(name, "proxy-authenticate");
        case 19: return equal_fold(name, "proxy-authorization");
        default: return false;
    }
}

// What the client says to us and not to the worker: who it is, where its page comes from (llama-server lets
// in any Origin), how its body is framed; X-Conversation-Id would let llama-server go on after a
// cancellation.
bool for_us_only(std::string_view name) {
    switch (name.size()) {
        case 4: return equal_fold(name, "host");
        case 6: return one_of(name, {"cookie", "expect", "origin"});
        case 9: return equal_fold(name, "x-api-key");
        case 13: return equal_fold(name, "authorization");
        case 14: return equal_fold(name, "content-length");
        case 17: return equal_fold(name, "x-conversation-id");
        default: return false;
    }
}

// The options of Connection name further headers that concern only the connection.
template <class Head> bool named_by_connection(Head const& head, std::string_view name) {
    return std::any_of(head.headers.begin(), head.headers.end(), [name](Header const& each) {
        return equal_fold(each.name, "connection") && lists(each.value, name);
    });
}
bool has_line(std::string_view lines, std::string_view name) {
    while (!lines.empty()) {
        auto const colon = lines.find(':');
        if (colon == name.size() && equal_fold(lines.substr(0, colon), name)) return true;
        lines.remove_prefix(lines.find(line_end) + line_end.size());
    }
    return false;
}

// Which pages may read an answer is decided here, not by the worker.
bool of_cors(std::string_view name) {
    constexpr std::string_view prefix = "access-control-";
    return name.size() > prefix.size() && equal_fold(name.substr(0, prefix.size()), prefix);
}

bool expects_a_body(Method method) {
    return method == Method::Post || method == Method::Put || method == Method::Patch;
}

}  // namespace

void put_answer_head(std::string& out, Response const& response, OwnBody body, ClientTerms const& terms) {
    put_status_line(out, response.status);
    put_fields(out, response.headers);
    if (may_have_body(response.status)) {
        std::array<char, 24> text{};
        if (!response.content_type.empty()) put_line(out, "content-type", response.content_type);
        if (body == OwnBody::Whole)
            put_line(out, "content-length", digits(response.body.size(), text));
        else if (terms.knows_chunks())
            put_line(out, "transfer-encoding", "chunked");
    }
    put_connection(out, terms);
    out.append(line_end);
}

void put_worker_head(Buffer& out, RequestHead const& head, RelayPlan const& plan, std::size_t body_bytes) {
    out.append(head.method_text);
    out.append(" ");
    out.append(plan.path.empty() ? head.target : plan.path);
    out.append(" HTTP/1.1\r\nhost: localhost\r\n");
    for (auto const& header : head.headers) {
        if (hop_by_hop(header.name) || for_us_only(header.name)) continue;
        if (head.connection_names_headers && named_by_connection(head, header.name)) continue;
        put_line(out, header.name, header.value);
    }
    if (!plan.bearer.empty()) {
        out.append("authorization: Bearer ");
        out.append(plan.bearer);
        out.append(line_end);
    }
    std::array<char, 24> text{};
    if (body_bytes > 0 || expects_a_body(head.method))
        put_line(out, "content-length", digits(body_bytes, text));
    out.append(line_end);
}

void put_relayed_head(std::string& out, ResponseHead const& head, std::string_view added, Chunks chunks,
                      ClientTerms const& terms) {
    put_status_line(out, head.status);
    for (auto const& header : head.headers) {
        if (hop_by_hop(header.name) || of_cors(header.name) || has_line(added, header.name)) continue;
        if (head.connection_names_headers && named_by_connection(head, header.name)) continue;
        put_line(out, header.name, header.value);
    }
    if (head.chunked && chunks == Chunks::Kept) put_line(out, "transfer-encoding", "chunked");
    out.append(added);
    put_connection(out, terms);
    out.append(line_end);
}

KeepAlive keep_alive_of(ResponseHead const& head) {
    KeepAlive allowed{.idle = upstream_idle_timeout, .requests_max = UINT32_MAX};
    auto value = head.header("keep-alive");
    while (!value.empty()) {
        auto const part = value.substr(0, value.find(','));
        value.remove_prefix(std::min(value.size(), part.size() + 1));
        auto const equals = part.find('=');
        if (equals == std::string_view::npos) continue;
        auto const number = to_int(trim(part.substr(equals + 1)));
        if (!number || *number < 0) continue;
        auto const name = trim(part.substr(0, equals));
        if (equal_fold(name, "max"))
            allowed.requests_max = static_cast<unsigned>(std::min<std::int64_t>(*number, UINT32_MAX));
        // Given up some time before the worker does: a request must not meet its close on the way.
        if (equal_fold(name, "timeout"))
            allowed.idle = std::min<Duration>(
                allowed.idle, std::chrono::milliseconds{800} * std::min<std::int64_t>(*number, 3600));
    }
    return allowed;
}

std::string_view chunk_head(std::size_t size, std::string& into) {
    std::array<char, 24> text{};
    into.assign(digits(size, text, 16)).append(line_end);
    return into;
}

}  // namespace hal0::http
