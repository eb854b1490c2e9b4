#include "http/head.hpp"

#include <array>

#include "base/text.hpp"
#include "http/limits.hpp"

namespace hal0::http {
namespace {

using State = HeadProgress::State;

HeadProgress more() { return {State::More, 0, {}}; }
HeadProgress done(std::size_t size) { return {State::Done, size, {}}; }
HeadProgress bad(int status, std::string_view reason) { return {State::Bad, 0, {status, reason}}; }
constexpr HeadFault no_fault{0, {}};

// What a byte may be part of; RFC 9110 §5.6.2 (token), §5.5 (field content), RFC 3986 (target; we allow any
// visible ASCII but '#').
constexpr std::uint8_t in_token = 1, in_value = 2, in_target = 4, in_host = 8;

constexpr std::array<std::uint8_t, 256> make_kinds() {
    std::array<std::uint8_t, 256> kinds{};
    for (std::size_t c = 0x20; c < 256; ++c)
        if (c != 0x7f) kinds[c] |= in_value;
    kinds['\t'] |= in_value;
    for (std::size_t c = 0x21; c < 0x7f; ++c)
        if (c != '#') kinds[c] |= in_target;
    auto const mark = [&kinds](std::string_view set, std::uint8_t kind) {
        for (char const c : set)
            kinds[static_cast<unsigned char>(c)] =
                static_cast<std::uint8_t>(kinds[static_cast<unsigned char>(c)] | kind);
    };
    constexpr std::string_view letters_digits =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
    mark(letters_digits, in_token);
    mark("!#$%&'*+-.^_`|~", in_token);
    mark(letters_digits, in_host);
    mark("-._~:[]%!$&'()*+;=", in_host);
    return kinds;
}
constexpr auto kinds = make_kinds();

bool all_of_kind(std::string_view text, std::uint8_t kind) {
    for (char const c : text)
        if ((kinds[static_cast<unsigned char>(c)] & kind) == 0) return false;
    return true;
}

std::string_view trim_blanks(std::string_view text) {
    while (!text.empty() && (text.front() == ' ' || text.front() == '\t'))
        text.remove_prefix(1);
    while (!text.empty() && (text.back() == ' ' || text.back() == '\t'))
        text.remove_suffix(1);
    return text;
}

// One line without its CRLF. `ended` is false while its end is not there.
struct Line {
    std::string_view text{};
    std::size_t size{0};  // with CRLF
    bool ended{false};
    bool bare{false};  // ended by LF alone
};
Line next_line(std::string_view bytes) {
    auto const at = bytes.find('\n');
    if (at == std::string_view::npos) return {bytes, bytes.size(), false, false};
    if (at == 0 || bytes[at - 1] != '\r') return {bytes.substr(0, at), at + 1, true, true};
    return {bytes.substr(0, at - 1), at + 1, true, false};
}

// What the fields say about the message, gathered while they are read.
struct Facts {
    std::vector<Header>* headers{nullptr};
    std::optional<std::uint64_t> content_length{};
    std::string_view host{};
    int hosts{0};
    int transfer_encodings{0};
    bool te_is_chunked{false};
    bool close{false};
    bool keep_alive{false};
    bool connection_names_headers{false};
    bool expect_continue{false};
    bool expect_other{false};
};

std::optional<std::uint64_t> decimal(std::string_view text) {
    if (text.empty() || text.size() > 18) return {};
    std::uint64_t value = 0;
    for (char const c : text) {
        if (c < '0' || c > '9') return {};
        value = value * 10 + static_cast<std::uint64_t>(c - '0');
    }
    return value;
}

void note_connection(std::string_view value, Facts& facts) {
    while (!value.empty()) {
        auto const end = value.find(',');
        auto const option = trim_blanks(value.substr(0, end));
        if (equal_fold(option, "close"))
            facts.close = true;
        else if (equal_fold(option, "keep-alive"))
            facts.keep_alive = true;
        else
            facts.connection_names_headers = true;
        if (end == std::string_view::npos) return;
        value.remove_prefix(end + 1);
    }
}

HeadFault note_field(Header const& field, Facts& facts) {
    switch (field.name.size()) {
        case 4:
            if (equal_fold(field.name, "host")) {
                facts.host = field.value;
                ++facts.hosts;
            }
            break;
        case 6:
            if (equal_fold(field.name, "expect")) {
                if (equal_fold(field.value, "100-continue"))
                    facts.expect_continue = true;
                else
                    facts.expect_other = true;
            }
            break;
        case 10:
            if (equal_fold(field.name, "connection")) note_connection(field.value, facts);
            break;
        case 14:
            if (equal_fold(field.name, "content-length")) {
                if (facts.content_length) return {400, "Content-Length is there twice"};
                facts.content_length = decimal(field.value);
                if (!facts.content_length) return {400, "Content-Length is not a number"};
            }
            break;
        case 17:
            if (equal_fold(field.name, "transfer-encoding")) {
                ++facts.transfer_encodings;
                facts.te_is_chunked = equal_fold(field.value, "chunked");
            }
            break;
        default: break;
    }
    return no_fault;
}

HeadFault read_field(std::string_view line, Facts& facts) {
    if (line.front() == ' ' || line.front() == '\t') return {400, "a folded header line"};
    auto const colon = line.find(':');
    if (colon == std::string_view::npos) return {400, "a header line without a colon"};
    if (colon == 0 || !all_of_kind(line.substr(0, colon), in_token))
        return {400, "a header name with bad characters"};
    Header const field{line.substr(0, colon), trim_blanks(line.substr(colon + 1))};
    if (!all_of_kind(field.value, in_value)) return {400, "a header value with control characters"};
    if (facts.headers->size() >= header_count_max) return {431, "too many headers"};
    facts.headers->push_back(field);
    return note_field(field, facts);
}

// The fields and the empty line after them, from `at` on.
HeadProgress read_fields(std::string_view bytes, std::size_t at, Facts& facts) {
    while (true) {
        Line const line = next_line(bytes.substr(at));
        if (!line.ended) {
            if (bytes.size() > head_bytes_max) return bad(431, "the header is over 64 kB");
            return more();
        }
        if (line.bare) return bad(400, "a line that ends without CR");
        at += line.size;
        if (at > head_bytes_max) return bad(431, "the header is over 64 kB");
        if (line.text.empty()) return done(at);
        if (auto const fault = read_field(line.text, facts); fault.status != 0)
            return bad(fault.status, fault.reason);
    }
}

// How the body is framed must have one reading only.
HeadFault check_framing(Facts const& facts, int minor) {
    if (facts.transfer_encodings == 0) return no_fault;
    if (facts.content_length) return {400, "both Content-Length and Transfer-Encoding"};
    if (facts.transfer_encodings > 1) return {400, "Transfer-Encoding is there twice"};
    if (minor == 0) return {400, "Transfer-Encoding in HTTP/1.0"};
    if (!facts.te_is_chunked) return {501, "the only Transfer-Encoding understood is chunked"};
    return no_fault;
}

HeadFault read_version(std::string_view text, int& minor) {
    auto const digit = [](char c) { return c >= '0' && c <= '9'; };
    if (text.size() != 8 || !text.starts_with("HTTP/") || !digit(text[5]) || text[6] != '.' ||
        !digit(text[7]))
        return {400, "not an HTTP version"};
    if (text[5] != '1') return {505, "only HTTP/1.1 and HTTP/1.0 are spoken here"};
    minor = text[7] == '0' ? 0 : 1;  // a higher minor version is answered as 1.1 (RFC 9110 §2.5)
    return no_fault;
}

Method method_of(std::string_view text) {
    if (text == "GET") return Method::Get;
    if (text == "POST") return Method::Post;
    if (text == "HEAD") return Method::Head;
    if (text == "PUT") return Method::Put;
    if (text == "PATCH") return Method::Patch;
    if (text == "DELETE") return Method::Delete;
    if (text == "OPTIONS") return Method::Options;
    return Method::Other;
}

// The target as origin-form. `authority` is set for absolute-form (RFC 9112 §3.2.2).
HeadFault read_target(std::string_view text, RequestHead& head, std::string_view& authority) {
    if (text.size() > target_bytes_max) return {414, "the request target is too long"};
    if (text.empty() || !all_of_kind(text, in_target)) return {400, "a request target with bad characters"};
    constexpr std::string_view scheme = "http://";
    if (text.size() > scheme.size() && equal_fold(text.substr(0, scheme.size()), scheme)) {
        text.remove_prefix(scheme.size());
        auto const end = text.find_first_of("/?");
        authority = text.substr(0, end);
        if (end == std::string_view::npos)
            text = "/";
        else
            text.remove_prefix(end);
    }
    bool const asterisk = text == "*" && head.method == Method::Options;
    if (text.front() != '/' && !asterisk) return {400, "a request target that is not a path"};
    head.target = text;
    auto const mark = text.find('?');
    head.path = text.substr(0, mark);
    head.query = mark == std::string_view::npos ? std::string_view{} : text.substr(mark + 1);
    return no_fault;
}

// The first line as far as it is there: what can't become a request is refused before its end comes (a TLS
// hello has none).
HeadProgress check_partial_line(std::string_view line) {
    if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
    auto const method = line.substr(0, line.find(' '));
    if (!all_of_kind(method, in_token) || method.size() > method_bytes_max)
        return bad(400, "not an HTTP request");
    if (!all_of_kind(line, in_target | in_value)) return bad(400, "not an HTTP request");
    if (line.size() > method.size() + target_bytes_max + 10)
        return bad(414, "the request target is too long");
    return more();
}

HeadFault read_request_line(std::string_view line, RequestHead& head, std::string_view& authority) {
    auto const first = line.find(' ');
    auto const last = line.rfind(' ');
    if (first == std::string_view::npos || first == last) return {400, "not an HTTP/1.1 request line"};
    head.method_text = line.substr(0, first);
    if (head.method_text.empty() || head.method_text.size() > method_bytes_max ||
        !all_of_kind(head.method_text, in_token))
        return {400, "a method with bad characters"};
    head.method = method_of(head.method_text);
    if (auto const fault = read_version(line.substr(last + 1), head.minor); fault.status != 0) return fault;
    return read_target(line.substr(first + 1, last - first - 1), head, authority);
}

HeadFault finish_request(Facts const& facts, std::string_view authority, RequestHead& head) {
    if (facts.hosts > 1) return {400, "Host is there twice"};
    if (facts.hosts == 0 && head.minor >= 1) return {400, "Host is missing"};
    if (!all_of_kind(facts.host, in_host)) return {400, "a Host with bad characters"};
    if (!authority.empty() && facts.hosts == 1 && !equal_fold(authority, facts.host))
        return {400, "the target's host and Host differ"};
    if (auto const fault = check_framing(facts, head.minor); fault.status != 0) return fault;
    if (facts.expect_other) return {417, "the only Expect understood is 100-continue"};
    head.content_length = facts.content_length;
    head.chunked = facts.te_is_chunked;
    head.keep_alive = !facts.close && (head.minor >= 1 || facts.keep_alive);
    head.connection_names_headers = facts.connection_names_headers;
    head.expect_continue = facts.expect_continue && head.minor >= 1;
    return no_fault;
}

void clear(RequestHead& head) {
    auto headers = std::move(head.headers);
    headers.clear();
    head = RequestHead{};
    head.headers = std::move(headers);
}

std::string_view find_header(std::vector<Header> const& headers, std::string_view name) {
    for (auto const& header : headers)
        if (header.name.size() == name.size() && equal_fold(header.name, name)) return header.value;
    return {};
}

}  // namespace

std::string_view method_name(Method method) {
    switch (method) {
        case Method::Get: return "GET";
        case Method::Head: return "HEAD";
        case Method::Post: return "POST";
        case Method::Put: return "PUT";
        case Method::Patch: return "PATCH";
        case Method::Delete: return "DELETE";
        case Method::Options: return "OPTIONS";
        case Method::Other: break;
    }
    return "OTHER";
}

std::string_view RequestHead::header(std::string_view name) const { return find_header(headers, name); }
std::string_view ResponseHead::header(std::string_view name) const { return find_header(headers, name); }

HeadProgress parse_request_head(std::string_view bytes, RequestHead& head) {
    clear(head);
    // One empty line before a request is let pass (RFC 9112 §2.2).
    std::size_t const skipped = bytes.starts_with("\r\n") ? 2 : 0;
    if (bytes.size() == skipped || bytes == "\r") return more();
    Line const first = next_line(bytes.substr(skipped));
    if (!first.ended) return check_partial_line(first.text);
    std::string_view authority;
    if (first.bare) return bad(400, "a line that ends without CR");
    if (auto const fault = read_request_line(first.text, head, authority); fault.status != 0)
        return bad(fault.status, fault.reason);
    Facts facts{};
    facts.headers = &head.headers;
    auto const progress = read_fields(bytes, skipped + first.size, facts);
    if (progress.state != State::Done) return progress;
    if (auto const fault = finish_request(facts, authority, head); fault.status != 0)
        return bad(fault.status, fault.reason);
    return progress;
}

HeadProgress parse_response_head(std::string_view bytes, ResponseHead& head) {
    auto headers = std::move(head.headers);
    headers.clear();
    head = ResponseHead{};
    head.headers = std::move(headers);
    Line const first = next_line(bytes);
    if (!first.ended) {
        constexpr std::string_view start = "HTTP/1.";
        if (!start.starts_with(bytes.substr(0, start.size()))) return bad(502, "not an HTTP answer");
        if (bytes.size() > head_bytes_max) return bad(502, "the answer's header is over 64 kB");
        return more();
    }
    if (first.bare) return bad(502, "a line that ends without CR");
    auto const& line = first.text;
    if (line.size() < 12 || line[8] != ' ' || (line.size() > 12 && line[12] != ' ') ||
        read_version(line.substr(0, 8), head.minor).status != 0 || !all_of_kind(line, in_value))
        return bad(502, "not an HTTP answer");
    auto const status = decimal(line.substr(9, 3));
    if (!status || *status < 100 || *status > 599) return bad(502, "not an HTTP status");
    head.status = static_cast<int>(*status);
    Facts facts{};
    facts.headers = &head.headers;
    auto const progress = read_fields(bytes, first.size, facts);
    if (progress.state == State::Bad) return bad(502, progress.fault.reason);
    if (progress.state == State::More) return progress;
    if (auto const fault = check_framing(facts, head.minor); fault.status != 0) return bad(502, fault.reason);
    head.content_length = facts.content_length;
    head.chunked = facts.te_is_chunked;
    head.keep_alive = !facts.close && (head.minor >= 1 || facts.keep_alive);
    head.connection_names_headers = facts.connection_names_headers;
    return progress;
}

std::string_view reason_phrase(int status) {
    switch (status) {
        case 100: return "Continue";
        case 101: return "Switching Protocols";
        case 200: return "OK";
        case 201: return "Created";
        case 202: return "Accepted";
        case 204: return "No Content";
        case 206: return "Partial Content";
        case 301: return "Moved Permanently";
        case 302: return "Found";
        case 303: return "See Other";
        case 304: return "Not Modified";
        case 307: return "Temporary Redirect";
        case 308: return "Permanent Redirect";
        case 400: return "Bad Request";
        case 401: return "Unauthorized";
        case 403: return "Forbidden";
        case 404: return "Not Found";
        case 405: return "Method Not Allowed";
        case 408: return "Request Timeout";
        case 409: return "Conflict";
        case 411: return "Length Required";
        case 412: return "Precondition Failed";
        case 413: return "Content Too Large";
        case 414: return "URI Too Long";
        case 415: return "Unsupported Media Type";
        case 416: return "Range Not Satisfiable";
        case 417: return "Expectation Failed";
        case 421: return "Misdirected Request";
        case 422: return "Unprocessable Content";
        case 429: return "Too Many Requests";
        case 431: return "Request Header Fields Too Large";
        case 499: return "Client Closed Request";
        case 500: return "Internal Server Error";
        case 501: return "Not Implemented";
        case 502: return "Bad Gateway";
        case 503: return "Service Unavailable";
        case 504: return "Gateway Timeout";
        case 505: return "HTTP Version Not Supported";
        case 507: return "Insufficient Storage";
        default: return "Status";
    }
}

std::optional<std::string> percent_decode(std::string_view text) {
    auto const nibble = [](char c) {
        if (c >= '0' && c <= '9') return c - '0';
        if (c >= 'a' && c <= 'f') return c - 'a' + 10;
        if (c >= 'A' && c <= 'F') return c - 'A' + 10;
        return -1;
    };
    std::string out;
    out.reserve(text.size());
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '%') {
            out += text[i];
            continue;
        }
        if (i + 2 >= text.size()) return {};
        int const high = nibble(text[i + 1]);
        int const low = nibble(text[i + 2]);
        if (high < 0 || low < 0 || (high == 0 && low == 0)) return {};  // a NUL ends names elsewhere
        out += static_cast<char>(high * 16 + low);
        i += 2;
    }
    return out;
}

}  // namespace hal0::http
