#pragma once
// What tests of this room talk with: raw sockets on the tested loop, a worker that says what it is told to, a
// handler that does what a test wants.
#include <gtest/gtest.h>

#include <array>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/format.hpp"
#include "http/server.hpp"
#include "os/loop.hpp"
#include "os/net.hpp"
#include "os/test_dir.hpp"

namespace hal0::http {

inline constexpr std::string_view question = "POST /v1/x HTTP/1.1\r\nHost: me\r\nContent-Length: 2\r\n\r\n{}";

// One end of a connection: keeps what it receives.
class Peer final : public os::FdHandler, NoCopy {
  public:
    Peer(os::Loop& loop, os::UniqueFd fd) : loop_{loop}, fd_{std::move(fd)} {
        EXPECT_TRUE(
            loop_.watch(fd_.get(), os::Ready::Read | os::Ready::Write, os::Trigger::Edge, *this).ok());
    }
    ~Peer() { close(); }

    void send(std::string_view bytes) {
        to_send_ += bytes;
        flush();
    }
    void close() {
        if (!fd_.open()) return;
        loop_.unwatch(fd_.get(), *this);
        fd_.reset();
    }
    void end_sending() { os::end_sending(fd_.get()); }
    void reset() {
        os::reset_on_close(fd_.get());
        close();
    }
    void stop_reading() { reads_ = false; }
    // One read, of at most so much.
    void read_a_little(std::size_t size) {
        std::string buffer(size, '\0');
        auto const io = os::read_some(fd_.get(), buffer.data(), buffer.size());
        received.append(buffer, 0, io.count);
        if (io.closed) (io.fault ? was_reset : ended) = true;
    }
    void read_again() {
        reads_ = true;
        read();
    }
    [[nodiscard]] bool has(std::string_view text) const { return received.find(text) != std::string::npos; }
    [[nodiscard]] std::size_t unsent() const { return to_send_.size(); }
    [[nodiscard]] bool sent_all() const { return to_send_.empty(); }

    std::string received;
    bool ended{false};      // the other side closed properly
    bool was_reset{false};  // … or not
    [[nodiscard]] bool over() const { return ended || was_reset; }

  private:
    void on_ready(os::Ready) override {
        flush();
        if (reads_) read();
    }
    void flush() {
        while (!to_send_.empty() && fd_.open()) {
            os::Slice const slice{to_send_.data(), to_send_.size()};
            auto const io = os::write_some(fd_.get(), &slice, 1);
            if (io.closed) was_reset = true;
            if (io.closed || io.again) return;
            to_send_.erase(0, io.count);
        }
    }
    void read() {
        std::array<char, 65536> buffer{};
        while (fd_.open() && !over()) {
            auto const io = os::read_some(fd_.get(), buffer.data(), buffer.size());
            received.append(buffer.data(), io.count);
            if (io.closed) (io.fault ? was_reset : ended) = true;
            if (io.closed || io.again) return;
        }
    }

    os::Loop& loop_;
    os::UniqueFd fd_;
    std::string to_send_;
    bool reads_{true};
};

// Listens, and keeps every connection made to it.
class Stand final : public os::FdHandler, NoCopy {
  public:
    Stand(os::Loop& loop, os::Address const& address)
        : loop_{loop}, listener_{os::listen_on(address).value()} {
        EXPECT_TRUE(loop_.watch(listener_.get(), os::Ready::Read, os::Trigger::Level, *this).ok());
    }
    ~Stand() { loop_.unwatch(listener_.get(), *this); }
    // The connection made last.
    [[nodiscard]] Peer& last() { return *peers.back(); }
    [[nodiscard]] int fd() const { return listener_.get(); }
    void stop_listening() {
        loop_.unwatch(listener_.get(), *this);
        listener_ = {};
    }

    std::vector<std::unique_ptr<Peer>> peers;

  private:
    void on_ready(os::Ready) override {
        auto fd = os::accept_one(listener_.get()).value();
        if (fd.open()) peers.push_back(std::make_unique<Peer>(loop_, std::move(fd)));
    }

