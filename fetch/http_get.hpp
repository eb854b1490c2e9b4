#pragma once
// One GET over http(s), with the manners of all of hal0's: redirects to nothing else, and nothing is waited
// for that doesn't answer or has stopped coming.
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "base/units.hpp"

namespace hal0::fetch {

// How it ended, beside the error: nobody answering is another matter than an answer that doesn't help.
struct Failure {
    Error error{};
    enum class Peer { Silent, Answered } peer{Peer::Answered};
};

// "bytes 100-999/1000"
struct ContentRange {
    std::int64_t first{0};
    Bytes total{};  // 0: not said
};

struct HttpHead {
    long status{0};
    std::optional<ContentRange> range{};
    std::optional<Bytes> length{};  // of what follows
};

struct HttpRequest {
    std::string url{};
    std::string range{};  // "100-", "100-199"; empty: all of it
    std::chrono::seconds answer_within{5};
    std::chrono::seconds all_within{};  // 0: as long as something comes
};

// Who takes an answer that has a status under 400.
class HttpReceiver {
  public:
    virtual ~HttpReceiver() = default;
    // An error ends it.
    virtual Result<void> head(HttpHead const& head) = 0;
    enum class Want { More, NoMore };
    virtual Result<Want> body(std::string_view bytes) = 0;
    // What to say when it ends before its end.
    [[nodiscard]] virtual Error cut() const = 0;
};

struct HttpEnd {
    long status{0};
    std::optional<Failure> failure{};  // also of a status of 400 or more
};
HttpEnd http_get(HttpRequest const& request, HttpReceiver& receiver);

}  // namespace hal0::fetch
