#include "fetch/certificate.hpp"

#include "os/file.hpp"
#include "proxmox/settings.hpp"

namespace hal0::fetch {
namespace {

// RFC 4648, white space between its lines; nothing for what is no such text.
std::optional<std::string> from_base64(std::string_view text) {
    constexpr std::string_view digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    constexpr unsigned bits_of_digit = 6;
    constexpr unsigned bits_of_byte = 8;
    std::string bytes;
    unsigned held = 0;
    unsigned bits = 0;
    for (char const c : text) {
        if (c == '\n' || c == '\r' || c == '=') continue;
        auto const digit = digits.find(c);
        if (digit == std::string_view::npos) return std::nullopt;
        held = (held << bits_of_digit) | static_cast<unsigned>(digit);
        bits += bits_of_digit;
        if (bits < bits_of_byte) continue;
        bits -= bits_of_byte;
        bytes += static_cast<char>((held >> bits) & 0xffU);
        held &= (1U << bits) - 1;
    }
    return bytes;
}

}  // namespace

std::optional<std::string> certificate_fingerprint(std::string_view pem) {
    constexpr std::string_view begin = "-----BEGIN CERTIFICATE-----";
    constexpr std::string_view end = "-----END CERTIFICATE-----";
    auto const from = pem.find(begin);
    auto const to = pem.find(end);
    if (from == std::string_view::npos || to == std::string_view::npos || to < from) return std::nullopt;
    auto const der = from_base64(pem.substr(from + begin.size(), to - from - begin.size()));
    if (!der || der->empty()) return std::nullopt;
    return proxmox::fingerprint_of(os::sha256_hex(*der));
}

}  // namespace hal0::fetch
