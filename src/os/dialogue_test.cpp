#include "os/dialogue.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <csignal>

#include "os/test_dir.hpp"

namespace hal0::os {
namespace {

using namespace std::chrono_literals;

std::unique_ptr<Dialogue> with(std::string const& script) {
    auto dialogue = Dialogue::start({.argv = {"/bin/sh", "-c", script}});
    EXPECT_TRUE(dialogue) << dialogue.error().message;
    return std::move(dialogue).value();
}

TEST(Dialogue, LinesGoBothWaysAsOftenAsWanted) {
    auto const dialogue = with("while read -r line; do echo \"you said $line\"; echo and no more; done");
    for (auto const* line : {"one", "two"}) {
        ASSERT_TRUE(dialogue->say(line));
        EXPECT_EQ(dialogue->hear(10s).value(), std::string{"you said "} + line);
        EXPECT_EQ(dialogue->hear(10s).value(), "and no more");
    }
}

TEST(Dialogue, HowItEndedIsToldAfterWhatItSaidLast) {
    auto const dialogue = with("printf 'last\\nhalf'; kill -9 $$");
    EXPECT_EQ(dialogue->hear(10s).value(), "last");
    auto const ended = dialogue->hear(10s);
    ASSERT_FALSE(ended);
    EXPECT_EQ(ended.error().kind, Errc::Unavailable);
    EXPECT_EQ(ended.error().message, "sh killed by SIGKILL (9)");
    EXPECT_EQ(dialogue->say("more").error().kind, Errc::Unavailable);
}

// Its output's end is not its own end, and a grandchild may keep the output open beyond it.
TEST(Dialogue, ItsEndIsSeenBehindAGrandchildThatHoldsItsOutput) {
    TestDir const dir;
    auto const fifo = dir / "fifo";
    auto const dialogue = with("mkfifo " + fifo + "; cat " + fifo + " & exit 3");
    EXPECT_EQ(dialogue->hear(10s).error().message, "sh exited with code 3");
    EXPECT_TRUE(run_to_end({.argv = {"/bin/sh", "-c", "echo > " + fifo}})->status.clean());  // cat ends
}

TEST(Dialogue, OneThatSaysNothingIsNotWaitedForForEver) {
    auto const dialogue = with("read -r line; read -r line");
    auto const silent = dialogue->hear(50ms);
    ASSERT_FALSE(silent);
    EXPECT_EQ(silent.error().kind, Errc::Timeout);
}

TEST(Dialogue, ALineHasALimit) {
    auto const dialogue = with("exec cat /dev/zero");
    EXPECT_EQ(dialogue->hear(10s).error().kind, Errc::TooLarge);
}

TEST(Dialogue, ItsProgramDoesNotOutliveIt) {
    auto dialogue = with("trap '' TERM HUP; echo $$; while read -r line; do :; done");
    auto const pid = static_cast<pid_t>(std::stoi(dialogue->hear(10s).value()));
    EXPECT_EQ(::kill(pid, 0), 0);
    dialogue.reset();
    EXPECT_NE(::kill(pid, 0), 0);
}

TEST(Dialogue, AProgramThatIsNotThereIsAnErrorAtOnce) {
    EXPECT_EQ(Dialogue::start({.argv = {"/nowhere/program"}}).error().kind, Errc::NotFound);
}

}  // namespace
}  // namespace hal0::os
