#pragma once
// The one place where a kind of failure becomes an HTTP status and the words of OpenAI's errors, and where
// both error bodies are made: hal0's own on /api, OpenAI's on /v1.
#include <string>
#include <string_view>

#include "base/error.hpp"

namespace hal0::wire {

int http_status(Errc kind);
// The error's detail of that name; empty when it has none.
std::string_view detail_of(Error const& error, std::string_view name);
Errc errc_of_status(int status);          // for clients of /api whose answer has no body of ours
std::string_view openai_type(Errc kind);  // "invalid_request_error", "server_error", …

// {"error":{"code":"not_found","message":"…","details":{…}}}
std::string error_body(Error const& error);
// {"error":{"message":"…","type":"invalid_request_error","param":null,"code":"model_not_found"}}; `code` and
// `param` come from details of those names, else the kind's own name.
std::string openai_error_body(Error const& error);

// The Error inside a body made by error_body; a general one when it isn't such a body.
Error decode_error(int status, std::string_view body);

}  // namespace hal0::wire
