#pragma once
// An Error as an HTTP answer: in OpenAI's shape everywhere but under /api/, which has an envelope of its own.
#include <string_view>

#include "base/error.hpp"
#include "http/server.hpp"

namespace hal0::api {

http::Response error_response(std::string_view path, Error const& error);
// For a path that has other methods (`allow`: "GET, HEAD, OPTIONS"): 405, or the 204 that OPTIONS asks for.
http::Response method_response(http::Method method, std::string_view path, std::string_view allow);

}  // namespace hal0::api
