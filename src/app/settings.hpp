#pragma once
// What the daemon's owner may choose: CONFIG/hal0.toml, and the flags of `hal0 serve` over it. Pure: nothing
// here opens a file.
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/log.hpp"
#include "base/result.hpp"
#include "base/secret.hpp"
#include "base/units.hpp"
#include "dispatch/scheduler.hpp"
#include "history/limits.hpp"
#include "http/server.hpp"
#include "os/net.hpp"
#include "os/places.hpp"
#include "slots/limits.hpp"

namespace hal0::app {

// Who keeps the workers. Auto: systemd where hal0 was installed as a package and its manager answers, else
// nobody: they are processes of their own.
enum class Keeper { Auto, Process, Systemd };

// The unix socket is no setting: it is always RUNTIME/hal0.sock.
struct Settings {
    std::vector<os::Address> listen{os::InetAddress{"127.0.0.1", 8080}};  // none: the unix socket alone
    std::string key_file{};                                               // empty: no key is asked for
    std::vector<std::string> allowed_hosts{};                             // as in api::AccessRules
    Bytes body_max{http::ServerLimits{}.body_max};                        // of one request
    std::int64_t loops{1};                                                // threads that serve requests
    dispatch::QueueLimits queue{};                                        // requests for slots that load
    std::chrono::seconds wait_max{slots::load_timeout};                   // their patience
    std::vector<std::string> model_roots{};
    std::chrono::days history_days{history::days_usual};  // 0: nothing of what happens is kept
    LogLevel log_level{LogLevel::Info};
    Keeper launcher{Keeper::Auto};
};

struct DecodedSettings {
    Settings settings{};
    std::vector<std::string> warnings{};  // keys that mean nothing, with the nearest one that does
};

// The bounds of the settings themselves.
inline constexpr std::size_t listen_count_max = 16;
inline constexpr Bytes body_least = 1_KiB;
inline constexpr Bytes body_most = 1_GiB;
inline constexpr Bytes queue_bytes_most = 64_GiB;
inline constexpr std::int64_t loops_most = 64;
inline constexpr std::int64_t waiting_most = 100'000;
inline constexpr std::int64_t wait_s_most = 86'400;  // a slot's load_timeout_s may be as long

// What holds without a file. Models are looked for in DATA/models.
Settings default_settings(os::Places const& places);

// Corrupt or Invalid, naming file, line, column and key.
Result<DecodedSettings> decode_settings(std::string_view text, std::string const& path,
                                        os::Places const& places);

// Every key that decode_settings() looks for: "listen", "limits.body_max".
std::vector<std::string> setting_keys();

// As they were given to `hal0 serve`.
struct SettingsFlags {
    std::vector<std::string> listen{};         // --listen ADDR …: instead of the file's
    std::vector<std::string> allowed_hosts{};  // --allowed-host NAME …: besides the file's
    std::optional<std::string> key_file{};     // --key-file FILE
    std::optional<std::string> body_max{};     // --body-max "64 MiB"
    std::optional<std::string> log_level{};    // --log-level LEVEL
    std::optional<std::string> launcher{};     // --launcher KEEPER
};
Result<Settings> with_flags(Settings settings, SettingsFlags const& flags);

// What no value is wrong in by itself: an address that other machines reach wants a key, and a request that
// may come must be able to wait.
Result<void> check(Settings const& settings);

// The key in a key file's text, without the blanks around it. Forbidden when `mode` lets anybody but the
// owner read the file; Invalid when it holds no key that a request's header can carry.
Result<Secret> decode_key(std::string_view text, std::string const& path, std::uint32_t mode);

// A whole number, alone or of a unit: "1048576", "64 MiB", "500kB" (kB, MB and GB are powers of 1000).
std::optional<Bytes> parse_bytes(std::string_view text);

}  // namespace hal0::app
