#pragma once
// HTTP/1.1 on one loop: accepts, reads requests, answers them here, streams, or relays them to a worker. One
// Server per loop, nothing shared between them but the listening socket.
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/no_copy.hpp"
#include "base/result.hpp"
#include "base/units.hpp"
#include "http/head.hpp"
#include "os/loop.hpp"
#include "os/net.hpp"

namespace hal0::http {

class Server;

// Names one request on one connection for ever: a connection's place is used again, its generation is not.
// What comes back late from another thread looks its exchange up by this and finds nothing when the client
// has gone.
struct ExchangeId {
    std::uint32_t connection{0};
    std::uint32_t generation{0};
    bool operator==(ExchangeId const&) const = default;
    auto operator<=>(ExchangeId const&) const = default;
};

struct Field {
    std::string name{};
    std::string value{};
};

// Why this room can't serve a request, or a worker's answer can't go on: for programs as `status` and `code`,
// for people in words.
struct OwnError {
    int status{500};
    std::string_view code{};
    std::string_view message{};
};

// A whole answer made here.
struct Response {
    int status{200};
    std::string content_type{"application/json"};
    std::vector<Field> headers{};
    std::string body{};
};

// How a relayed or local answer ended.
enum class Ending : std::uint8_t {
    Complete,    // the client has all of it
    ClientGone,  // the client closed first; the upstream request was closed in the same turn. Closing its
                 // sending side alone counts too, as with nginx and llama-server
    UpstreamRefused,  // could not connect, or closed before the first byte: 502 was answered
    UpstreamCut,      // died mid-answer
    Stalled,          // a limit on silence or on a client that doesn't read
};

struct RelayOutcome {
    Ending ending{Ending::Complete};
    int status{0};                // the upstream's, 0 when it never answered
    std::uint64_t body_bytes{0};  // relayed to the client
    Duration first_byte{};        // from relay() to the upstream's first byte; zero when none came
    Duration total{};             // from relay() to the end
};

struct RelayPlan {
    os::Address const& upstream;
    std::string_view path{};       // replaces the request's target when not empty
    std::string_view bearer{};     // the worker's key; the client's own Authorization never goes through
    std::string_view add_lines{};  // to the head of the client's answer, each with its CRLF
};

// So much of an answer's end is shown to who began its relay.
inline constexpr std::size_t shown_bytes_max = std::size_t{2} << 10;

// Who began a relay: called on the loop's thread; on_relay_end() never from within relay().
class Relayed {
  public:
    // A look at what passes; the bytes are gone afterwards. Of a stream of events what came at once and ends
    // with an event; of any other answer how it begins and how it ends, which may be one and the same piece.
    virtual void on_passing(ExchangeId id, std::string_view content) = 0;
    // The worker's stream of events ends too early, and between two of them, or never comes to a client that
    // was kept waiting. What is given, one more event, says so to the client before a proper end; with
    // nothing the connection is aborted.
    virtual std::string cut_event(ExchangeId id, OwnError const& error) = 0;
    // Once, when the relay is over; the exchange may be gone already.
    virtual void on_relay_end(ExchangeId id, RelayOutcome const& outcome) = 0;

  protected:
    ~Relayed() = default;
};

// One request and its answer. Valid while Server::find(id) gives it. Exactly one of respond(), begin_stream()
// and relay() is called for it, now or later; until then the client waits. Where it has been told so by
// keep_waiting(), it is relay() or end_events().
class Exchange {
  public:
    [[nodiscard]] virtual ExchangeId id() const = 0;
    [[nodiscard]] virtual RequestHead const& head() const = 0;  // valid until the answer begins
    [[nodiscard]] virtual std::string_view body()
        const = 0;  // whole, de-chunked; valid until the answer begins
    // The body, for who needs it longer than the exchange keeps it; body() is empty from here on. It counts
    // for what the server holds until the answer begins.
    virtual std::string take_body() = 0;
    [[nodiscard]] virtual bool over_unix_socket() const = 0;

