#pragma once
// proxmox.json: where Proxmox is asked, and with which token. Read by the process that asks, and by no other.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "base/secret.hpp"
#include "base/units.hpp"

namespace hal0::proxmox {

inline constexpr std::string_view settings_name = "proxmox.json";
inline constexpr Bytes settings_bytes_max = 64_KiB;
inline constexpr std::int64_t vmid_min = 100;
inline constexpr std::int64_t vmid_max = 999'999'999;

struct Settings {
    std::string endpoint{};                // "https://HOST:PORT"
    std::string token_id{};                // "USER@REALM!NAME"
    Secret token_secret{};                 // of characters that JSON and HTTP write as they are
    std::optional<std::string> ca_file{};  // with this certificate alone; neither: the system's are trusted
    std::optional<std::string> fingerprint{};  // SHA-256 of the server's own certificate: "AB:CD:…"
    std::optional<std::int64_t> vmid{};

    [[nodiscard]] Secret authorization() const;  // the header's value
};

// Every fault is Invalid and names the key, never its value.
Result<Settings> decode_settings(std::string_view text);

// "ab:cd…" or "abcd…" as "AB:CD:…"; nothing for what is no SHA-256.
std::optional<std::string> fingerprint_of(std::string_view text);

}  // namespace hal0::proxmox
