#include "app/settings.hpp"

#include <algorithm>
#include <array>
#include <limits>
#include <utility>

#include "api/access.hpp"
#include "base/format.hpp"
#include "base/text.hpp"
#include "os/file.hpp"
#include "toml/reader.hpp"

namespace hal0::app {
namespace {

struct LevelName {
    LogLevel level;
    std::string_view name;
};
constexpr std::array level_names{LevelName{LogLevel::Debug, "debug"}, LevelName{LogLevel::Info, "info"},
                                 LevelName{LogLevel::Warn, "warn"}, LevelName{LogLevel::Error, "error"}};

struct KeeperName {
    Keeper keeper;
    std::string_view name;
};
constexpr std::array keeper_names{KeeperName{Keeper::Auto, "auto"}, KeeperName{Keeper::Process, "process"},
                                  KeeperName{Keeper::Systemd, "systemd"}};

// ---- one value

Result<os::Address> listen_address(std::string const& text) {
    HAL0_TRY(address, os::parse_address(text));
    if (std::holds_alternative<os::InetAddress>(address)) return address;
    // Who comes over our unix socket needs no key, because its directory lets only the owner in.
    return Error{Errc::Invalid,
                 format("'{}' can't be listened on: hal0 has its own unix socket, hal0.sock in "
                        "its runtime directory",
                        text)};
}

Result<std::vector<os::Address>> listen_addresses(std::vector<std::string> const& texts) {
    if (texts.size() > listen_count_max) {
        return Error{Errc::Invalid,
                     format("{} addresses to listen on; {} are the limit", texts.size(), listen_count_max)};
    }
    std::vector<os::Address> addresses;
    for (auto const& text : texts) {
        HAL0_TRY(address, listen_address(text));
        addresses.push_back(std::move(address));
    }
    return addresses;
}

Result<void> check_hosts(std::vector<std::string> const& hosts) {
    auto const bad = std::find_if_not(hosts.begin(), hosts.end(), api::valid_allowed_host);
    if (bad == hosts.end()) return {};
    return Error{Errc::Invalid, format("'{}' is no host's name; write it without scheme and port, like "
                                       "box.example.org, or an app's whole origin, like app://obsidian.md",
                                       *bad)};
}

Result<Bytes> body_limit(Bytes bytes) {
    if (bytes >= body_least && bytes <= body_most) return bytes;
    return Error{Errc::Invalid,
                 format("must be {} to {}, not {}", human(body_least), human(body_most), human(bytes))};
}

// ---- one key of the file

// The error of one value as that of its key.
void refuse(toml::TableReader& in, std::string_view key, Error const& error) {
    in.refuse(key, format("is wrong: {}", error.message));
}

void read_listen(toml::TableReader& in, std::vector<os::Address>& listen) {
    if (in.member("listen") == nullptr) return;
    std::vector<std::string> texts;
    in.one_or_more("listen", texts);
    auto addresses = listen_addresses(texts);
    if (!addresses) return refuse(in, "listen", addresses.error());
    listen = std::move(addresses).value();
}

void read_hosts(toml::TableReader& in, std::vector<std::string>& hosts) {
    in.one_or_more("allowed_hosts", hosts);
    if (auto const good = check_hosts(hosts); !good) refuse(in, "allowed_hosts", good.error());
}

std::optional<LogLevel> level_from(std::string_view text) {
    for (auto const& entry : level_names) {
        if (entry.name == text) return entry.level;
    }
    return std::nullopt;
}

std::string no_level(std::string_view text) {
    return format("'{}' is none of debug, info, warn, error", text);
}

void read_level(toml::TableReader& in, LogLevel& level) {
    std::optional<std::string> text;
    in.optional("log_level", text);
    if (!text) return;
    if (auto const found = level_from(*text)) {
        level = *found;
    } else {
        in.refuse("log_level", no_level(*text));
    }
}

std::optional<Keeper> keeper_from(std::string_view text) {
    for (auto const& entry : keeper_names) {
        if (entry.name == text) return entry.keeper;
    }
    return std::nullopt;
}

std::string no_keeper(std::string_view text) {
    return format("'{}' is none of auto, process, systemd", text);
}

void read_launcher(toml::TableReader& in, Keeper& keeper) {
    std::optional<std::string> text;
    in.optional("launcher", text);
    if (!text) return;
    if (auto const found = keeper_from(*text)) {
        keeper = *found;
    } else {
        in.refuse("launcher", no_keeper(*text));
    }
}

// A path in the file means the same wherever the daemon is started from.
void check_absolute(toml::TableReader& in, std::string_view key, std::string const& path) {
    if (path.starts_with('/')) return;
    in.refuse(key, format("must be an absolute path, not '{}'", path));
}

void read_number(toml::TableReader& in, std::string_view key, std::int64_t& field, std::int64_t most) {
    in.optional(key, field);
    if (field < 1 || field > most) in.refuse(key, format("must be 1 to {}, not {}", most, field));
}

void read_days(toml::TableReader& in, std::chrono::days& days) {
    auto count = static_cast<std::int64_t>(days.count());
    in.optional("history_days", count);
    if (count < 0 || count > history::days_most)
        in.refuse("history_days", format("must be 0 to {}, not {}", history::days_most, count));
    days = std::chrono::days{count};
}

void read_bytes(toml::TableReader& in, std::string_view key, Bytes& field) {
    auto const* const found = in.member(key);
    if (found == nullptr) return;
    auto const* const number = std::get_if<std::int64_t>(&found->value.data);
    auto const* const text = std::get_if<std::string>(&found->value.data);
    auto const bytes = number != nullptr ? std::optional{Bytes{*number}}
                       : text != nullptr ? parse_bytes(*text)
                                         : std::nullopt;
    if (bytes) {
        field = *bytes;
    } else {
        in.refuse(key, "must be a number of bytes or a text like \"64 MiB\"");
    }
}

// ---- the tables of the file

void read_limits(toml::TableReader& in, Settings& settings) {
    read_bytes(in, "body_max", settings.body_max);
    if (auto const good = body_limit(settings.body_max); !good) in.refuse("body_max", good.error().message);
    auto waiting = static_cast<std::int64_t>(settings.queue.waiting_max);
    read_number(in, "waiting_max", waiting, waiting_most);
    settings.queue.waiting_max = static_cast<std::size_t>(waiting);
    read_bytes(in, "waiting_bytes_max", settings.queue.bytes_max);
    if (settings.queue.bytes_max > queue_bytes_most) {
        in.refuse("waiting_bytes_max", format("must be at most {}", human(queue_bytes_most)));
    }
    auto wait_s = static_cast<std::int64_t>(settings.wait_max.count());
    read_number(in, "wait_max_s", wait_s, wait_s_most);
    settings.wait_max = std::chrono::seconds{wait_s};
}

void read_models(toml::TableReader& in, Settings& settings) {
    in.one_or_more("roots", settings.model_roots);
    if (settings.model_roots.empty()) in.refuse("roots", "must name at least one directory");
    for (auto const& root : settings.model_roots)
        check_absolute(in, "roots", root);
}

using TableOf = void (*)(toml::TableReader&, Settings&);
struct Part {
    char const* name;
    TableOf read;
};
constexpr std::array parts{Part{"limits", read_limits}, Part{"models", read_models}};

void read_top(toml::TableReader& in, Settings& settings) {
    read_listen(in, settings.listen);
    in.optional("key_file", settings.key_file);
    if (!settings.key_file.empty()) check_absolute(in, "key_file", settings.key_file);
    read_hosts(in, settings.allowed_hosts);
    read_number(in, "loops", settings.loops, loops_most);
    read_days(in, settings.history_days);
    read_level(in, settings.log_level);
    read_launcher(in, settings.launcher);
    for (auto const& part : parts)
        (void)in.table(part.name);
}

Result<void> read_part(toml::TableReader in, TableOf read, DecodedSettings& into) {
    read(in, into.settings);
    HAL0_CHECK(in.finish());
    auto const unknown = in.unknown();
    into.warnings.insert(into.warnings.end(), unknown.begin(), unknown.end());
    return {};
}

}  // namespace

Settings default_settings(os::Places const& places) {
    Settings settings;
    settings.model_roots = {os::join_path(places.data, "models")};
    return settings;
}

Result<DecodedSettings> decode_settings(std::string_view text, std::string const& path,
                                        os::Places const& places) {
    HAL0_TRY(document, toml::Document::parse(std::string{text}, path));
    DecodedSettings decoded{.settings = default_settings(places)};
    HAL0_CHECK(read_part(toml::TableReader{document}, read_top, decoded));
    for (auto const& [name, read] : parts) {
        auto const* const found = document.root().find(name);
        if (found == nullptr) continue;
        HAL0_CHECK(read_part(toml::TableReader{document, found->value, name}, read, decoded));
    }
    return decoded;
}

std::vector<std::string> setting_keys() {
    auto const nothing = toml::Document::parse("", "").value();
    Settings ignored;
    std::vector<std::string> keys;
    auto const add = [&keys](std::string key) {
        if (std::find(keys.begin(), keys.end(), key) == keys.end()) keys.push_back(std::move(key));
    };
    toml::TableReader top{nothing};
    read_top(top, ignored);
    for (auto const& key : top.asked())
        add(key);
    for (auto const& [name, read] : parts) {
        std::erase(keys, name);
        toml::TableReader in{nothing, nothing.root(), name};
        read(in, ignored);
        for (auto const& key : in.asked())
            add(format("{}.{}", name, key));
    }
    return keys;
}

Result<Settings> with_flags(Settings settings, SettingsFlags const& flags) {
    if (!flags.listen.empty()) {
        auto addresses = listen_addresses(flags.listen);
        if (!addresses) return in_context("--listen", std::move(addresses).error());
        settings.listen = std::move(addresses).value();
    }
    if (auto good = check_hosts(flags.allowed_hosts); !good) {
        return in_context("--allowed-host", std::move(good).error());
    }
    settings.allowed_hosts.insert(settings.allowed_hosts.end(), flags.allowed_hosts.begin(),
                                  flags.allowed_hosts.end());
    if (flags.key_file) settings.key_file = *flags.key_file;
    if (flags.log_level) {
        auto const level = level_from(*flags.log_level);
        if (!level) return Error{Errc::Invalid, format("--log-level: {}", no_level(*flags.log_level))};
        settings.log_level = *level;
    }
    if (flags.launcher) {
        auto const keeper = keeper_from(*flags.launcher);
        if (!keeper) return Error{Errc::Invalid, format("--launcher: {}", no_keeper(*flags.launcher))};
        settings.launcher = *keeper;
    }
    if (!flags.body_max) return settings;
    auto const bytes = parse_bytes(*flags.body_max);
    if (!bytes) {
        return Error{
            Errc::Invalid,
            format("--body-max: '{}' is no number of bytes; write 67108864 or '64 MiB'", *flags.body_max)};
    }
    auto limit = body_limit(*bytes);
    if (!limit) return in_context("--body-max", std::move(limit).error());
    settings.body_max = *limit;
    return settings;
}

Result<void> check(Settings const& settings) {
    auto const open = std::find_if(settings.listen.begin(), settings.listen.end(),
                                   [](os::Address const& address) { return !os::is_loopback(address); });
    if (open != settings.listen.end() && settings.key_file.empty()) {
        return Error{
            Errc::Invalid,
            format("other machines could reach {}, so hal0 listens there only with a key: make one with\n"
                   "    head -c 32 /dev/urandom | base64 > FILE; chmod 600 FILE\n"
                   "and give it with --key-file FILE, or as key_file in hal0.toml",
                   to_string(*open))};
    }
    if (settings.body_max > settings.queue.bytes_max) {
        return Error{
            Errc::Invalid,
            format("a request of body_max ({}) could never wait for its slot, as all that wait may have "
                   "{}: raise limits.waiting_bytes_max or lower limits.body_max",
                   human(settings.body_max), human(settings.queue.bytes_max))};
    }
    return {};
}

Result<Secret> decode_key(std::string_view text, std::string const& path, std::uint32_t mode) {
    constexpr std::uint32_t others = 0077;
    if ((mode & others) != 0) {
        return Error{
            Errc::Forbidden,
            format("other users can read the key file {0} (mode {1:04o}): chmod 600 {0}", path, mode)};
    }
    auto const key = trim(text);
    if (key.empty()) {
        return Error{Errc::Invalid,
                     format("the key file {0} is empty: head -c 32 /dev/urandom | base64 > {0}", path)};
    }
    bool const carried = std::all_of(key.begin(), key.end(), [](char c) { return c > ' ' && c < '\x7F'; });
    if (carried) return Secret{std::string{key}};
    return Error{Errc::Invalid,
                 format("the key file {} must hold one line of printable ASCII without blanks; a "
                        "request's header can't carry this one",
                        path)};
}

std::optional<Bytes> parse_bytes(std::string_view text) {
    struct Unit {
        std::string_view name;
        std::int64_t bytes;
    };
    constexpr std::array units{Unit{"", 1},
                               Unit{"B", 1},
                               Unit{"kB", 1000},
                               Unit{"MB", 1000LL * 1000},
                               Unit{"GB", 1000LL * 1000 * 1000},
                               Unit{"KiB", 1LL << 10},
                               Unit{"MiB", 1LL << 20},
                               Unit{"GiB", 1LL << 30}};
    auto const digits = std::min(text.find_first_not_of("0123456789"), text.size());
    auto const number = to_int(text.substr(0, digits));
    auto const name = trim(text.substr(digits));
    auto const* const unit =
        std::find_if(units.begin(), units.end(), [name](Unit const& u) { return equal_fold(u.name, name); });
    if (!number || unit == units.end()) return std::nullopt;
    if (*number > std::numeric_limits<std::int64_t>::max() / unit->bytes) return std::nullopt;
    return Bytes{*number * unit->bytes};
}

}  // namespace hal0::app
