#pragma once
// The heads of HTTP/1.1 messages (RFC 9112), parsed strictly: whatever two parsers could read differently is
// refused, so that nothing can be smuggled past the gateway.
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace hal0::http {

enum class Method : std::uint8_t { Get, Head, Post, Put, Patch, Delete, Options, Other };
std::string_view method_name(Method method);

struct Header {
    std::string_view name{};
    std::string_view value{};
};

// Views into the bytes that were parsed: they live as long as those stand still.
struct RequestHead {
    Method method{Method::Other};
    std::string_view method_text{};
    std::string_view target{};  // as sent: origin-form only ("/v1/models?x=1"; "*" for OPTIONS)
    std::string_view path{};    // target up to '?'
    std::string_view query{};   // after '?', undecoded
    int minor{1};               // HTTP/1.minor
    std::vector<Header> headers{};
    std::optional<std::uint64_t> content_length{};
    bool chunked{false};
    bool keep_alive{true};
    bool connection_names_headers{
        false};  // besides "close" and "keep-alive": they concern the connection only
    bool expect_continue{false};

    [[nodiscard]] std::string_view header(
        std::string_view name) const;  // first of that name, empty when absent
};

struct ResponseHead {
    int status{0};
    int minor{1};
    std::vector<Header> headers{};
    std::optional<std::uint64_t> content_length{};
    bool chunked{false};
    bool keep_alive{true};
    bool connection_names_headers{false};
    [[nodiscard]] std::string_view header(std::string_view name) const;
};

// How the reading of a head stands: bytes still missing, a head of `size` bytes, or a fault with the status
// to answer it with (400, 414, 431, 501, 505).
struct HeadFault {
    int status{400};
    std::string_view reason{};
};
struct HeadProgress {
    enum class State { More, Done, Bad } state{State::More};
    std::size_t size{0};  // bytes of the head with its empty line, when Done
    HeadFault fault{};
};

HeadProgress parse_request_head(std::string_view bytes, RequestHead& head);
HeadProgress parse_response_head(std::string_view bytes, ResponseHead& head);

std::string_view reason_phrase(int status);
// Percent-decoding of a path segment or query value; nothing when it is malformed.
std::optional<std::string> percent_decode(std::string_view text);

}  // namespace hal0::http
