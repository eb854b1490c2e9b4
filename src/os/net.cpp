#include "os/net.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cassert>
#include <cerrno>
#include <cstring>

#include "base/format.hpp"
#include "base/text.hpp"
#include "os/file.hpp"
#include "os/port_holder.hpp"

namespace hal0::os {
namespace {

struct SocketName {
    sockaddr_storage storage{};
    socklen_t size{0};
    [[nodiscard]] sockaddr const* get() const {
        return reinterpret_cast<sockaddr const*>(&storage);  // NOLINT: the sockets API's own way
    }
};

Result<SocketName> name_of(UnixAddress const& address) {
    SocketName name;
    sockaddr_un un{};
    un.sun_family = AF_UNIX;
    if (address.path.empty() || address.path.size() > unix_path_bytes_max) {
        return Error{Errc::Invalid, format("the socket path {} has {} bytes; the kernel's limit is {}",
                                           address.path, address.path.size(), unix_path_bytes_max)};
    }
    std::memcpy(&un.sun_path[0], address.path.data(), address.path.size());
    std::memcpy(&name.storage, &un, sizeof un);
    name.size = sizeof un;
    return name;
}

Result<SocketName> name_of(InetAddress const& address) {
    SocketName name;
    sockaddr_in v4{};
    sockaddr_in6 v6{};
    if (::inet_pton(AF_INET, address.ip.c_str(), &v4.sin_addr) == 1) {
        v4.sin_family = AF_INET;
        v4.sin_port = htons(address.port);
        std::memcpy(&name.storage, &v4, sizeof v4);
        name.size = sizeof v4;
        return name;
    }
    if (::inet_pton(AF_INET6, address.ip.c_str(), &v6.sin6_addr) == 1) {
        v6.sin6_family = AF_INET6;
        v6.sin6_port = htons(address.port);
        std::memcpy(&name.storage, &v6, sizeof v6);
        name.size = sizeof v6;
        return name;
    }
    return Error{Errc::Invalid, format("'{}' is not an IP address", address.ip)};
}

Result<SocketName> name_of(Address const& address) {
    return std::visit([](auto const& a) { return name_of(a); }, address);
}

UniqueFd stream_socket(int family) {
    return UniqueFd{::socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)};
}

void set_int(int fd, int level, int option, int value) {
    ::setsockopt(fd, level, option, &value, sizeof value);
}

// A peer that lost its power or its network says nothing: the kernel asks after a minute of silence, and
// gives it up after another. What a listener accepts has its settings (tcp(7)).
void notice_the_vanished(int fd) {
    set_int(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
    set_int(fd, IPPROTO_TCP, TCP_KEEPIDLE, 60);
    set_int(fd, IPPROTO_TCP, TCP_KEEPINTVL, 15);
    set_int(fd, IPPROTO_TCP, TCP_KEEPCNT, 4);
}

// A socket file nobody answers on is left over from a killed process.
void remove_if_dead(std::string const& path, SocketName const& name) {
    struct stat st{};
    if (::lstat(path.c_str(), &st) != 0 || !S_ISSOCK(st.st_mode)) return;
    auto const probe = stream_socket(AF_UNIX);
    if (::connect(probe.get(), name.get(), name.size) != 0 && errno == ECONNREFUSED) ::unlink(path.c_str());
}

Error in_use(Address const& address) {
    auto const name = to_string(address);
    if (auto const* inet = std::get_if<InetAddress>(&address)) {
        if (auto const holder = find_port_holder(*inet)) {
            return Error{Errc::Conflict,
                         format("{} is in use by {} (process {})", name, holder->program, holder->pid)}
                .with("pid", format("{}", holder->pid))
                .with("program", holder->program);
        }
        return Error{Errc::Conflict, format("{} is in use by a program of another user", name)};
    }
    auto const found = status(std::get<UnixAddress>(address).path);
    auto const* const why = found && found->kind == FileKind::Socket
                                ? "is in use by another program"
                                : "can't be made: a file that is not a socket is in the way";
    return Error{Errc::Conflict, format("{} {}", name, why)};
}

constexpr std::size_t slices_max = 8;
// Up to here slices are cheaper copied together than listed for the kernel, which reads the list with care: a
// sendmsg of two slices costs 0.15 to 0.3 µs more than a send.
constexpr std::size_t joined_bytes_max = std::size_t{4} << 10;

// `send` again and again until it was not interrupted.
template <class Send> Io sent_by(Send send) {
    while (true) {
        auto const sent = send();
        if (sent >= 0) return {.count = static_cast<std::size_t>(sent)};
        if (errno == EINTR) continue;
        if (errno == EAGAIN || errno == EWOULDBLOCK) return {.again = true};
        return {.closed = true, .fault = true};
    }
}

Io send_one(int fd, char const* data, std::size_t size) {
    return sent_by([=] { return ::send(fd, data, size, MSG_NOSIGNAL); });
}

Io send_joined(int fd, Slice const* slices, std::size_t count) {
    std::array<char, joined_bytes_max> joined;
    std::size_t size = 0;
    for (std::size_t i = 0; i < count; ++i) {
        std::copy_n(slices[i].data, slices[i].size, joined.data() + size);
        size += slices[i].size;
    }
    return send_one(fd, joined.data(), size);
}

Io send_listed(int fd, Slice const* slices, std::size_t count) {
    std::array<iovec, slices_max> parts{};
    for (std::size_t i = 0; i < count; ++i) {
        parts.at(i) = {const_cast<char*>(slices[i].data), slices[i].size};  // NOLINT: iovec serves both ways
    }
    msghdr message{};
    message.msg_iov = parts.data();
    message.msg_iovlen = count;
    return sent_by([fd, &message] { return ::sendmsg(fd, &message, MSG_NOSIGNAL); });
}

}  // namespace

std::string to_string(Address const& address) {
    if (auto const* un = std::get_if<UnixAddress>(&address)) return "unix:" + un->path;
    auto const& inet = std::get<InetAddress>(address);
    bool const v6 = inet.ip.find(':') != std::string::npos;
    return v6 ? format("[{}]:{}", inet.ip, inet.port) : format("{}:{}", inet.ip, inet.port);
}

Result<Address> parse_address(std::string const& text) {
    auto const bad = [&text] {
        return Error{
            Errc::Invalid,
            format("'{}' is not an address to listen on; write 127.0.0.1:8080, [::1]:8080 or unix:/path",
                   text)};
    };
    if (text.starts_with("unix:")) {
        UnixAddress address{text.substr(5)};
        HAL0_CHECK(name_of(address));
        return Address{std::move(address)};
    }
    auto const colon = text.rfind(':');
    if (colon == std::string::npos) return bad();
    auto const port = to_int(std::string_view{text}.substr(colon + 1));
    if (!port || *port < 0 || *port > 65535) return bad();
    std::string host = text.substr(0, colon);
    if (host == "localhost") host = "127.0.0.1";
    if (host.size() > 2 && host.front() == '[' && host.back() == ']') host = host.substr(1, host.size() - 2);
    InetAddress address{host, static_cast<std::uint16_t>(*port)};
    if (!name_of(address)) return bad();
    return Address{std::move(address)};
}

bool is_loopback(Address const& address) {
    auto const* inet = std::get_if<InetAddress>(&address);
    if (inet == nullptr) return true;
    in_addr v4{};
    if (::inet_pton(AF_INET, inet->ip.c_str(), &v4) == 1) return (ntohl(v4.s_addr) >> 24U) == 127;
    in6_addr v6{};
    return ::inet_pton(AF_INET6, inet->ip.c_str(), &v6) == 1 && IN6_IS_ADDR_LOOPBACK(&v6);
}

Result<UniqueFd> listen_on(Address const& address, int backlog) {
    HAL0_TRY(name, name_of(address));
    auto fd = stream_socket(name.storage.ss_family);
    if (!fd.open()) return errno_error(errno, "creating a socket");
    if (auto const* un = std::get_if<UnixAddress>(&address)) remove_if_dead(un->path, name);
    if (name.storage.ss_family != AF_UNIX) {
        set_int(fd.get(), SOL_SOCKET, SO_REUSEADDR, 1);
        set_no_delay(fd.get());
        notice_the_vanished(fd.get());
    }
    if (name.storage.ss_family == AF_INET6) set_int(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, 1);
    if (::bind(fd.get(), name.get(), name.size) != 0 || ::listen(fd.get(), backlog) != 0) {
        if (errno == EADDRINUSE) return in_use(address);
        return errno_error(errno, format("listening on {}", to_string(address)));
    }
    return fd;
}

Result<InetAddress> bound_address(int fd) {
    sockaddr_storage storage{};
    socklen_t size = sizeof storage;
    // NOLINTNEXTLINE: the sockets API's own way
    if (::getsockname(fd, reinterpret_cast<sockaddr*>(&storage), &size) != 0) {
        return errno_error(errno, "asking for a socket's address");
    }
    std::array<char, INET6_ADDRSTRLEN> text{};
    if (storage.ss_family == AF_INET) {
        sockaddr_in v4{};
        std::memcpy(&v4, &storage, sizeof v4);
        ::inet_ntop(AF_INET, &v4.sin_addr, text.data(), text.size());
        return InetAddress{text.data(), ntohs(v4.sin_port)};
    }
    if (storage.ss_family == AF_INET6) {
        sockaddr_in6 v6{};
        std::memcpy(&v6, &storage, sizeof v6);
        ::inet_ntop(AF_INET6, &v6.sin6_addr, text.data(), text.size());
        return InetAddress{text.data(), ntohs(v6.sin6_port)};
    }
    return Error{Errc::Invalid, "not an internet socket"};
}

Result<UniqueFd> accept_one(int listener) {
    while (true) {
        UniqueFd fd{::accept4(listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC)};
        if (fd.open()) return fd;
        // The last two are failures of the one connection, already gone (accept(2)).
        if (errno == EINTR || errno == ECONNABORTED || errno == EPROTO) continue;
        if (errno == EAGAIN || errno == EWOULDBLOCK) return UniqueFd{};
        return errno_error(errno, "accepting a connection");
    }
}

Result<UniqueFd> connect_to(Address const& address) {
    HAL0_TRY(name, name_of(address));
    auto fd = stream_socket(name.storage.ss_family);
    if (!fd.open()) return errno_error(errno, "creating a socket");
    if (name.storage.ss_family != AF_UNIX) set_no_delay(fd.get());
    if (::connect(fd.get(), name.get(), name.size) == 0 || errno == EINPROGRESS) return fd;
    return errno_error(errno, format("connecting to {}", to_string(address)));
}

Result<void> connect_result(int fd) {
    int fault = 0;
    socklen_t size = sizeof fault;
    if (::getsockopt(fd, SOL_SOCKET, SO_ERROR, &fault, &size) != 0) fault = errno;
    if (fault != 0) return errno_error(fault, "connecting");
    return {};
}

Io read_some(int fd, char* into, std::size_t size) {
    assert(size > 0);  // recv's 0 would be taken for the end of the stream
    while (true) {
        auto const got = ::recv(fd, into, size, 0);
        if (got > 0) return {.count = static_cast<std::size_t>(got)};
        if (got == 0) return {.closed = true};
        if (errno == EINTR) continue;
        if (errno == EAGAIN || errno == EWOULDBLOCK) return {.again = true};
        return {.closed = true, .fault = true};
    }
}

Io write_some(int fd, Slice const* slices, std::size_t count) {
    assert(count <= slices_max);
    if (count == 1) return send_one(fd, slices[0].data, slices[0].size);
    std::size_t total = 0;
    for (std::size_t i = 0; i < count; ++i)
        total += slices[i].size;
    return total <= joined_bytes_max ? send_joined(fd, slices, count) : send_listed(fd, slices, count);
}

void set_send_buffer(int fd, int bytes) { set_int(fd, SOL_SOCKET, SO_SNDBUF, bytes); }
void set_no_delay(int fd) { set_int(fd, IPPROTO_TCP, TCP_NODELAY, 1); }
void end_sending(int fd) { ::shutdown(fd, SHUT_WR); }

void reset_on_close(int fd) {
    linger const now{.l_onoff = 1, .l_linger = 0};
    ::setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
}

}  // namespace hal0::os