    virtual void respond(Response const& response) = 0;
    // An answer in pieces, chunked (or until close for HTTP/1.0). write() copies; what the client doesn't
    // take is kept up to stream_backlog_max bytes, past that the client is cut as Stalled.
    virtual void begin_stream(Response const& head_and_first) = 0;
    virtual void write(std::string_view bytes) = 0;
    virtual void finish() = 0;
    // The worker's answer, as bytes as they come; `body()` is sent to it.
    virtual void relay(RelayPlan const& plan, Relayed& told) = 0;
    // For a client that wants a stream of events: a piece of it (a comment) that keeps it, and what lies
    // between, from giving up. The first time begins the answer with `head`: status 200. What a worker then
    // relays goes on with that stream; an answer of its that is none becomes the data of one event.
    virtual void keep_waiting(Response const& head, std::string_view comment) = 0;
    [[nodiscard]] virtual bool kept_waiting() const = 0;  // the answer has begun so
    virtual void end_events(std::string_view last) = 0;   // one more event, and the end

  protected:
    ~Exchange() = default;
};

// What is done with requests; on the loop's thread.
class Handler {
  public:
    // The head is read, the body not yet. Answering here (401, 404, 413 …) means the body is not wanted: a
    // small rest is skipped, for a large one the connection is closed after the answer. `body_max` may be
    // lowered or raised.
    virtual void on_head(Exchange& exchange, Bytes& body_max) = 0;
    virtual void on_request(Exchange& exchange) = 0;  // the body is complete
    // The client went away while it waited, or while begin_stream() was open; never from within write(). Not
    // told for relays (Relayed is).
    virtual void on_gone(ExchangeId id) = 0;
    // The answer to a request that fails in this room: one that can't be read, and one whose worker gave
    // none. `head` is null where it is the head that can't be read.
    virtual Response failure(ExchangeId id, OwnError const& error, RequestHead const* head) = 0;

  protected:
    ~Handler() = default;
};

struct ServerLimits {
    Bytes body_max{64_MiB};
    // All request bodies held by this server together; two of body_max are let in however small this is.
    Bytes bodies_in_flight_max{512_MiB};
    // Heads held by this server together, of each what is over head_bytes_uncounted: nobody has been asked
    // for a key yet when they are read.
    Bytes heads_in_flight_max{64_MiB};
    Duration head_timeout{std::chrono::seconds{15}};   // first byte of a head to its end
    Duration body_silence{std::chrono::seconds{30}};   // between two reads of a body
    Duration idle_timeout{std::chrono::seconds{75}};   // keep-alive
    Duration write_stall{std::chrono::seconds{60}};    // a client that takes nothing
    Duration upstream_silence{std::chrono::hours{1}};  // a worker that says nothing; prompts can be long
    std::size_t connections_max{16384};
};
inline constexpr std::size_t head_bytes_max = std::size_t{64} << 10;
inline constexpr std::size_t head_bytes_uncounted = std::size_t{4} << 10;
inline constexpr std::size_t stream_backlog_max = std::size_t{4} << 20;

struct ServerCounters {
    std::uint64_t accepted{0}, requests{0}, relayed{0}, bad_requests{0};
    std::size_t connections{0}, upstream_open{0}, upstream_idle{0};
    Bytes bodies_held{}, heads_held{};
};

class Server final : NoCopy {
  public:
    // `listeners` stay the caller's and may be shared with other servers (EPOLLEXCLUSIVE). `handler` outlives
    // it.
    static Result<std::unique_ptr<Server>> make(os::Loop& loop, std::vector<int> const& listeners,
                                                Handler& handler, ServerLimits const& limits);
    ~Server();

    [[nodiscard]] Exchange* find(ExchangeId id);
    [[nodiscard]] ServerCounters counters() const;
    [[nodiscard]] std::size_t open_connections() const;  // of clients; from any thread
    // Accepts no more (the listeners are the caller's to close); closes the connections that ask nothing, or
    // not yet; what is answered goes on. `done` when none is left.
    void drain(std::function<void()> done);
    // Forget pooled connections to this worker (it stopped, or its socket is another's now).
    void forget_upstream(os::Address const& upstream);

    class Impl;

  private:
    explicit Server(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

}  // namespace hal0::http
