// bench-upstream: stands in for llama-server where a gateway is measured. One thread, no model, always the
// same answers, so cheap that the gateway in front of it is the bottleneck.
//
//     bench-upstream --host X.sock | --host 127.0.0.1 --port N   [--also ADDRESS]
//
// Flags of llama-server's that it doesn't know are ignored, so that hal0 can start it as an engine.
// GET anything: 200. POST anything: 600 bytes of JSON; with "stream":true in the body's first 512 bytes an
// SSE stream of "chunks":K events of about 180 bytes, "rate":R a second (0: all at once), one write each.
#include <array>
#include <memory>
#include <vector>

#include "sockets.hpp"

namespace {

using bench::now_ns;

constexpr std::size_t event_bytes = 180, answer_bytes = 600, peek_bytes = 512;
constexpr std::int64_t tick_ns = 1'000'000;

std::string padded(std::string const& before, std::string const& after, std::size_t size) {
    return before + std::string(size - before.size() - after.size(), 'x') + after;
}

std::string chunk(std::string const& data) {
    std::array<char, 16> size{};
    std::snprintf(size.data(), size.size(), "%zx\r\n", data.size());
    return size.data() + data + "\r\n";
}

std::string plain_answer(std::string const& body) {
    return "HTTP/1.1 200 OK\r\nServer: llama.cpp\r\nContent-Type: application/json; charset=utf-8\r\n"
           "Content-Length: " +
           std::to_string(body.size()) + "\r\n\r\n" + body;
}

std::string const stream_head =
    "HTTP/1.1 200 OK\r\nServer: llama.cpp\r\nContent-Type: text/event-stream\r\n"
    "Transfer-Encoding: chunked\r\n\r\n";
std::string const stream_event =
    chunk(padded(R"(data: {"object":"chat.completion.chunk","model":"bench","id":"chatcmpl-)",
                 R"(","choices":[{"index":0,"delta":{"content":" word"},"finish_reason":null}]})"
                 "\n\n",
                 event_bytes));
std::string const stream_end = chunk("data: [DONE]\n\n") + "0\r\n\r\n";
std::string const json_answer = plain_answer(padded(
    R"({"object":"chat.completion","model":"bench","choices":[{"index":0,"message":{"content":")",
    R"("},"finish_reason":"stop"}],"usage":{"prompt_tokens":20,"completion_tokens":9}})", answer_bytes));
std::string const fine = plain_answer(R"({"status":"ok"})");

struct Connection {
    int fd{-1};
    std::string in{};
    std::size_t wanted{0};  // bytes of the request that is coming, once its head is there
    std::string out{};      // what the peer hasn't taken yet
    std::size_t chunks_left{0};
    std::int64_t interval_ns{0}, due_ns{0};
};

class Upstream {
  public:
    void listen(std::string const& address) {
        listeners_.push_back(std::make_unique<Connection>(Connection{.fd = bench::listen_on(address)}));
        bench::watch(epoll_, listeners_.back()->fd, listeners_.back().get());
    }
    [[noreturn]] void run();

  private:
    void on_event(Connection& c, bool hangup);
    void accept(int listener);
    void read(Connection& c, bool hangup);
    void close(Connection& c);
    bool answer_next(Connection& c);
    void begin_stream(Connection& c, std::string_view request);
    void write_chunk(Connection& c);
    void send(Connection& c, std::string_view bytes);
    void tick();

    int epoll_{::epoll_create1(EPOLL_CLOEXEC)};
    std::vector<std::unique_ptr<Connection>> listeners_{};
    std::vector<Connection*> streams_{};  // those with chunks left
    double phase_{0};
    std::int64_t ticked_ns_{0};
    std::array<char, 65536> buffer_{};
};

void Upstream::run() {
    std::array<epoll_event, 256> events{};
    while (true) {
        int const count = ::epoll_wait(epoll_, events.data(), events.size(), streams_.empty() ? -1 : 1);
        for (int i = 0; i < count; ++i) {
            auto const& event = events.at(static_cast<std::size_t>(i));
            on_event(*static_cast<Connection*>(event.data.ptr), (event.events & EPOLLRDHUP) != 0);
        }
        tick();
    }
}

void Upstream::on_event(Connection& c, bool hangup) {
    for (auto const& listener : listeners_)
        if (listener.get() == &c) return accept(c.fd);
    c.out.erase(0, bench::send_some(c.fd, c.out));
    read(c, hangup);
}

