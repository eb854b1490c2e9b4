#include "proxmox/settings.hpp"

#include <algorithm>
#include <utility>

#include "base/format.hpp"
#include "base/text.hpp"
#include "json/value.hpp"

namespace hal0::proxmox {
namespace {

constexpr std::size_t fingerprint_digits = 64;
constexpr std::size_t secret_length_min =
    16;  // Proxmox's have 36; shorter ones can't be told from other text
constexpr std::size_t secret_length_max = 128;
constexpr std::size_t token_id_length_max = 256;
constexpr std::int64_t default_port = 8006;
constexpr std::int64_t port_max = 65535;

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_word(char c) { return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool all(std::string_view text, bool (*allowed)(char)) { return std::ranges::all_of(text, allowed); }

Error wrong(std::string_view key, std::string_view what) {
    return {Errc::Invalid, format("'{}' must be {}", key, what)};
}

bool is_host(std::string_view host) {
    if (host.starts_with('[') && host.ends_with(']') && host.size() > 2) {
        return all(host.substr(1, host.size() - 2),
                   [](char c) { return is_word(c) || c == ':' || c == '.' || c == '%'; });
    }
    return !host.empty() && all(host, [](char c) { return is_word(c) || c == '.' || c == '-'; });
}

// Nothing but a host and a port: a path would be another service, and a name before an '@' a secret.
Result<std::string> endpoint_of(std::string_view text) {
    constexpr std::string_view scheme = "https://";
    auto const refused = wrong("endpoint", "\"https://HOST:8006\", with nothing before or behind it");
    if (!text.starts_with(scheme)) return refused;
    auto rest = text.substr(scheme.size());
    if (rest.ends_with('/')) rest.remove_suffix(1);
    auto const bracket = rest.rfind(']');
    auto const colon = rest.find(':', bracket == std::string_view::npos ? 0 : bracket);
    auto const host = rest.substr(0, colon);
    auto port = std::optional{default_port};
    if (colon != std::string_view::npos) port = to_int(rest.substr(colon + 1));
    if (!is_host(host) || !port || *port < 1 || *port > port_max) return refused;
    return format("{}{}:{}", scheme, host, *port);
}

bool is_token_id(std::string_view id) {
    auto const at = id.find('@');
    auto const mark = id.rfind('!');
    bool const has_parts = at != std::string_view::npos && at > 0 && mark != std::string_view::npos &&
                           mark > at + 1 && mark + 1 < id.size();
    return has_parts && id.size() <= token_id_length_max &&
           all(id, [](char c) { return c > ' ' && c < '\x7f' && c != '='; });
}

bool is_token_secret(std::string_view secret) {
    return secret.size() >= secret_length_min && secret.size() <= secret_length_max &&
           all(secret, [](char c) { return is_word(c) || c == '-'; });
}

struct Token {
    std::string id{};
    Secret secret{};
};

Result<Token> decode_token(json::Value const& value, std::string const& path) {
    json::ObjectReader in{value, path};
    Token token;
    std::string secret;
    in.required("id", token.id);
    in.required("secret", secret);
    HAL0_CHECK(in.finish());
    if (!is_token_id(token.id)) return wrong("token.id", "\"USER@REALM!NAME\", as Proxmox shows it");
    if (!is_token_secret(secret))
        return wrong("token.secret", "the token's value, as Proxmox showed it once: letters, digits and '-'");
    token.secret = Secret{std::move(secret)};
    return token;
}

Result<void> check_trust(Settings& settings) {
    if (settings.ca_file && settings.fingerprint)
        return Error{Errc::Invalid,
                     "'ca_file' and 'fingerprint' exclude each other: one of them says whom to trust"};
    if (settings.ca_file && !settings.ca_file->starts_with('/'))
        return wrong("ca_file", "a path from '/' on, of a certificate in PEM form");
    if (settings.fingerprint) {
        settings.fingerprint = fingerprint_of(*settings.fingerprint);
        if (!settings.fingerprint)
            return wrong("fingerprint",
                         "the SHA-256 of the server's certificate: 64 hex digits, with or without "
                         "colons");
    }
    if (settings.vmid && (*settings.vmid < vmid_min || *settings.vmid > vmid_max))
        return wrong("vmid", format("a number from {} to {}", vmid_min, vmid_max));
    return {};
}

}  // namespace

Secret Settings::authorization() const {
    return Secret{format("PVEAPIToken={}={}", token_id, token_secret.reveal())};
}

Result<Settings> decode_settings(std::string_view text) {
    auto const value = json::parse(text);
    if (!value) return Error{Errc::Invalid, value.error().message};
    json::ObjectReader in{*value, ""};
    Settings settings;
    Token token;
    std::string endpoint;
    in.required("endpoint", endpoint);
    in.object("token", token, decode_token);
    in.optional("ca_file", settings.ca_file);
    in.optional("fingerprint", settings.fingerprint);
    in.optional("vmid", settings.vmid);
    HAL0_CHECK(in.finish());
    settings.token_id = std::move(token.id);
    settings.token_secret = std::move(token.secret);
    HAL0_TRY(checked, endpoint_of(endpoint));
    settings.endpoint = std::move(checked);
    HAL0_CHECK(check_trust(settings));
    return settings;
}

std::optional<std::string> fingerprint_of(std::string_view text) {
    std::string digits;
    for (char const c : lower(text)) {
        if (c == ':') continue;
        if (!is_digit(c) && (c < 'a' || c > 'f')) return std::nullopt;
        digits += c;
    }
    if (digits.size() != fingerprint_digits) return std::nullopt;
    std::string out;
    for (std::size_t i = 0; i < digits.size(); ++i) {
        if (i > 0 && i % 2 == 0) out += ':';
        out += is_digit(digits[i]) ? digits[i] : static_cast<char>(digits[i] - 'a' + 'A');
    }
    return out;
}

}  // namespace hal0::proxmox
