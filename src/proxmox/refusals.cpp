#include "proxmox/refusals.hpp"

#include <string>

#include "base/format.hpp"
#include "base/text.hpp"

namespace hal0::proxmox {
namespace {

// "401 no such token 'x' for user 'y'": a stranger's words, of any bytes.
std::string line_of(long status, std::string_view reason) {
    auto text = format("{}", status);
    if (!trim(reason).empty()) text += " ";
    for (char const c : trim(reason))
        text += c >= ' ' && c < '\x7f' ? c : '?';
    return clipped(text);
}

}  // namespace

Error refusal(long status, std::string_view reason, Settings const& settings) {
    auto const line = line_of(status, reason);
    if (status == 401) {
        return {Errc::Unauthorized,
                format("Proxmox refuses the token '{}' ({}): its secret is another, or it has "
                       "expired or was removed; make a new one",
                       settings.token_id, line)};
    }
    if (status == 403) {
        return {Errc::Forbidden,
                format("Proxmox lets the token '{}' not look there ({}): it and its user need the "
                       "role PVEAuditor on '/'",
                       settings.token_id, line)};
    }
    if (status >= 300 && status < 400) {
        return {Errc::Invalid,
                format("{} answers {}: it sends on to another address, which isn't followed; mend "
                       "'endpoint'",
                       settings.endpoint, line)};
    }
    // AnyEvent::HTTP's own numbers: the node that was asked didn't reach the one that was asked about.
    if (status >= 595 && status <= 599) {
        return {Errc::Unavailable,
                format("{} doesn't reach this guest's node ({})", settings.endpoint, line)};
    }
    return {Errc::Unavailable, format("{} answers {}", settings.endpoint, line)};
}

}  // namespace hal0::proxmox
