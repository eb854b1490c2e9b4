#include "os/console.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <array>
#include <csignal>

#include "os/unique_fd.hpp"

namespace hal0::os {
namespace {

struct Pipe {
    Pipe() {
        std::array<int, 2> ends{};
        EXPECT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0);
        in.reset(ends[0]);
        out.reset(ends[1]);
    }
    UniqueFd in{}, out{};
};

Typed line(std::string text) { return {Typed::Kind::Line, std::move(text)}; }

TEST(Console, ReadsLinesAsTheyComeAndTheLastWithoutItsNewline) {
    Pipe pipe;
    LineInput input{pipe.in.get()};
    ASSERT_TRUE(write_all(pipe.out.get(), "one\n\ntw").ok());
    EXPECT_EQ(input.next().value(), line("one"));
    EXPECT_EQ(input.next().value(), line(""));
    ASSERT_TRUE(write_all(pipe.out.get(), "o\nend").ok());
    pipe.out.reset();
    EXPECT_EQ(input.next().value(), line("two"));
    EXPECT_EQ(input.next().value(), line("end"));
    EXPECT_EQ(input.next().value().kind, Typed::Kind::End);
}

TEST(Console, CtrlCGivesUpTheLineNotTheProgram) {
    sigset_t interrupt;
    sigset_t before;
    sigemptyset(&interrupt);
    sigaddset(&interrupt, SIGINT);
    ::pthread_sigmask(SIG_BLOCK, &interrupt, &before);  // it shall wait for next()
    Pipe pipe;
    LineInput input{pipe.in.get()};
    ASSERT_EQ(::raise(SIGINT), 0);
    EXPECT_EQ(input.next().value().kind, Typed::Kind::Interrupted);
    ASSERT_TRUE(write_all(pipe.out.get(), "again\n").ok());
    EXPECT_EQ(input.next().value(), line("again"));
    ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

TEST(Console, ReadsToTheEndWithinALimit) {
    Pipe pipe;
    ASSERT_TRUE(write_all(pipe.out.get(), "12345").ok());
    EXPECT_EQ(read_to_end(pipe.in.get(), Bytes{4}).error().kind, Errc::TooLarge);
    ASSERT_TRUE(write_all(pipe.out.get(), "67").ok());
    pipe.out.reset();
    EXPECT_EQ(read_to_end(pipe.in.get(), Bytes{2}).value(), "67");
}

TEST(Console, AProgramWhoseReaderIsGoneEndsAsBySigpipe) {
    auto const write_to_nobody = [] {
        Pipe pipe;
        auto const loop = Loop::make().value();
        ReaderWatch const watch{*loop, pipe.out.get()};
        loop->run_once(Duration::zero());  // it is read
        pipe.in.reset();
        loop->run();
    };
    EXPECT_EXIT(write_to_nobody(), testing::KilledBySignal(SIGPIPE), "");
}

TEST(Console, TellsATerminalFromAPipe) {
    Pipe pipe;
    EXPECT_FALSE(is_terminal(pipe.in.get()));
    EXPECT_EQ(terminal_columns(pipe.in.get()), 0);
    UniqueFd const terminal{::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC)};
    ASSERT_TRUE(terminal.open());
    winsize const size{.ws_row = 30, .ws_col = 90, .ws_xpixel = 0, .ws_ypixel = 0};
    ASSERT_EQ(::ioctl(terminal.get(), TIOCSWINSZ, &size), 0);
    EXPECT_TRUE(is_terminal(terminal.get()));
    EXPECT_EQ(terminal_columns(terminal.get()), 90);
}

}  // namespace
}  // namespace hal0::os
