#pragma once
// The daemon as a command sees it: where it answers, and calls of its API whose errors can be shown as they
// are.
#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "base/secret.hpp"
#include "http/client.hpp"
#include "os/places.hpp"

namespace hal0::cli {

struct Daemon {
    os::Address address{};
    Secret key{};
    enum class Where { Here, Named } where{Where::Here};  // Named: by $HAL0_URL, maybe on another machine
};

// $HAL0_URL (http://host:port) with $HAL0_KEY or the key in the file $HAL0_KEY_FILE; else the unix socket of
// this user's daemon.
Result<Daemon> find_daemon(os::Environment const& environment, os::Places const& places);
std::string daemon_socket(os::Places const& places);
std::string daemon_lock(os::Places const& places);  // held by the daemon as long as it lives

// The Error of a daemon that doesn't answer: what to do about it.
Error not_running(Daemon const& daemon);

// Streams are silent for as long as nothing happens.
inline constexpr Duration stream_silence_max = std::chrono::hours{24};

class Api {
  public:
    explicit Api(Daemon daemon) : daemon_{std::move(daemon)} {}

    // The body of a good answer. Else the API's own error, or not_running().
    [[nodiscard]] Result<std::string> get(std::string target) const;
    [[nodiscard]] Result<std::string> post(std::string target, std::string body = "") const;
    [[nodiscard]] Result<std::string> remove(std::string target) const;
    // Whether anything at all is answered, within a few seconds. Unavailable: nobody is there; Timeout:
    // somebody is, and is slow.
    [[nodiscard]] Result<void> probe() const;

    // For calls on a loop of the caller's, and how their outcome is told.
    [[nodiscard]] http::ClientRequest request(http::Method method, std::string target,
                                              std::string body = "") const;
    [[nodiscard]] Result<std::string> outcome(Result<http::ClientAnswer> answer) const;

    [[nodiscard]] Daemon const& daemon() const { return daemon_; }

  private:
    [[nodiscard]] Result<std::string> call(http::Method method, std::string target, std::string body) const;
    Daemon daemon_;
};

// A name as one segment of a path: what isn't unreserved (RFC 3986 §2.3) is percent-encoded.
std::string segment(std::string_view name);

}  // namespace hal0::cli
