#pragma once
// The heads that are written: of answers made here, of a request on its way to a worker, of a worker's answer
// on its way to the client.
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "http/buffer.hpp"
#include "http/head.hpp"
#include "http/server.hpp"

namespace hal0::http {

// What the client of an answer is told about the connection, and how it may be spoken to.
struct ClientTerms {
    int minor{1};              // HTTP/1.minor
    bool keep_alive{true};     // the connection goes on after the answer
    bool head_request{false};  // HEAD: everything but the body
    bool begun{false};         // its stream of events has begun, in chunks of ours where it knows them
    [[nodiscard]] bool knows_chunks() const { return minor >= 1; }
};

enum class OwnBody : std::uint8_t { Whole, Stream };

[[nodiscard]] constexpr bool may_have_body(int status) {
    return status >= 200 && status != 204 && status != 304;
}

// The head of an answer made here.
void put_answer_head(std::string& out, Response const& response, OwnBody body, ClientTerms const& terms);

// What a worker is sent in place of the client's head.
void put_worker_head(Buffer& out, RequestHead const& head, RelayPlan const& plan, std::size_t body_bytes);

// A worker's head for the client: what concerns only the connection to the worker is left out, as is what
// `added` (lines) replaces. `decoded`: its chunked body reaches the client without the chunks.
enum class Chunks : std::uint8_t { Kept, Decoded };
void put_relayed_head(std::string& out, ResponseHead const& head, std::string_view added, Chunks chunks,
                      ClientTerms const& terms);

// The largest request count and the idle time a worker allows (Keep-Alive: timeout=5, max=100).
struct KeepAlive {
    Duration idle{};
    unsigned requests_max{0};
};
KeepAlive keep_alive_of(ResponseHead const& head);

// The first line of a chunk of `size` bytes; lives in `into`.
std::string_view chunk_head(std::size_t size, std::string& into);

}  // namespace hal0::http
