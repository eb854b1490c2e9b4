#pragma once
// Who may ask at all: the key, and the Host and Origin of the request. Pure.
//
// A web page that the owner visits can send requests to this machine. Two things stop it: a Host that is a
// name nobody allowed (DNS rebinding gives the attacker's name our address), and an Origin that isn't
// allowed. An IP address as Host is always fine: rebinding needs a name.
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "base/secret.hpp"
#include "http/head.hpp"

namespace hal0::api {

struct AccessRules {
    // Names besides localhost, without port; and whole origins of what has none ("app://obsidian.md").
    std::vector<std::string> allowed_hosts{};
    Secret key{};  // when not empty, every request over TCP needs it
};

// Why the request is refused (Unauthorized or Forbidden); nothing when it may go on. The unix socket stands
// in a directory only its owner can enter: there neither key nor Host is asked for.
std::optional<Error> refuse(AccessRules const& rules, http::RequestHead const& head, bool over_unix_socket);

// Whether it can stand in allowed_hosts: a host's name without scheme and port, or the origin of an app or
// extension ("chrome-extension://abc"). A web page's is allowed by its host.
bool valid_allowed_host(std::string_view text);

// "example.org:8080" -> "example.org", "[::1]:80" -> "::1".
std::string_view host_name(std::string_view host);
bool allowed_host(AccessRules const& rules, std::string_view host);
// The Origin to name in Access-Control-Allow-Origin: the request's own when it is allowed, else empty.
std::string_view cors_origin(AccessRules const& rules, http::RequestHead const& head);
// What a preflight's answer says a page may send: what it asks for (the official clients have a dozen headers
// of their own, x-stainless-…), or the usual ones where that isn't a list of header names.
std::string_view cors_headers(http::RequestHead const& head);

}  // namespace hal0::api
