#include "os/port_holder.hpp"

#include <arpa/inet.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <string_view>
#include <vector>

#include "base/format.hpp"
#include "base/text.hpp"
#include "os/file.hpp"

namespace hal0::os {
namespace {

// As /proc/net/tcp and tcp6 write it: each 32-bit word of the address in the machine's own byte order.
std::string kernel_form(std::string const& ip) {
    std::array<std::uint32_t, 4> words{};
    std::size_t count = 0;
    if (::inet_pton(AF_INET, ip.c_str(), words.data()) == 1) count = 1;
    if (count == 0 && ::inet_pton(AF_INET6, ip.c_str(), words.data()) == 1) count = 4;
    std::string text;
    for (std::size_t i = 0; i < count; ++i)
        text += format("{:08X}", words.at(i));
    return text;
}

bool is_any(std::string_view ip) { return ip.find_first_not_of('0') == std::string_view::npos; }

// Links in /proc/PID/fd to the listening sockets that stand in the way.
void add_sockets(std::string const& table, InetAddress const& address, std::vector<std::string>& sockets) {
    auto const text = read_file(table, 64_MiB);
    if (!text) return;
    auto const ours = kernel_form(address.ip);
    auto const port = format("{:04X}", address.port);
    for (auto const line : split(*text, '\n')) {
        auto fields = split(line, ' ');
        std::erase_if(fields, [](std::string_view field) { return field.empty(); });
        constexpr std::size_t local = 1;
        constexpr std::size_t state = 3;
        constexpr std::size_t inode = 9;
        if (fields.size() <= inode || fields[state] != "0A") continue;  // TCP_LISTEN
        auto const colon = fields[local].rfind(':');
        if (colon == std::string_view::npos || fields[local].substr(colon + 1) != port) continue;
        auto const ip = fields[local].substr(0, colon);
        if (ip == ours || is_any(ip) || is_any(ours)) sockets.push_back(format("socket:[{}]", fields[inode]));
    }
}

bool holds_one_of(std::string const& process, std::vector<std::string> const& sockets) {
    auto const directory = process + "/fd";
    auto const descriptors = list_directory(directory);
    if (!descriptors) return false;
    for (auto const& name : *descriptors) {
        std::array<char, 64> target{};
        auto const got = ::readlink(join_path(directory, name).c_str(), target.data(), target.size());
        if (got <= 0) continue;
        std::string_view const link{target.data(), static_cast<std::size_t>(got)};
        if (std::find(sockets.begin(), sockets.end(), link) != sockets.end()) return true;
    }
    return false;
}

}  // namespace

std::optional<PortHolder> find_port_holder(InetAddress const& address) {
    std::vector<std::string> sockets;
    add_sockets("/proc/net/tcp", address, sockets);
    add_sockets("/proc/net/tcp6", address, sockets);
    if (sockets.empty()) return std::nullopt;
    auto const processes = list_directory("/proc");
    if (!processes) return std::nullopt;
    for (auto const& name : *processes) {
        auto const pid = to_int(name);
        if (!pid || !holds_one_of("/proc/" + name, sockets)) continue;
        auto const program = read_file("/proc/" + name + "/comm", 4_KiB);
        return PortHolder{static_cast<int>(*pid), program ? std::string{trim(*program)} : "?"};
    }
    return std::nullopt;
}

}  // namespace hal0::os
