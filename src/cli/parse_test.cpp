#include "cli/parse.hpp"

#include <gtest/gtest.h>

#include "cli/commands.hpp"

namespace hal0::cli {
namespace {

// One line that says what was understood.
std::string understood(std::vector<std::string> const& typed) {
    static auto const table = make_commands({});
    auto const parsed = parse(table, typed);
    if (auto const* help = std::get_if<HelpWanted>(&parsed)) return "help '" + help->topic + "'";
    if (std::holds_alternative<VersionWanted>(parsed)) return "version";
    if (auto const* misuse = std::get_if<Misuse>(&parsed)) return "wrong: " + misuse->message;
    auto const& invocation = std::get<Invocation>(parsed);
    auto out = invocation.command->path;
    for (auto const* name : {"NAME", "MODEL", "MESSAGE", "lines", "follow", "json", "listen", "extra-arg"}) {
        if (!invocation.arguments.has(name)) continue;
        out += std::string{" "} + name;
        for (auto const& value : invocation.arguments.all(name))
            out += "=" + value;
    }
    return out;
}

struct Case {
    std::vector<std::string> typed{};
    std::string understood{};
};

TEST(Parse, UnderstandsWhatIsTyped) {
    for (auto const& [typed, wanted] : std::vector<Case>{
             {{"slot", "list"}, "slot list"},
             {{"slot", "swap", "a", "b"}, "slot swap NAME=a MODEL=b"},
             {{"--json", "slot", "list"}, "slot list json"},
             {{"slot", "--json", "list"}, "slot list json"},
             {{"slot", "logs", "a", "--lines", "5", "-f"}, "slot logs NAME=a lines=5 follow"},
             {{"slot", "logs", "--lines=5", "a"}, "slot logs NAME=a lines=5"},
             {{"slot", "logs", "-fn5", "a"}, "slot logs NAME=a lines=5 follow"},
             {{"slot", "logs", "-n", "5", "a"}, "slot logs NAME=a lines=5"},
             {{"serve", "--listen", "a", "--listen=b"}, "serve listen=a=b"},
             {{"slot", "create", "x", "--model=m", "--extra-arg=--no-warmup"},
              "slot create NAME=x extra-arg=--no-warmup"},
             {{"chat", "is", "-", "--", "--json"}, "chat MESSAGE=is=-=--json"},
             {{"slot", "exec", "a"}, "slot exec NAME=a"},
         })
        EXPECT_EQ(understood(typed), wanted);
}

TEST(Parse, HelpIsWantedAnywhere) {
    EXPECT_EQ(understood({}), "help ''");
    EXPECT_EQ(understood({"-h"}), "help ''");
    EXPECT_EQ(understood({"--help", "slot"}), "help 'slot'");
    EXPECT_EQ(understood({"slot", "load", "--help"}), "help 'slot load'");
    EXPECT_EQ(understood({"slot", "load", "a", "b", "-h"}), "help 'slot load'");
    EXPECT_EQ(understood({"--version"}), "version");
    EXPECT_EQ(understood({"chat", "--", "--help"}), "chat MESSAGE=--help");
}

TEST(Parse, SaysWhatIsWrongAndWhatIsNear) {
    for (auto const& [typed, wanted] : std::vector<Case>{
             {{"slto"}, "there is no command 'slto'; did you mean 'hal0 slot'?"},
             {{"frobnicate"}, "there is no command 'frobnicate'; 'hal0 --help' lists them"},
             {{"slot", "lod"}, "there is no command 'slot lod'; did you mean 'hal0 slot load'?"},
             {{"model", "frobnicate"},
              "there is no command 'model frobnicate'; there are: list, show, pull, verify"},
             {{"slot"}, "'hal0 slot' needs to know what to do; see 'hal0 help slot'"},
             {{"slot", "load"}, "'hal0 slot load' needs NAME; see 'hal0 help slot load'"},
             {{"slot", "load", "a", "b"}, "'hal0 slot load' has no use for 'b'; see 'hal0 help slot load'"},
             {{"slot", "list", "--jsno"}, "'hal0 slot list' has no flag '--jsno'; did you mean '--json'?"},
             {{"slot", "list", "-x"}, "'hal0 slot list' has no flag '-x'; see 'hal0 help slot list'"},
             {{"slot", "list", "--json=1"}, "--json takes no value; see 'hal0 help slot list'"},
             {{"slot", "logs", "a", "-n"}, "--lines needs a value (N); see 'hal0 help slot logs'"},
             {{"slot", "logs", "a", "-n", "-3"},
              "--lines is '-3'; it must be a whole number; see 'hal0 help slot logs'"},
             {{"slot", "logs", "a", "-n1", "-n2"}, "--lines is given twice; see 'hal0 help slot logs'"},
             {{"--frob"}, "there is no flag '--frob' without a command; see 'hal0 --help'"},
         })
        EXPECT_EQ(understood(typed), "wrong: " + wanted);
}

}  // namespace
}  // namespace hal0::cli
