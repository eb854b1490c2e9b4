#pragma once
// The little both programs need of sockets and clocks. It is no part of hal0: what is measured and what
// measures share no code.
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <string>
#include <string_view>

namespace bench {

[[noreturn]] inline void die(std::string const& what) {
    std::fprintf(stderr, "%s: %s\n", what.c_str(), std::strerror(errno));
    std::exit(1);
}

inline std::int64_t now_ns() {
    timespec now{};
    ::clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1'000'000'000LL + now.tv_nsec;
}

struct Address {
    sockaddr_storage storage{};
    socklen_t size{0};
    sockaddr const* get() const { return reinterpret_cast<sockaddr const*>(&storage); }
};

// "/path/of.sock" or "127.0.0.1:8080".
inline Address parse_address(std::string const& text) {
    Address address;
    if (auto const colon = text.rfind(':'); text.front() != '/' && colon != std::string::npos) {
        sockaddr_in inet{};
        inet.sin_family = AF_INET;
        inet.sin_port = htons(static_cast<std::uint16_t>(std::stoi(text.substr(colon + 1))));
        if (::inet_pton(AF_INET, text.substr(0, colon).c_str(), &inet.sin_addr) != 1) die(text);
        std::memcpy(&address.storage, &inet, address.size = sizeof inet);
        return address;
    }
    sockaddr_un un{};
    un.sun_family = AF_UNIX;
    if (text.size() >= sizeof un.sun_path) die("too long for a unix socket: " + text);
    text.copy(un.sun_path, text.size());
    std::memcpy(&address.storage, &un, address.size = sizeof un);
    return address;
}

inline int make_socket(Address const& address) {
    int const fd = ::socket(address.storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) die("socket");
    int const on = 1;
    if (address.storage.ss_family == AF_INET) {
        ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    }
    return fd;
}

inline int listen_on(std::string const& text) {
    if (text.front() == '/') ::unlink(text.c_str());
    auto const address = parse_address(text);
    int const fd = make_socket(address);
    if (::bind(fd, address.get(), address.size) != 0 || ::listen(fd, 4096) != 0) die("listening on " + text);
    ::fcntl(fd, F_SETFL, O_NONBLOCK);
    return fd;
}

inline int connect_to(Address const& address) {
    int const fd = make_socket(address);
    if (::connect(fd, address.get(), address.size) != 0) die("connecting");
    ::fcntl(fd, F_SETFL, O_NONBLOCK);
    return fd;
}

// Edge-triggered, both directions, once for the life of the descriptor.
inline void watch(int epoll, int fd, void* who) {
    epoll_event event{};
    event.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
    event.data.ptr = who;
    if (::epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) != 0) die("epoll_ctl");
}

// Sends what the peer takes; returns how much that was.
inline std::size_t send_some(int fd, std::string_view bytes) {
    auto const sent = ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    return sent > 0 ? static_cast<std::size_t>(sent) : 0;
}

// The number that follows `key`, or `otherwise`.
inline double number_after(std::string_view text, std::string_view key, double otherwise) {
    auto const at = text.find(key);
    if (at == std::string_view::npos) return otherwise;
    return std::strtod(std::string{text.substr(at + key.size(), 32)}.c_str(), nullptr);
}

}  // namespace bench
