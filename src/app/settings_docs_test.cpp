#include "app/settings_docs.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "app/settings.hpp"
#include "base/format.hpp"
#include "cli/commands.hpp"
#include "engines/arguments.hpp"

namespace hal0::app {
namespace {

TEST(SettingsDocs, TellOfEveryKeyOfTheSettings) {
    auto const docs = render_settings_docs();
    auto const keys = setting_keys();
    EXPECT_GE(keys.size(), 10U);
    for (auto const& key : keys)
        EXPECT_NE(docs.find(format("\n| `{}` | ", key)), std::string::npos) << key;
}

TEST(SettingsDocs, TheirExampleHolds) {
    auto const docs = render_settings_docs();
    constexpr std::string_view fence = "```toml\n";
    auto const begin = docs.find(fence) + fence.size();
    auto const example = decode_settings(docs.substr(begin, docs.find("```", begin) - begin), "example", {});
    ASSERT_TRUE(example.ok()) << example.error().message;
    EXPECT_TRUE(example->warnings.empty());
    EXPECT_TRUE(check(example->settings).ok());
}

// "| `loops` | `1` | …": with what stands there as the file, all is as without one.
TEST(SettingsDocs, SayWhatHoldsWithoutAKey) {
    auto const docs = render_settings_docs();
    std::string text;
    for (auto const& key : setting_keys()) {
        auto const row = format("\n| `{}` | `", key);
        auto const at = docs.find(row);
        if (at == std::string::npos) continue;  // nothing holds
        auto const begin = at + row.size();
        text += format("{} = {}\n", key, docs.substr(begin, docs.find('`', begin) - begin));
    }
    auto const decoded = decode_settings(text, "p", {});
    ASSERT_TRUE(decoded.ok()) << decoded.error().message << "\n" << text;
    auto const& [settings, warnings] = *decoded;
    EXPECT_TRUE(warnings.empty());
    Settings const usual;
    EXPECT_EQ(settings.listen, usual.listen);
    EXPECT_EQ(settings.allowed_hosts, usual.allowed_hosts);
    EXPECT_EQ(settings.loops, usual.loops);
    EXPECT_EQ(settings.log_level, usual.log_level);
    EXPECT_EQ(settings.launcher, usual.launcher);
    EXPECT_EQ(settings.body_max, usual.body_max);
    EXPECT_EQ(settings.queue.waiting_max, usual.queue.waiting_max);
    EXPECT_EQ(settings.queue.bytes_max, usual.queue.bytes_max);
    EXPECT_EQ(settings.wait_max, usual.wait_max);
}

// What a flag's help has in brackets.
std::string default_in_help(cli::Command const& command, std::string_view flag) {
    auto const found = std::ranges::find(command.flags, flag, &cli::Flag::name);
    if (found == command.flags.end()) return "no such flag";
    auto const begin = found->help.find('(') + 1;
    return found->help.substr(begin, found->help.find(')') - begin);
}

TEST(Help, OfSlotCreateHasAnArgumentThatTheEngineTakes) {
    auto const commands = cli::make_commands({});
    auto const& flags = commands.find("slot create")->flags;
    auto const extra = std::ranges::find(flags, "extra-arg", &cli::Flag::name);
    ASSERT_NE(extra, flags.end());
    constexpr std::string_view before{"--extra-arg="};
    auto const begin = extra->help.find(before) + before.size();
    auto const argument = extra->help.substr(begin, extra->help.find(';') - begin);
    EXPECT_NE(engines::llama_server_flags().find(argument), nullptr) << argument;
}

TEST(SettingsDocs, TheHelpOfServeHasTheSameDefaults) {
    auto const commands = cli::make_commands({});
    auto const& serve = *commands.find("serve");
    Settings const usual;
    EXPECT_EQ(default_in_help(serve, "listen"), os::to_string(usual.listen.front()));
    EXPECT_EQ(parse_bytes(default_in_help(serve, "body-max")), usual.body_max);
    auto const level = with_flags({}, {.log_level = default_in_help(serve, "log-level")});
    ASSERT_TRUE(level.ok()) << level.error().message;
    EXPECT_EQ(level->log_level, usual.log_level);
    auto const keeper = with_flags({}, {.launcher = default_in_help(serve, "launcher")});
    ASSERT_TRUE(keeper.ok()) << keeper.error().message;
    EXPECT_EQ(keeper->launcher, usual.launcher);
}

}  // namespace
}  // namespace hal0::app
