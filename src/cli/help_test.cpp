#include "cli/help.hpp"

#include <gtest/gtest.h>

#include "base/text.hpp"
#include "cli/commands.hpp"
#include "cli/completion.hpp"
#include "cli/text.hpp"
#include "os/child.hpp"
#include "os/test_dir.hpp"

namespace hal0::cli {
namespace {

CommandTable const& table() {
    static auto const made = make_commands({});
    return made;
}

// Tests run in the root of the repository.
std::string golden(std::string const& name) {
    auto text = os::read_file("tests/cases/cli/" + name, 1_MiB);
    return text ? *text : text.error().message;
}

TEST(Help, IsAsInTheCases) {
    EXPECT_EQ(help_of_all(table()), golden("help.txt"));
    EXPECT_EQ(help_of(table(), "slot").value_or(""), golden("help-slot.txt"));
    EXPECT_EQ(help_of(table(), "slot create").value_or(""), golden("help-slot-create.txt"));
    EXPECT_EQ(help_of(table(), "chat").value_or(""), golden("help-chat.txt"));
    EXPECT_EQ(help_of(table(), "serve").value_or(""), golden("help-serve.txt"));
    EXPECT_FALSE(help_of(table(), "frobnicate"));
}

TEST(Help, FitsEightyColumns) {
    std::string all = help_of_all(table());
    for (auto const* command : table().all())
        all += help_of(table(), command->path).value();
    for (auto const line : split(all, '\n'))
        EXPECT_LE(columns_of(line), 80U) << line;
}

TEST(Help, HasAnExampleOfEachCommand) {
    for (auto const& group : table().groups()) {
        for (auto const& command : group.commands) {
            EXPECT_TRUE(command.shown == Shown::Hidden || !command.examples.empty()) << command.path;
        }
    }
}

TEST(Help, HidesWhatPeopleDoNotType) {
    EXPECT_EQ(help_of_all(table()).find("slot exec"), std::string::npos);
    EXPECT_TRUE(help_of(table(), "slot exec"));
}

// ---- completion

std::string shell_says(std::vector<std::string> argv, std::string const& script, int code = 0) {
    os::TestDir dir;
    argv.push_back(dir / "script");
    EXPECT_TRUE(os::atomic_write(argv.back(), script).ok());
    auto const ran = os::run_to_end({.argv = std::move(argv)});
    if (!ran) return ran.error().message;
    EXPECT_EQ(ran->status.code, code) << ran->output;
    return ran->output;
}

TEST(Completion, ScriptsAreWellFormed) {
    EXPECT_EQ(shell_says({"bash", "-n"}, completion_script(table(), Shell::Bash)), "");
    for (auto const& [name, shell] : {std::pair{"zsh", Shell::Zsh}, std::pair{"fish", Shell::Fish}}) {
        if (!os::exists(std::string{"/usr/bin/"} + name)) continue;
        EXPECT_EQ(shell_says({name, "-n"}, completion_script(table(), shell)), "");
    }
}

// What Tab offers after `words`, the last of them being typed; hal0 is played by a function.
std::string offered(std::string const& words) {
    return shell_says(
        {"bash"}, completion_script(table(), Shell::Bash) +
                      "hal0() { echo \"$1-a\"; echo \"$1-b\"; }\n"
                      "COMP_WORDS=(hal0 " +
                      words + ")\nCOMP_CWORD=$((${#COMP_WORDS[@]} - 1))\n_hal0\necho \"${COMPREPLY[*]}\"\n");
}

TEST(Completion, OffersWhatFits) {
    EXPECT_EQ(offered("st"), "stop status\n");
    EXPECT_EQ(offered("slot l"), "list logs load\n");
    EXPECT_EQ(offered("slot load ''"), "--json --no-wait --help slot-a slot-b\n");
    EXPECT_EQ(offered("slot swap primary model"), "model-a model-b\n");
    EXPECT_EQ(offered("chat --slot ''"), "slot-a slot-b\n");
    EXPECT_EQ(offered("slot logs --fo"), "--follow\n");
    EXPECT_EQ(offered("completion z"), "zsh\n");
    EXPECT_EQ(offered("slot exe"), "\n");  // hidden
}

}  // namespace
}  // namespace hal0::cli
