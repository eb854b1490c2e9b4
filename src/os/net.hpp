#pragma once
// Sockets, all non-blocking and close-on-exec.
#include <cstddef>
#include <cstdint>
#include <string>
#include <variant>

#include "base/result.hpp"
#include "os/unique_fd.hpp"

namespace hal0::os {

inline constexpr std::size_t unix_path_bytes_max = 107;  // sun_path less its final NUL, unix(7)

struct UnixAddress {
    std::string path{};
    bool operator==(UnixAddress const&) const = default;
};
// A numeric IPv4 or IPv6 address; names are resolved elsewhere, off the loop.
struct InetAddress {
    std::string ip{};
    std::uint16_t port{0};
    bool operator==(InetAddress const&) const = default;
};
using Address = std::variant<UnixAddress, InetAddress>;

std::string to_string(Address const& address);  // "unix:/run/…", "127.0.0.1:8080", "[::1]:8080"
// "127.0.0.1:8080", "[::1]:8080", "localhost:8080" (becomes 127.0.0.1), "unix:PATH".
Result<Address> parse_address(std::string const& text);
[[nodiscard]] bool is_loopback(Address const& address);  // 127.0.0.0/8, ::1, unix

// Conflict when the port is in use, naming by whom where that can be seen; Invalid for a unix path over the
// limit. A unix socket file is removed first when nobody answers on it. Connections accepted from an internet
// listener have TCP_NODELAY set: they inherit it (one call less for each).
Result<UniqueFd> listen_on(Address const& address, int backlog = 1024);
Result<InetAddress> bound_address(int fd);  // the port the kernel chose, after listening on port 0

// One waiting connection, or an invalid descriptor when there is none. Errors are the listener's own (EMFILE
// …).
Result<UniqueFd> accept_one(int listener);

// Starts connecting; writability tells the end, connect_result() its outcome. Busy: a unix socket whose
// backlog is full; it may work in a moment.
Result<UniqueFd> connect_to(Address const& address);
Result<void> connect_result(int fd);

// What one read or write did.
struct Io {
    std::size_t count{0};
    bool again{false};   // nothing can be moved now
    bool closed{false};  // end of stream, or the peer is gone
    bool fault{false};   // with closed: no orderly end but a reset or another failure
};
Io read_some(int fd, char* into, std::size_t size);  // size > 0
struct Slice {
    char const* data{nullptr};
    std::size_t size{0};
};
Io write_some(int fd, Slice const* slices, std::size_t count);  // at most 8 slices, in one call

void set_send_buffer(int fd, int bytes);  // a hint; the kernel may refuse
void set_no_delay(int fd);
void end_sending(int fd);     // the peer sees the end of our bytes; its own can still be read
void reset_on_close(int fd);  // close() then aborts the connection: the peer can't take it for a proper end

}  // namespace hal0::os
