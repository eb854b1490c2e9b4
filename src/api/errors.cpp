#include "api/errors.hpp"

#include <string>

#include "base/format.hpp"
#include "base/text.hpp"
#include "wire/status.hpp"

namespace hal0::api {
namespace {

std::string body_of(std::string_view path, Error const& error) {
    return path.starts_with("/api/") ? wire::error_body(error) : wire::openai_error_body(error);
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

http::Response method_response(http::Method method, std::string_view path, std::string_view allow) {
    http::Response response{.status = method == http::Method::Options ? 204 : 405};
    if (response.status == 405) {
        Error const error{Errc::Invalid, format("{} is not a method of {}; it has {}",
                                                http::method_name(method), clipped(path), allow)};
        response.body = body_of(path, error);
    }
    response.headers.push_back({"allow", std::string{allow}});
    return response;
}

}  // namespace hal0::api