    os::Loop& loop_;
    os::UniqueFd listener_;
};

// Does what its functions say; answers with what it was asked where they are empty.
class TestHandler final : public Handler, public Relayed {
  public:
    std::function<void(Exchange&, Bytes&)> head_hook;
    std::function<void(Exchange&)> serve;
    bool tells_cuts{true};
    std::vector<ExchangeId> gone;
    std::vector<RelayOutcome> outcomes;
    std::vector<std::string> passing;  // what was shown of answers
    std::vector<std::string> failed;   // paths of requests that failed before an answer; "?" for unread heads

    static Response echo(Exchange& exchange) {
        std::string body{exchange.head().method_text};
        body.append(" ").append(exchange.head().target).append(" ").append(exchange.body());
        return {.content_type = "text/plain", .body = body};
    }

  private:
    void on_head(Exchange& exchange, Bytes& body_max) override {
        if (head_hook) head_hook(exchange, body_max);
    }
    void on_request(Exchange& exchange) override {
        serve ? serve(exchange) : exchange.respond(echo(exchange));
    }
    void on_gone(ExchangeId id) override { gone.push_back(id); }
    Response failure(ExchangeId, OwnError const& error, RequestHead const* head) override {
        failed.emplace_back(head == nullptr ? "?" : head->path);
        std::string body{error.code};
        body.append(": ").append(error.message).append(" (the end)");
        return {
            .status = error.status, .content_type = "text/plain", .headers = {{"x-own", "1"}}, .body = body};
    }
    std::string cut_event(ExchangeId, OwnError const& error) override {
        return tells_cuts ? format("event: cut\ndata: {}\n\n", error.code) : std::string{};
    }
    void on_passing(ExchangeId, std::string_view content) override { passing.emplace_back(content); }
    void on_relay_end(ExchangeId, RelayOutcome const& outcome) override { outcomes.push_back(outcome); }
};

// A server with its clients and one worker, all on one loop.
struct World {
    explicit World(ServerLimits const& limits = {}) {
        server = Server::make(*loop, {tcp.get(), unix_listener.get()}, handler, limits).value();
    }

    // Turns of the loop until `done` holds; false when that takes absurdly long.
    [[nodiscard]] bool until(std::function<bool()> const& done) const {
        auto const give_up = Clock::now() + std::chrono::seconds{20};
        while (!done()) {
            if (Clock::now() > give_up) return false;
            loop->run_once(std::chrono::milliseconds{200});
        }
        return true;
    }
    // Whatever is under way among the peers comes to rest.
    void settle() const {
        for (int i = 0; i < 20; ++i)
            loop->run_once(Duration::zero());
    }
    [[nodiscard]] std::unique_ptr<Peer> connect() const {
        return std::make_unique<Peer>(*loop, os::connect_to(os::bound_address(tcp.get()).value()).value());
    }
    [[nodiscard]] std::unique_ptr<Peer> connect_unix() const {
        return std::make_unique<Peer>(*loop, os::connect_to(os::UnixAddress{dir / "server"}).value());
    }
    // All that comes back for `request` until the server closes.
    [[nodiscard]] std::string ask(std::string_view request) const {
        auto const client = connect();
        client->send(request);
        EXPECT_TRUE(until([&] { return client->over(); })) << client->received;
        EXPECT_FALSE(client->was_reset) << client->received;
        return client->received;
    }
    // Relays each request to the worker.
    void relay_all() {
        handler.serve = [this](Exchange& exchange) {
            exchange.relay(
                {.upstream = worker_address, .bearer = "worker-key", .add_lines = "x-request-id: r1\r\n"},
                handler);
        };
    }

    os::TestDir dir;
    std::unique_ptr<os::Loop> loop{os::Loop::make().value()};
    os::UniqueFd tcp{os::listen_on(os::InetAddress{"127.0.0.1", 0}).value()};
    os::UniqueFd unix_listener{os::listen_on(os::UnixAddress{dir / "server"}).value()};
    os::Address worker_address{os::UnixAddress{dir / "worker"}};
    TestHandler handler;
    std::unique_ptr<Server> server;
};

// The body of the answer in `received`.
inline std::string body_of(std::string const& received) {
    auto const at = received.find("\r\n\r\n");
    return at == std::string::npos ? std::string{} : received.substr(at + 4);
}
inline std::string status_of(std::string const& received) { return received.substr(0, received.find('\r')); }

}  // namespace hal0::http
