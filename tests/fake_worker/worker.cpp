#include "worker.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>

namespace fake {
namespace {

struct Busy {  // counts a request while it is worked on
    explicit Busy(std::atomic<int>& count) : count_{count}, now{++count} {}
    Busy(Busy const&) = delete;
    Busy& operator=(Busy const&) = delete;
    ~Busy() { --count_; }

  private:
    std::atomic<int>& count_;

  public:
    int const now;
};

char const* reason(int status) {
    switch (status) {
        case 200: return "OK";
        case 400: return "Bad Request";
        case 401: return "Unauthorized";
        case 404: return "Not Found";
        case 429: return "Too Many Requests";
        case 500: return "Internal Server Error";
        case 501: return "Not Implemented";
        case 503: return "Service Unavailable";
        default: return "Status";
    }
}

std::string chunk(std::string const& payload) {
    std::array<char, 20> size{};
    std::snprintf(size.data(), size.size(), "%zx\r\n", payload.size());
    return size.data() + payload + "\r\n";
}

}  // namespace

void Record::line(std::string const& text) const {
    if (path_.empty()) return;
    int const fd = open(path_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (fd < 0) return;
    std::string const whole = text + " pid=" + std::to_string(getpid()) + "\n";
    if (write(fd, whole.data(), whole.size()) < 0) std::perror("fake-worker: record");
    close(fd);
}

void Worker::serve(int fd) {
    Peer peer{fd};
    std::string const number = std::to_string(++connections_);
    record_.line("connect n=" + number);
    long const most = faults_.number("keep-alive-max", 100);  // cpp-httplib's own two figures
    Millis const idle = faults_.millis("keep-alive-idle-ms", 5000);
    for (long count = 1;; ++count) {
        auto const request = peer.next(idle);
        if (!request) break;
        if (count > 1 && faults_.has("stale-keep-alive")) break;
        if (!answer(peer, *request, count >= most)) break;
        if (count >= most) break;
    }
    record_.line("close n=" + number);
}

bool Worker::answer(Peer& peer, Request const& request, bool last) {
    last = last || request.header("connection") == "close";
    if (request.method == "OPTIONS") {
        Reply const none{.type = "text/html"};
        return send_plain(peer, none, last);
    }
    if (!ready_) return refuse(peer, error(503, "Loading model", "unavailable_error"));
    bool const open = request.path == "/health" || request.path == "/v1/health";
    if (!open && !authorised(request))
        return refuse(peer, error(401, "Invalid API Key", "authentication_error"));
    if (request.method == "POST" && is_work(request.path)) return work(peer, request, last);
    Reply const reply = answer_other(setup_, request, busy_, served_);
    return reply.status == 200 ? send_plain(peer, reply, last) : refuse(peer, reply);
}

bool Worker::work(Peer& peer, Request const& request, bool last) {
    Busy const busy{busy_};
    long const number = ++asked_;
    record_.line("request n=" + std::to_string(number) + " " + request.method + " " + request.path +
                 " bytes=" + std::to_string(request.body.size()) + " busy=" + std::to_string(busy.now));
    if (faults_.number("stdout-noise", 0) > 0) std::puts("srv: a request came"), std::fflush(stdout);
    if (faults_.number("die-on-request", 0) == number) end("on-request");
    Asked const asked{.request = request,
                      .last = last,
                      .breaks = !faults_.has("only-request") || faults_.number("only-request", 0) == number};
    Reply const reply = answer_work(setup_, request);
    if (asked.breaks && faults_.has("never-answer")) {
        peer.hold();
        return gone(request, "waiting");
    }
    if (!peer.pause(faults_.millis("first-byte-after-ms"))) return gone(request, "before-first-byte");
    bool handled = false;
    bool keep = asked.breaks && send_broken(peer, reply, handled);
    if (!handled) {
        if (!reply.stream.empty()) {
            keep = send_stream(peer, asked, reply);
        } else {
            keep = reply.status == 200 ? send_plain(peer, reply, last) : refuse(peer, reply);
        }
    }
    if (++served_ == faults_.number("die-after-requests", -1)) end("after-requests");
    return keep;
}

// The faults that replace a whole answer.
bool Worker::send_broken(Peer& peer, Reply const& reply, bool& handled) {
    handled = true;
    std::string const whole = head(reply, false);
    if (faults_.has("close-without-answer")) return false;
    if (faults_.has("reset-without-answer")) return peer.close(Reset::Yes), false;
    if (faults_.has("hang-in-head")) return peer.send(whole.substr(0, whole.size() / 2)), peer.hold(), false;
    if (faults_.has("malformed-head")) return peer.send("HTTP/1.1 abc\r\nno colon here\r\n\r\nwhat?"), false;
    if (faults_.has("huge-head")) {
        auto const size = static_cast<std::size_t>(faults_.number("huge-head", 0));
        return peer.send(whole.substr(0, whole.size() - 2) + "X-Huge: " + std::string(size, 'h') +
                         "\r\n\r\n" + reply.body),
               false;
    }
    if (std::string const wrong = faults_.text("wrong-content-length"); !wrong.empty()) {
        Reply other = reply;
        other.stream.clear();
        other.body.assign(wrong == "long" ? reply.body.size() + 100 : reply.body.size() / 2, ' ');
        return peer.send(head(other, false) + reply.body), false;
    }
    if (long const status = faults_.number("status", 0); status != 0) {
        return refuse(peer, error(static_cast<int>(status), "asked to fail", "server_error"));
    }
    handled = false;
    return true;
}

bool Worker::send_stream(Peer& peer, Asked const& asked, Reply const& reply) {
    Request const& request = asked.request;
    if (!peer.send(head(reply, asked.last))) return gone(request, "in-head");
    Millis const between = faults_.millis("slow-stream-ms");
    long const cut = asked.breaks ? std::max(faults_.number("die-mid-stream-after-chunks", -1),
                                             faults_.number("close-mid-stream-after-chunks", -1))
                                  : -1;
    long const fail = asked.breaks ? faults_.number("error-mid-stream-after-chunks", -1) : -1;
    long sent = 0;
    for (std::string const& piece : reply.stream) {
        if (sent == cut) return break_stream(peer, piece);
        if (sent == fail) {
            peer.send(
                chunk("data: " + error(500, "asked to fail in the stream", "server_error").body + "\n\n"));
            break;
        }
        if (!peer.send(chunk(piece)) || !peer.pause(between))
            return gone(request, "after-chunks=" + std::to_string(sent));
        ++sent;
    }
    if (!peer.send("0\r\n\r\n")) return gone(request, "at-end");
    record_.line("done " + request.path + " chunks=" + std::to_string(sent));
    return !asked.last;
}

// Ends in the middle of a stream, where the test wants the cut.
bool Worker::break_stream(Peer& peer, std::string const& next) {
    std::string const where = faults_.text("die-mid-stream-where", "chunk");
    std::string const half = next.substr(0, next.size() / 2);
    if (where == "inside-chunk") peer.send(chunk(next).substr(0, half.size() + 4));
    if (where == "inside-event") peer.send(chunk(half));
    if (faults_.has("die-mid-stream-after-chunks")) {
        end("mid-stream where=" + where);
    }
    return false;
}

// An answer that is no success; llama-server closes the connection after each.
bool Worker::refuse(Peer& peer, Reply const& reply) {
    peer.send(head(reply, true) + reply.body);
    return false;
}

bool Worker::send_plain(Peer& peer, Reply const& reply, bool last) {
    return peer.send(head(reply, last) + reply.body) && !last;
}

std::string Worker::head(Reply const& reply, bool last) const {
    std::string text = "HTTP/1.1 " + std::to_string(reply.status) + " " + reason(reply.status) +
                       "\r\nServer: llama.cpp\r\nAccess-Control-Allow-Origin: \r\n";
    bool const stream = !reply.stream.empty();
    if (stream) text += "X-Accel-Buffering: no\r\n";
    text += "Content-Type: " + reply.type + "\r\n";
    text += stream ? "Transfer-Encoding: chunked\r\n"
                   : "Content-Length: " + std::to_string(reply.body.size()) + "\r\n";
    return text + (last ? "Connection: close\r\n\r\n" : "Keep-Alive: timeout=5, max=100\r\n\r\n");
}

bool Worker::authorised(Request const& request) const {
    if (keys_.empty()) return true;
    std::string given = request.header("authorization");
    if (given.empty()) given = request.header("x-api-key");
    if (given.starts_with("Bearer ")) given.erase(0, 7);
    return std::find(keys_.begin(), keys_.end(), given) != keys_.end();
}

void Worker::end(std::string const& why) const {
    record_.line("die " + why);
    die(faults_.text("die-how", "1"));
}

bool Worker::gone(Request const& request, std::string const& when) {
    record_.line("gone " + request.path + " " + when);
    return false;
}

}  // namespace fake
