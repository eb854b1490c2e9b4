#include "api/access.hpp"

#include <algorithm>

#include "base/format.hpp"
#include "base/text.hpp"

namespace hal0::api {
namespace {

bool is_ip(std::string_view host) {
    if (host.find(':') != std::string_view::npos) return true;  // only IPv6 literals have one left here
    return !host.empty() && host.find_first_not_of("0123456789.") == std::string_view::npos;
}

bool is_local_name(std::string_view host) {
    return equal_fold(host, "localhost") ||
           (host.size() > 10 && equal_fold(host.substr(host.size() - 10), ".localhost"));
}

bool is_loopback_ip(std::string_view host) {
    return host == "::1" || (is_ip(host) && host.starts_with("127."));
}

bool listed(AccessRules const& rules, std::string_view host) {
    return std::any_of(rules.allowed_hosts.begin(), rules.allowed_hosts.end(),
                       [host](std::string const& name) { return equal_fold(name, host); });
}

constexpr std::string_view after_scheme = "://";

// The host of "http://host:port"; empty when it isn't a web page's origin ("null", an extension, an app).
std::string_view origin_host(std::string_view origin) {
    auto const scheme_end = origin.find(after_scheme);
    auto const scheme = origin.substr(0, scheme_end);
    if (scheme_end == std::string_view::npos || (scheme != "http" && scheme != "https")) return {};
    return host_name(origin.substr(scheme_end + after_scheme.size()));
}

bool allowed_origin(AccessRules const& rules, std::string_view origin, std::string_view host) {
    auto const from = origin_host(origin);
    if (from.empty()) return origin.find(after_scheme) != std::string_view::npos && listed(rules, origin);
    bool const same_site = equal_fold(origin.substr(origin.find(after_scheme) + after_scheme.size()), host);
    return same_site || is_local_name(from) || is_loopback_ip(from) || listed(rules, from);
}

// How its owner lets `name` in; nothing when no setting can name it.
std::string how_to_allow(std::string_view name) {
    if (!valid_allowed_host(name)) return {};
    return format("; if it is yours, add it to hal0.toml and start hal0 again: allowed_hosts = [\"{}\"]",
                  name);
}

Error refused_origin(std::string_view origin) {
    if (equal_fold(origin, "null")) {
        return {Errc::Forbidden,
                "a page that has no origin (a file, or a sandboxed frame) may not use this server, and "
                "allowed_hosts can't name it: serve the page from this machine"};
    }
    auto const host = origin_host(origin);
    return {Errc::Forbidden, format("what comes from '{}' may not use this server{}", clipped(origin),
                                    how_to_allow(host.empty() ? origin : host))};
}

std::string_view bearer(http::RequestHead const& head) {
    auto const header = head.header("authorization");
    if (header.size() > 7 && equal_fold(header.substr(0, 7), "bearer ")) return trim(header.substr(7));
    return head.header("x-api-key");  // Anthropic's clients
}

}  // namespace

bool valid_allowed_host(std::string_view text) {
    constexpr std::size_t bytes_max = 253;  // of a DNS name
    constexpr std::string_view letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
    auto const only = [letters](std::string_view part, std::string_view besides) {
        return std::all_of(part.begin(), part.end(), [letters, besides](char c) {
            return letters.find(c) != std::string_view::npos || besides.find(c) != std::string_view::npos;
        });
    };
    if (text.empty() || text.size() > bytes_max) return false;
    auto const scheme_end = text.find(after_scheme);
    if (scheme_end == std::string_view::npos) return only(text, "");
    auto const scheme = text.substr(0, scheme_end);
    bool const web = equal_fold(scheme, "http") || equal_fold(scheme, "https");
    return !web && !scheme.empty() && only(scheme, "+") &&
           only(text.substr(scheme_end + after_scheme.size()), ":");
}

std::string_view host_name(std::string_view host) {
    if (host.starts_with('[')) return host.substr(1, host.find(']') - 1);
    return host.substr(0, host.find(':'));
}

bool allowed_host(AccessRules const& rules, std::string_view host) {
    auto const name = host_name(host);
    return is_ip(name) || is_local_name(name) || listed(rules, name);
}

std::string_view cors_origin(AccessRules const& rules, http::RequestHead const& head) {
    auto const origin = head.header("origin");
    return !origin.empty() && allowed_origin(rules, origin, head.header("host")) ? origin
                                                                                 : std::string_view{};
}

std::string_view cors_headers(http::RequestHead const& head) {
    constexpr std::string_view usual = "authorization, content-type, x-api-key, x-request-id, last-event-id";
    constexpr std::size_t bytes_max = 2048;
    auto const asked = head.header("access-control-request-headers");
    // RFC 9110 §5.6.2: tokens, with commas and blanks between them.
    constexpr std::string_view names =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789!#$%&'*+-.^_`|~, ";
    bool const sane = !asked.empty() && asked.size() <= bytes_max &&
                      asked.find_first_not_of(names) == std::string_view::npos;
    return sane ? asked : usual;
}

std::optional<Error> refuse(AccessRules const& rules, http::RequestHead const& head, bool over_unix_socket) {
    if (over_unix_socket) return std::nullopt;
    auto const host = head.header("host");
    if (!host.empty() && !allowed_host(rules, host)) {
        return Error{Errc::Forbidden, format("the Host '{}' is not allowed here{}", clipped(host),
                                             how_to_allow(host_name(host)))};
    }
    auto const origin = head.header("origin");
    if (!origin.empty() && !allowed_origin(rules, origin, host)) return refused_origin(origin);
    // A preflight can't carry the key (Fetch standard, CORS-preflight), and tells nothing but what is
    // allowed.
    if (rules.key.empty() || head.method == http::Method::Options || rules.key.matches(bearer(head)))
        return std::nullopt;
    auto const* const why = bearer(head).empty() ? "this server wants its key: Authorization: Bearer KEY"
                                                 : "the key that was sent is not this server's";
    return Error{Errc::Unauthorized, why}.with("code", "invalid_api_key");
}

}  // namespace hal0::api
