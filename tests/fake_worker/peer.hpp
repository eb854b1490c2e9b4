#pragma once
// One client's connection: HTTP/1.1 requests in, bytes out, and the moment at which the client goes away.
// Blocking, one thread each: this is a stand-in for tests, not a server.
#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "faults.hpp"

namespace fake {

struct Request {
    std::string method{}, path{}, query{}, body{};
    std::map<std::string, std::string, std::less<>> headers{};  // names in lower case

    [[nodiscard]] std::string header(std::string_view name) const;
};

enum class Reset { Yes, No };  // Yes: close with RST, so that the peer sees ECONNRESET

class Peer final {
  public:
    explicit Peer(int fd) : fd_{fd} {}
    Peer(Peer const&) = delete;
    Peer& operator=(Peer const&) = delete;
    ~Peer() { close(Reset::No); }

    // The next request; nothing when the client closed, sent no HTTP, or was idle for `idle_max`.
    std::optional<Request> next(Millis idle_max);
    // False when the client is gone.
    bool send(std::string_view bytes);
    // Waits; false as soon as the client is gone.
    bool pause(Millis time);
    // Waits until the client is gone.
    void hold() {
        while (pause(Millis{60000})) {
        }
    }
    void close(Reset reset);

  private:
    bool fill(Millis time);  // reads some more into in_; false: closed or late
    bool read_body(Request& request);
    bool read_chunked(std::string& body);

    int fd_;
    std::string in_{};
};

}  // namespace fake
