#pragma once
// The routes a data loop answers itself: one row each. What isn't here and begins with /api/ goes to the
// control plane; everything else is a 404.
#include <cstdint>
#include <span>
#include <string_view>

#include "dispatch/route_table.hpp"
#include "http/head.hpp"

namespace hal0::api {

enum class Serve {
    Health,  // from the loop itself
    Models,  // GET /v1/models and /v1/models/{id}, from the loop's snapshot
    Relay,   // to the worker of the slot the request names
    Rerank,  // ranked here or by the worker
    Admin,   // hops to the control plane
};

// How a client of the endpoint learns in the middle of a stream of events that something failed. None: it has
// no such streams.
enum class StreamErrors : std::uint8_t { None, OpenAi, Anthropic };

struct Endpoint {
    std::string_view path{};  // exact, or a prefix when it ends in '/'
    http::Method method{http::Method::Get};
    Serve serve{Serve::Relay};
    dispatch::Work work{dispatch::Work::Chat};
    std::string_view worker_path{};  // what the worker calls it
    std::string_view summary{};      // for docs/http.md
    StreamErrors stream_errors{StreamErrors::None};
};

std::span<Endpoint const> endpoints();

struct Lookup {
    Endpoint const* endpoint{nullptr};  // null: no such path, or not with this method
    std::string_view allow{};           // the methods this path has; empty when there is no such path
};
// HEAD finds what GET finds.
Lookup find_endpoint(http::Method method, std::string_view path);

}  // namespace hal0::api
