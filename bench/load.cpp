// bench-load: the load generator. Keep-alive connections, each asking again when it has its answer, with a
// head like the OpenAI Python client's (about 290 bytes) and a chat request as body. One thread.
//
//     bench-load ADDRESS [--connections N] [--seconds S | --each N] [--body-bytes N]
//                [--stream 1 --chunks K --rate R] [--announce K] [--get PATH]
//
// ADDRESS: 127.0.0.1:8080 or /path/of.sock. --each: requests of each connection, instead of a time.
// --announce K: prints "open" when every connection has had K events. At the end one line of JSON, times in
// microseconds: first_* is from a request to the first byte of its answer's body, total_* to the last.
#include <array>
#include <map>
#include <memory>
#include <vector>

#include "sockets.hpp"

namespace {

using bench::now_ns;

struct Options {
    std::string address{}, get{};
    std::size_t connections{1}, each{0}, body_bytes{450}, stream{0}, chunks{1}, announce{0};
    double seconds{2}, rate{0};
};

[[noreturn]] void usage(std::string const& fault) {
    std::fprintf(stderr, "bench-load: %s; the top of bench/load.cpp says how it is used\n", fault.c_str());
    std::exit(2);
}

Options parse(std::vector<std::string> const& args) {
    Options options;
    std::map<std::string, std::size_t*> const counts{
        {"--connections", &options.connections}, {"--each", &options.each},
        {"--body-bytes", &options.body_bytes},   {"--stream", &options.stream},
        {"--chunks", &options.chunks},           {"--announce", &options.announce}};
    std::map<std::string, double*> const reals{{"--seconds", &options.seconds}, {"--rate", &options.rate}};
    if (args.empty() || args.size() % 2 == 0) usage("an address and pairs of flag and value are wanted");
    options.address = args.front();
    for (std::size_t i = 1; i < args.size(); i += 2) {
        auto const& flag = args[i];
        auto const& value = args[i + 1];
        if (counts.contains(flag)) {
            *counts.at(flag) = std::stoull(value);
        } else if (reals.contains(flag)) {
            *reals.at(flag) = std::stod(value);
        } else if (flag == "--get") {
            options.get = value;
        } else {
            usage("there is no flag " + flag);
        }
    }
    return options;
}

std::string request_of(Options const& options) {
    std::string const host = options.address.front() == '/' ? "localhost" : options.address;
    std::string const fields =
        "Host: " + host +
        "\r\nAccept-Encoding: gzip, deflate\r\nConnection: keep-alive\r\nAccept: application/json\r\n"
        "Content-Type: application/json\r\nUser-Agent: OpenAI/Python 1.54.0\r\nX-Stainless-Lang: python\r\n"
        "Authorization: Bearer none\r\n";
    if (!options.get.empty()) return "GET " + options.get + " HTTP/1.1\r\n" + fields + "\r\n";
    std::string body = R"({"model":"primary",)";
    if (options.stream != 0)
        body += R"("stream":true,"chunks":)" + std::to_string(options.chunks) + R"(,"rate":)" +
                std::to_string(options.rate) + ",";
    body += R"("messages":[{"role":"user","content":")";
    std::string const end = R"("}]})";
    if (body.size() + end.size() < options.body_bytes)
        body.append(options.body_bytes - body.size() - end.size(), 'a');
    body += end;
    return "POST /v1/chat/completions HTTP/1.1\r\n" + fields +
           "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

struct Connection {
    int fd{-1};
    std::size_t sent{0};  // of the request
    std::string head{};   // of the answer, as far as it has come
    bool in_body{false};
    bool chunked{false};
    std::size_t left{0};    // of a body with a length
    std::string tail{};     // the last bytes of a chunked one
    std::size_t events{0};  // of this answer
    std::size_t answers{0};
    std::int64_t asked_ns{0};
    bool busy{false};
};

// Microseconds, below which lies that share of `ns`.
double quantile(std::vector<std::int64_t>& ns, double share) {
    if (ns.empty()) return 0;
    auto const at = static_cast<std::ptrdiff_t>(share * static_cast<double>(ns.size() - 1));
    std::nth_element(ns.begin(), ns.begin() + at, ns.end());
    return static_cast<double>(ns[static_cast<std::size_t>(at)]) / 1e3;
}

class Load {
  public:
    explicit Load(Options options)
        : options_{std::move(options)},
          address_{bench::parse_address(options_.address)},
          request_{request_of(options_)} {}
    void run();
    void print();

  private:
    void open(Connection& c);
    void ask(Connection& c);
    void read(Connection& c, bool hangup);
    void on_close(Connection& c);
    void take(Connection& c, std::string_view bytes);
    bool begin_body(Connection& c, std::size_t head_size);
    bool take_body(Connection& c, std::string_view bytes);
    void count_events(Connection& c, std::string_view bytes);
    void answered(Connection& c);
    [[nodiscard]] bool goes_on(Connection const& c) const {
        return options_.each > 0 ? c.answers < options_.each : now_ns() < until_ns_;
    }

    Options options_;
    bench::Address address_;
    std::string request_;
    int epoll_{::epoll_create1(EPOLL_CLOEXEC)};
    std::vector<std::unique_ptr<Connection>> connections_{};
    std::vector<std::int64_t> first_ns_{}, total_ns_{};
    std::size_t busy_{0}, events_{0}, at_announce_{0}, failed_{0}, reconnects_{0};
    std::int64_t began_ns_{0}, until_ns_{0};
    std::array<char, 65536> buffer_{};
};

