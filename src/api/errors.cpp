#include "api/errors.hpp"

#include <string>

#include "base/format.hpp"
#include "base/text.hpp"
#include "http/sse.hpp"
#include "json/writer.hpp"
#include "wire/status.hpp"

namespace hal0::api {
namespace {

std::string body_of(std::string_view path, Error const& error) {
    return path.starts_with("/api/") ? wire::error_body(error) : wire::openai_error_body(error);
}

Error as_error(http::OwnError const& error) {
    return Error{wire::errc_of_status(error.status), std::string{error.message}}.with(
        "code", std::string{error.code});
}

// Seconds until the same request is worth sending again, where that is known.
std::string_view retry_after(Error const& error) {
    auto const told = wire::detail_of(error, "retry_after_s");
    return told.empty() && error.kind == Errc::Busy ? "5" : told;
}

}  // namespace

http::Response error_response(std::string_view path, Error const& error) {
    http::Response response{.status = wire::http_status(error.kind), .body = body_of(path, error)};
    if (auto const pause = retry_after(error); !pause.empty())
        response.headers.push_back({"retry-after", std::string{pause}});
    if (error.kind == Errc::Unauthorized) response.headers.push_back({"www-authenticate", "Bearer"});
    return response;
}

http::Response failure_response(std::string_view path, http::OwnError const& error) {
    auto response = error_response(path, as_error(error));
    response.status = error.status;  // there are more of them than kinds
    return response;
}

std::string cut_event(StreamErrors shape, http::OwnError const& error) {
    return error_event(shape, as_error(error));
}

std::string error_event(StreamErrors shape, Error const& error) {
    if (shape != StreamErrors::Anthropic) return http::encode({.data = wire::openai_error_body(error)});
    json::Writer body;
    body.begin_object().field("type", "error").key("error").begin_object();
    body.field("type", "api_error").field("message", error.message).end_object().end_object();
    return http::encode({.type = "error", .data = body.take()});
}

http::Response method_response(std::string_view method, std::string_view path, std::string_view allow) {
    http::Response response{.status = method == "OPTIONS" ? 204 : 405};
    if (response.status == 405) {
        Error const error{Errc::Invalid,
                          format("{} is not a method of {}; it has {}", method, clipped(path), allow)};
        response.body = body_of(path, error);
    }
    response.headers.push_back({"allow", std::string{allow}});
    return response;
}

}  // namespace hal0::api
