#pragma once
// A small HTTP/1.1 client on a loop, over unix sockets and TCP: readiness checks of workers, the CLI, and
// calls whose answer is needed whole. Not the relay's path.
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/no_copy.hpp"
#include "base/result.hpp"
#include "base/units.hpp"
#include "http/server.hpp"
#include "os/loop.hpp"
#include "os/net.hpp"

namespace hal0::http {

struct ClientRequest {
    os::Address peer{};
    Method method{Method::Get};
    std::string target{"/"};
    std::vector<Field> headers{};  // Host, Connection and Content-Length are added
    std::string body{};
    Duration deadline{std::chrono::seconds{30}};  // for the whole call, or between two pieces of a stream
    Bytes answer_max{16_MiB};                     // TooLarge past it; not for streams
};

struct ClientAnswer {
    int status{0};
    std::vector<Field> headers{};
    std::string body{};  // empty for streams
    [[nodiscard]] std::string_view header(std::string_view name) const;
};

// One call. Destroying it cancels it: the connection is closed and `done` is not called.
class Call final : NoCopy {
  public:
    using Done = std::function<void(Result<ClientAnswer>)>;
    using Piece = std::function<void(std::string_view)>;  // body bytes as they come, de-chunked

    // `done` is called once, never from within start(), and may destroy the Call; so may `piece`. With
    // `piece` the body of a 2xx answer is handed on instead of collected; any other is collected, so that it
    // can be told what went wrong. Errors: Unavailable (nobody listens, or the answer ended early), Timeout,
    // Corrupt (not HTTP), TooLarge.
    static std::unique_ptr<Call> start(os::Loop& loop, ClientRequest request, Done done, Piece piece = {});
    ~Call();

    // Whether the peer took the connection: what failed after that may have reached it.
    [[nodiscard]] bool connected() const;

    class Impl;

  private:
    explicit Call(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

// Runs a loop of its own until the answer is there: for the CLI.
Result<ClientAnswer> fetch(ClientRequest request, Call::Piece piece = {});

}  // namespace hal0::http
