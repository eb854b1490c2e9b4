#pragma once
// An Error as an HTTP answer: in OpenAI's shape everywhere but under /api/, which has an envelope of its own.
#include <string>
#include <string_view>

#include "api/endpoints.hpp"
#include "base/error.hpp"
#include "http/server.hpp"

namespace hal0::api {

http::Response error_response(std::string_view path, Error const& error);
// What http/ found wrong before anybody here was asked. `path` is empty where it couldn't be read.
http::Response failure_response(std::string_view path, http::OwnError const& error);
// The last event of a worker's stream that ended too early, as the clients of that API look for it: OpenAI's
// take an `error` in any event's data, Anthropic's an event of that name and no other.
std::string cut_event(StreamErrors shape, http::OwnError const& error);
// The same of an answer that never came to a client whose stream had begun.
std::string error_event(StreamErrors shape, Error const& error);
// For a path that has other methods (`allow`: "GET, HEAD, OPTIONS"): 405, or the 204 that OPTIONS asks for.
http::Response method_response(std::string_view method, std::string_view path, std::string_view allow);

}  // namespace hal0::api