void Upstream::accept(int listener) {
    while (true) {
        int const fd = ::accept4(listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0) return;
        int const on = 1;
        ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        bench::watch(epoll_, fd, new Connection{.fd = fd});  // close() deletes it
    }
}

// A short read is the last, but where the peer has closed: no other event would tell.
void Upstream::read(Connection& c, bool hangup) {
    while (true) {
        auto const got = ::recv(c.fd, buffer_.data(), buffer_.size(), 0);
        if (got > 0) c.in.append(buffer_.data(), static_cast<std::size_t>(got));
        if (got == 0 || (got < 0 && errno != EAGAIN)) return close(c);
        if (got < 0 || (got < static_cast<ssize_t>(buffer_.size()) && !hangup)) break;
    }
    while (answer_next(c)) {
    }
}

void Upstream::close(Connection& c) {
    std::erase(streams_, &c);
    ::close(c.fd);
    delete &c;
}

bool Upstream::answer_next(Connection& c) {
    if (c.wanted == 0) {
        auto const end = c.in.find("\r\n\r\n");
        if (end == std::string::npos) return false;
        std::string head = c.in.substr(0, end);
        std::transform(head.begin(), head.end(), head.begin(),
                       [](unsigned char x) { return std::tolower(x); });
        c.wanted = end + 4 + static_cast<std::size_t>(bench::number_after(head, "\ncontent-length:", 0));
        c.in.reserve(c.wanted);
    }
    if (c.in.size() < c.wanted) return false;
    std::string_view const request = std::string_view{c.in}.substr(0, c.wanted);
    auto const start = std::string_view{request}.substr(request.find("\r\n\r\n") + 4, peek_bytes);
    if (request.starts_with("GET ")) {
        send(c, fine);
    } else if (start.find("\"stream\":true") != std::string_view::npos) {
        begin_stream(c, start);
    } else {
        send(c, json_answer);
    }
    c.in.erase(0, c.wanted);
    c.wanted = 0;
    return true;
}

void Upstream::begin_stream(Connection& c, std::string_view request) {
    c.chunks_left = static_cast<std::size_t>(bench::number_after(request, "\"chunks\":", 1));
    auto const rate = bench::number_after(request, "\"rate\":", 0);
    c.interval_ns = rate > 0 ? static_cast<std::int64_t>(1e9 / rate) : 0;
    c.out = stream_head;  // leaves with the first chunk
    write_chunk(c);
    if (c.interval_ns == 0) {
        while (c.chunks_left > 0)
            write_chunk(c);
    }
    if (c.chunks_left == 0) return;
    // Streams begun together don't stay together: each has its own place within the interval.
    phase_ += 0.618034;
    phase_ -= phase_ >= 1 ? 1 : 0;
    c.due_ns = now_ns() + static_cast<std::int64_t>(phase_ * static_cast<double>(c.interval_ns));
    streams_.push_back(&c);
}

void Upstream::write_chunk(Connection& c) {
    --c.chunks_left;
    send(c, c.chunks_left > 0 ? stream_event : stream_event + stream_end);
}

void Upstream::send(Connection& c, std::string_view bytes) {
    if (!c.out.empty()) {
        c.out += bytes;
        c.out.erase(0, bench::send_some(c.fd, c.out));
        return;
    }
    c.out = bytes.substr(bench::send_some(c.fd, bytes));
}

void Upstream::tick() {
    auto const now = now_ns();
    if (streams_.empty() || now - ticked_ns_ < tick_ns) return;
    ticked_ns_ = now;
    for (Connection* const c : streams_) {
        if (c->due_ns > now) continue;
        c->due_ns += c->interval_ns;
        write_chunk(*c);
    }
    std::erase_if(streams_, [](Connection const* c) { return c->chunks_left == 0; });
}

}  // namespace

int main(int argc, char** argv) {
    std::string host = "127.0.0.1", port = "8080";
    Upstream upstream;
    for (int i = 1; i + 1 < argc; ++i) {
        std::string_view const flag = argv[i];
        if (flag == "--host") host = argv[i + 1];
        if (flag == "--port") port = argv[i + 1];
        if (flag == "--also") upstream.listen(argv[i + 1]);
    }
    upstream.listen(host.ends_with(".sock") ? host : host + ":" + port);
    upstream.run();
}