void Load::run() {
    for (std::size_t i = 0; i < options_.connections; ++i) {
        connections_.push_back(std::make_unique<Connection>());
        open(*connections_.back());
    }
    began_ns_ = now_ns();
    until_ns_ = began_ns_ + static_cast<std::int64_t>(options_.seconds * 1e9);
    for (auto& c : connections_)
        ask(*c);
    std::array<epoll_event, 256> events{};
    while (busy_ > 0) {
        int const count = ::epoll_wait(epoll_, events.data(), events.size(), -1);
        for (int i = 0; i < count; ++i) {
            auto const& event = events.at(static_cast<std::size_t>(i));
            auto& c = *static_cast<Connection*>(event.data.ptr);
            if (c.busy && c.sent < request_.size())
                c.sent += bench::send_some(c.fd, std::string_view{request_}.substr(c.sent));
            read(c, (event.events & EPOLLRDHUP) != 0);
        }
    }
}

void Load::open(Connection& c) {
    c.fd = bench::connect_to(address_);
    bench::watch(epoll_, c.fd, &c);
}

void Load::ask(Connection& c) {
    c.head.clear();
    c.tail.clear();
    c.in_body = false;
    c.events = 0;
    if (!c.busy) ++busy_;
    c.busy = true;
    c.asked_ns = now_ns();
    c.sent = bench::send_some(c.fd, request_);
}

// A short read is the last, but where the peer has closed: no other event would tell.
void Load::read(Connection& c, bool hangup) {
    while (true) {
        auto const got = ::recv(c.fd, buffer_.data(), buffer_.size(), 0);
        if (got == 0 || (got < 0 && errno != EAGAIN)) return on_close(c);
        if (got < 0) return;
        auto const count = static_cast<std::size_t>(got);
        take(c, {buffer_.data(), count});
        if (count < buffer_.size() && !hangup) return;
    }
}

// Servers close connections that have served their number of requests, or that were idle: ask again on
// another. What had begun to answer has failed.
void Load::on_close(Connection& c) {
    ::close(c.fd);
    ++reconnects_;
    open(c);
    if (!c.busy) return;
    if (c.head.empty()) return ask(c);
    ++failed_;
    answered(c);
}

void Load::take(Connection& c, std::string_view bytes) {
    if (!c.busy) return;
    if (!c.in_body) {
        c.head += bytes;
        auto const end = c.head.find("\r\n\r\n");
        if (end == std::string::npos) return;
        std::string const rest = c.head.substr(end + 4);
        c.head.resize(end + 4);
        if (!begin_body(c, end + 4) && ++failed_ == 1) std::fputs(c.head.c_str(), stderr);
        if (take_body(c, rest)) answered(c);
        return;
    }
    if (take_body(c, bytes)) answered(c);
}

// Whether it is an answer we came for.
bool Load::begin_body(Connection& c, std::size_t head_size) {
    c.in_body = true;
    std::string lower = c.head.substr(0, head_size);
    std::transform(lower.begin(), lower.end(), lower.begin(),
                   [](unsigned char x) { return std::tolower(x); });
    c.chunked = lower.find("\ntransfer-encoding: chunked") != std::string::npos;
    c.left = static_cast<std::size_t>(bench::number_after(lower, "\ncontent-length:", 0));
    return c.head.substr(8, 5) == " 200 ";
}

// Whether the body has ended.
bool Load::take_body(Connection& c, std::string_view bytes) {
    constexpr std::string_view last_chunk = "\r\n0\r\n\r\n";
    if (!bytes.empty() && c.tail.empty()) first_ns_.push_back(now_ns() - c.asked_ns);
    count_events(c, bytes);
    c.tail += bytes.substr(bytes.size() > last_chunk.size() ? bytes.size() - last_chunk.size() : 0);
    if (c.tail.size() > last_chunk.size()) c.tail.erase(0, c.tail.size() - last_chunk.size());
    if (c.chunked) return c.tail == last_chunk;
    c.left -= std::min(c.left, bytes.size());
    return c.left == 0;
}

// Every event of bench-upstream's has one '[', and so has the final [DONE].
void Load::count_events(Connection& c, std::string_view bytes) {
    if (!c.chunked) return;
    auto const before = c.events;
    c.events += static_cast<std::size_t>(std::count(bytes.begin(), bytes.end(), '['));
    events_ += c.events - before;
    if (options_.announce == 0 || before >= options_.announce || c.events < options_.announce) return;
    if (++at_announce_ < options_.connections) return;
    std::puts("open");
    std::fflush(stdout);
}

void Load::answered(Connection& c) {
    total_ns_.push_back(now_ns() - c.asked_ns);
    ++c.answers;
    if (c.chunked) --events_;  // [DONE] is none
    if (goes_on(c)) return ask(c);
    c.busy = false;
    --busy_;
}

void Load::print() {
    double const seconds = static_cast<double>(now_ns() - began_ns_) / 1e9;
    std::printf(
        "{\"requests\":%zu,\"seconds\":%.3f,\"per_second\":%.1f,\"failed\":%zu,\"reconnects\":%zu,\"events\":"
        "%zu,",
        total_ns_.size(), seconds, static_cast<double>(total_ns_.size()) / seconds, failed_, reconnects_,
        events_);
    std::printf("\"first_p50\":%.1f,\"total_p50\":%.1f,\"total_p99\":%.1f}\n", quantile(first_ns_, 0.5),
                quantile(total_ns_, 0.5), quantile(total_ns_, 0.99));
}

}  // namespace

int main(int argc, char** argv) {
    Load load{parse({argv + 1, argv + argc})};
    load.run();
    load.print();
}
