#include "peer.hpp"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>

namespace fake {
namespace {

constexpr Millis body_time_max{60000};
constexpr std::size_t head_bytes_max = 1U << 20U;

std::string lower(std::string_view text) {
    std::string out{text};
    std::transform(out.begin(), out.end(), out.begin(),
                   [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; });
    return out;
}

std::string_view trimmed(std::string_view text) {
    while (!text.empty() && (text.front() == ' ' || text.front() == '\t'))
        text.remove_prefix(1);
    while (!text.empty() && (text.back() == ' ' || text.back() == '\t' || text.back() == '\r'))
        text.remove_suffix(1);
    return text;
}

std::optional<Request> parse_head(std::string_view head) {
    Request request;
    std::size_t const first_end = head.find("\r\n");
    std::string_view const first = head.substr(0, first_end);
    std::size_t const one = first.find(' ');
    std::size_t const two = first.rfind(' ');
    if (one == std::string_view::npos || two <= one) return std::nullopt;
    request.method = first.substr(0, one);
    std::string_view const target = first.substr(one + 1, two - one - 1);
    std::size_t const question = std::min(target.find('?'), target.size());
    request.path = target.substr(0, question);
    if (question < target.size()) request.query = target.substr(question + 1);
    for (std::size_t start = first_end; start != std::string_view::npos && start + 2 < head.size();) {
        start += 2;
        std::size_t const end = head.find("\r\n", start);
        std::string_view const line = head.substr(start, end == std::string_view::npos ? end : end - start);
        if (std::size_t const colon = line.find(':'); colon != std::string_view::npos) {
            request.headers[lower(line.substr(0, colon))] = trimmed(line.substr(colon + 1));
        }
        start = end;
    }
    return request;
}

}  // namespace

std::string Request::header(std::string_view name) const {
    auto const found = headers.find(name);
    return found == headers.end() ? std::string{} : found->second;
}

std::optional<Request> Peer::next(Millis idle_max) {
    std::size_t end = 0;
    while ((end = in_.find("\r\n\r\n")) == std::string::npos) {
        if (in_.size() > head_bytes_max || !fill(in_.empty() ? idle_max : body_time_max)) return std::nullopt;
    }
    auto request = parse_head(std::string_view{in_}.substr(0, end));
    in_.erase(0, end + 4);
    if (!request || !read_body(*request)) return std::nullopt;
    return request;
}

bool Peer::read_body(Request& request) {
    if (lower(request.header("expect")) == "100-continue" && !send("HTTP/1.1 100 Continue\r\n\r\n"))
        return false;
    if (lower(request.header("transfer-encoding")) == "chunked") return read_chunked(request.body);
    std::size_t const length = std::strtoull(request.header("content-length").c_str(), nullptr, 10);
    while (in_.size() < length) {
        if (!fill(body_time_max)) return false;
    }
    request.body = in_.substr(0, length);
    in_.erase(0, length);
    return true;
}

bool Peer::read_chunked(std::string& body) {
    for (;;) {
        std::size_t end = 0;
        while ((end = in_.find("\r\n")) == std::string::npos) {
            if (!fill(body_time_max)) return false;
        }
        std::size_t const size = std::strtoull(in_.c_str(), nullptr, 16);
        while (in_.size() < end + 2 + size + 2) {
            if (!fill(body_time_max)) return false;
        }
        body.append(in_, end + 2, size);
        in_.erase(0, end + 2 + size + 2);
        if (size == 0) return true;
    }
}

bool Peer::fill(Millis time) {
    pollfd wait{.fd = fd_, .events = POLLIN, .revents = 0};
    if (poll(&wait, 1, static_cast<int>(time.count())) <= 0) return false;
    std::array<char, 65536> piece{};
    ssize_t const count = recv(fd_, piece.data(), piece.size(), 0);
    if (count <= 0) return false;
    in_.append(piece.data(), static_cast<std::size_t>(count));
    return true;
}

bool Peer::send(std::string_view bytes) {
    while (!bytes.empty()) {
        ssize_t const count = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (count < 0 && errno == EINTR) continue;
        if (count <= 0) return false;
        bytes.remove_prefix(static_cast<std::size_t>(count));
    }
    return true;
}

bool Peer::pause(Millis time) {
    pollfd wait{.fd = fd_, .events = POLLRDHUP, .revents = 0};
    return poll(&wait, 1, static_cast<int>(time.count())) == 0;
}

void Peer::close(Reset reset) {
    if (fd_ < 0) return;
    if (reset == Reset::Yes) {
        linger const at_once{.l_onoff = 1, .l_linger = 0};
        setsockopt(fd_, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    }
    ::close(fd_);
    fd_ = -1;
}

}  // namespace fake
