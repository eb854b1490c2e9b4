// Answers of Proxmox's of any bytes, and a proxmox.json of any: whatever is told, the asking ends, no figure
// is under 0 or over what the node has, and the facts come back as they were written.
#include <cstdlib>
#include <string>
#include <string_view>

#include "proxmox/host_view.hpp"
#include "proxmox/inquiry.hpp"
#include "proxmox/settings.hpp"
#include "target.hpp"

namespace {

using namespace hal0;

bool possible(std::optional<Bytes> part, std::optional<Bytes> whole) {
    return !part || (*part >= Bytes{} && (!whole || *part <= *whole));
}

void check(proxmox::HostFacts const& facts) {
    bool good = possible(facts.used, facts.total) && possible(facts.available, facts.total) &&
                possible(facts.arc, facts.total);
    for (auto const& tenant : facts.tenants)
        good = good && possible(tenant.memory, facts.total) && possible(tenant.memory_on_node, facts.total);
    auto const again = proxmox::decode_answer(wire::encode(facts));
    if (!good || !again || *again != facts) std::abort();
    (void)wire::encode(proxmox::host_view(facts, 1_GiB));
}

// The bytes hold all answers, one after the other, each to its line's end; the last of them again and again.
void ask(std::string_view answers) {
    constexpr int answers_max = 64;
    proxmox::Inquiry inquiry{101, proxmox::Guest::Kind::Unknown};
    for (int i = 0; inquiry.next(); ++i) {
        if (i == answers_max) std::abort();
        auto const end = answers.find('\n');
        auto const body = answers.substr(0, end);
        if (end != std::string_view::npos) answers.remove_prefix(end + 1);
        auto const taken = body == "-" ? inquiry.failed({Errc::Unavailable, "down"}) : inquiry.take(body);
        if (!taken) return;
    }
    check(inquiry.finish());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* bytes, std::size_t count) {
    std::string_view const text{reinterpret_cast<char const*>(bytes), count};
    ask(text);
    if (auto const settings = proxmox::decode_settings(text)) {
        if (!settings->endpoint.starts_with("https://") || settings->token_secret.empty()) std::abort();
    }
    (void)proxmox::decode_answer(text);
    (void)proxmox::vmid_of_root(text);
    (void)proxmox::vmid_of_profile(text);
    return 0;
}
