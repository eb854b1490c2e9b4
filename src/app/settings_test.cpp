#include "app/settings.hpp"

#include <gtest/gtest.h>

#include "base/format.hpp"

namespace hal0::app {
namespace {

os::Places const places{.config = "/c", .data = "/d"};

Result<DecodedSettings> decode(std::string_view text) {
    return decode_settings(text, "/c/hal0.toml", places);
}
std::string fault(std::string_view text) { return decode(text).error().message; }

TEST(Settings, DefaultsNeedNoFile) {
    for (auto const& settings : {default_settings(places), decode("")->settings}) {
        EXPECT_EQ(settings.listen, std::vector<os::Address>{(os::InetAddress{"127.0.0.1", 8080})});
        EXPECT_EQ(settings.body_max, 64_MiB);
        EXPECT_EQ(settings.model_roots, std::vector<std::string>{"/d/models"});
        EXPECT_EQ(settings.log_level, LogLevel::Info);
        EXPECT_EQ(settings.launcher, Keeper::Auto);
        EXPECT_TRUE(check(settings).ok());
    }
}

TEST(Settings, AreReadFromWhatPeopleWrite) {
    auto const decoded = decode(
                             "# mine\r\n"
                             "listen = [ # both\r\n  '0.0.0.0:80', \"[::1]:8081\",\r\n]\r\n"
                             "key_file = '/etc/hal0/key'\r\n"
                             "allowed_hosts = ['box.example.org', 'app://obsidian.md'] # two\r\n"
                             "loops = 2\r\nlog_level = 'debug'\r\nlauncher = 'systemd'\r\n"
                             "models.roots = ['/a', \"/b \"]\r\n"
                             "[limits]\r\nbody_max = '2 MiB'\r\nwaiting_max = 0x10\r\n"
                             "waiting_bytes_max = 4_000_000 # B\r\nwait_max_s = 30")
                             .value();
    auto const& settings = decoded.settings;
    EXPECT_EQ(settings.listen,
              (std::vector<os::Address>{os::InetAddress{"0.0.0.0", 80}, os::InetAddress{"::1", 8081}}));
    EXPECT_EQ(settings.key_file, "/etc/hal0/key");
    EXPECT_EQ(settings.allowed_hosts, (std::vector<std::string>{"box.example.org", "app://obsidian.md"}));
    EXPECT_EQ(settings.loops, 2);
    EXPECT_EQ(settings.log_level, LogLevel::Debug);
    EXPECT_EQ(settings.launcher, Keeper::Systemd);
    EXPECT_EQ(settings.model_roots, (std::vector<std::string>{"/a", "/b "}));
    EXPECT_EQ(settings.body_max, 2_MiB);
    EXPECT_EQ(settings.queue.waiting_max, 16U);
    EXPECT_EQ(settings.queue.bytes_max, Bytes{4'000'000});
    EXPECT_EQ(settings.wait_max, std::chrono::seconds{30});
    EXPECT_TRUE(decoded.warnings.empty());
    EXPECT_TRUE(decode("listen = []")->settings.listen.empty());
}

TEST(Settings, UnknownKeysAreWarnedOf) {
    EXPECT_EQ(decode("lisen = 1\n[limits]\nbodymax = 1\n[other]\nx = 1\n")->warnings,
              (std::vector<std::string>{
                  "/c/hal0.toml:1:1: 'lisen' means nothing here and is ignored; did you mean 'listen'?",
                  "/c/hal0.toml:4:2: 'other' means nothing here and is ignored",
                  "/c/hal0.toml:3:1: 'limits.bodymax' means nothing here and is ignored; did you mean "
                  "'body_max'?"}));
}

TEST(Settings, FaultsNameTheLineAndTheKey) {
    struct Case {
        char const* text;
        char const* message;
    };
    for (auto const& [text, message] : {
             Case{"listen = 8080", "1:10: listen must be an array of strings, not a whole number"},
             Case{"listen = 'box:8080'",
                  "1:10: listen is wrong: 'box:8080' is not an address to listen on; write 127.0.0.1:8080, "
                  "[::1]:8080 or unix:/path"},
             Case{"key_file = 'key'", "1:12: key_file must be an absolute path, not 'key'"},
             Case{"allowed_hosts = ['a', 'http://b']",
                  "1:17: allowed_hosts is wrong: 'http://b' is no host's name; write it without scheme and "
                  "port, like box.example.org, or an app's whole origin, like app://obsidian.md"},
             Case{"loops = 0", "1:9: loops must be 1 to 64, not 0"},
             Case{"launcher = 'sysv'", "1:12: launcher 'sysv' is none of auto, process, systemd"},
             Case{"log_level = 'loud'", "1:13: log_level 'loud' is none of debug, info, warn, error"},
             Case{"limits = 1", "1:10: limits must be a table, not a whole number"},
             Case{"[limits]\nbody_max = 'much'",
                  "2:12: limits.body_max must be a number of bytes or a text like \"64 MiB\""},
             Case{"[limits]\nbody_max = 64", "2:12: limits.body_max must be 1.0 KiB to 1.0 GiB, not 64 B"},
             Case{"[limits]\nbody_max = '2 GiB'",
                  "2:12: limits.body_max must be 1.0 KiB to 1.0 GiB, not 2.0 GiB"},
             Case{"[limits]\nwaiting_max = -1", "2:15: limits.waiting_max must be 1 to 100000, not -1"},
             Case{"[limits]\nwaiting_bytes_max = '100 GiB'",
                  "2:21: limits.waiting_bytes_max must be at most 64.0 GiB"},
             Case{"[limits]\nwait_max_s = 0", "2:14: limits.wait_max_s must be 1 to 86400, not 0"},
             Case{"[limits]\nwait_max_s = 86401", "2:14: limits.wait_max_s must be 1 to 86400, not 86401"},
             Case{"[models]\nroots = ['models']", "2:9: models.roots must be an absolute path, not 'models'"},
             Case{"[models]\nroots = []", "2:9: models.roots must name at least one directory"},
             Case{"[limits", "1:8: not TOML: encountered end-of-file"},
         })
        EXPECT_EQ(fault(text), format("/c/hal0.toml:{}", message));
    EXPECT_NE(fault("listen = 'unix:/tmp/x'").find("hal0 has its own unix socket"), std::string::npos);
}

TEST(Settings, FlagsGoOverTheFile) {
    auto const file = decode("listen = '127.0.0.1:1'\nallowed_hosts = ['a']\nkey_file = '/k'\n")->settings;
    auto const same = with_flags(file, {}).value();
    EXPECT_EQ(same.listen, file.listen);
    EXPECT_EQ(same.key_file, "/k");
    auto const settings = with_flags(file, {.listen = {"[::]:2", "localhost:3"},
                                            .allowed_hosts = {"b"},
                                            .key_file = "key",
                                            .body_max = "1MB"})
                              .value();
    EXPECT_EQ(settings.listen,
              (std::vector<os::Address>{os::InetAddress{"::", 2}, os::InetAddress{"127.0.0.1", 3}}));
    EXPECT_EQ(settings.allowed_hosts, (std::vector<std::string>{"a", "b"}));
    EXPECT_EQ(settings.key_file, "key");
    EXPECT_EQ(settings.body_max, Bytes{1'000'000});
    auto const message = [&](SettingsFlags const& flags) { return with_flags(file, flags).error().message; };
    EXPECT_TRUE(message({.listen = {"here"}}).starts_with("--listen: 'here' is not an address"));
    EXPECT_TRUE(message({.allowed_hosts = {"b:80"}}).starts_with("--allowed-host: 'b:80' is no host's name"));
    EXPECT_TRUE(message({.body_max = "x"}).starts_with("--body-max: 'x' is no number of bytes"));
    EXPECT_TRUE(message({.body_max = "1"}).starts_with("--body-max: must be 1.0 KiB to 1.0 GiB"));
}

TEST(Settings, AnOpenAddressWantsAKey) {
    for (auto const* open : {"0.0.0.0:8080", "[::]:8080", "192.168.1.2:80", "[fe80::1]:80"}) {
        auto settings = with_flags(default_settings(places), {.listen = {"127.0.0.1:1", open}}).value();
        auto const refused = check(settings);
        ASSERT_FALSE(refused.ok()) << open;
        EXPECT_NE(refused.error().message.find(open), std::string::npos);
        EXPECT_NE(refused.error().message.find("head -c 32 /dev/urandom | base64 > FILE; chmod 600 FILE"),
                  std::string::npos);
        settings.key_file = "key";
        EXPECT_TRUE(check(settings).ok());
    }
    EXPECT_TRUE(
        check(with_flags(default_settings(places), {.listen = {"127.9.9.9:1", "[::1]:2"}}).value()).ok());
}

TEST(Settings, WhatMayComeMustBeAbleToWait) {
    auto const settings = decode("[limits]\nbody_max = '512 MiB'\n")->settings;
    EXPECT_NE(check(settings).error().message.find("raise limits.waiting_bytes_max"), std::string::npos);
}

TEST(Settings, AKeyFileIsItsOwnersAlone) {
    EXPECT_EQ(decode_key(" abc+/=\n", "k", 0600)->reveal(), "abc+/=");
    EXPECT_EQ(decode_key("abc", "k", 0400)->reveal(), "abc");
    EXPECT_EQ(decode_key("abc", "k", 0640).error().message,
              "other users can read the key file k (mode 0640): chmod 600 k");
    EXPECT_EQ(decode_key("abc", "k", 0604).error().kind, Errc::Forbidden);
    EXPECT_EQ(decode_key(" \n", "k", 0600).error().kind, Errc::Invalid);
    EXPECT_EQ(decode_key("two\nlines", "k", 0600).error().kind, Errc::Invalid);
    EXPECT_EQ(decode_key("k\xC3\xBC", "k", 0600).error().kind, Errc::Invalid);
}

TEST(Settings, SizesAreReadWithTheirUnits) {
    for (auto const& [text, bytes] : std::vector<std::pair<char const*, Bytes>>{{"0", {0}},
                                                                                {"1048576", 1_MiB},
                                                                                {"64 MiB", 64_MiB},
                                                                                {"64mib", 64_MiB},
                                                                                {"500 kB", {500'000}},
                                                                                {"3 GiB", 3_GiB},
                                                                                {"2GB", {2'000'000'000}},
                                                                                {"17 B", {17}}})
        EXPECT_EQ(parse_bytes(text), bytes) << text;
    for (auto const* bad :
         {"", " 1", "MiB", "-1", "1.5 GiB", "1 M", "1 MiB x", "99999999999999999999", "9999999999 GiB"})
        EXPECT_FALSE(parse_bytes(bad)) << bad;
}

}  // namespace
}  // namespace hal0::app
