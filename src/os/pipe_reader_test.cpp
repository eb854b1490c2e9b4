#include "os/pipe_reader.hpp"

#include <gtest/gtest.h>
#include <signal.h>

#include <string>

#include "os/child.hpp"

namespace hal0::os {
namespace {

// Runs a script to its end, its output read by the loop, then what it left in the pipe.
std::string output_of(std::string const& script) {
    auto loop = Loop::make().value();
    std::string text;
    auto pipe = PipeReader::make(*loop, [&](std::string_view bytes) { text += bytes; }).value();
    std::unique_ptr<Process> child;
    Command const command{.argv = {"/bin/sh", "-c", script}, .out = pipe->writer(), .session = Session::Own};
    child = Process::spawn(*loop, command, [&](ExitStatus) {
                pipe->drain();
                (void)child->signal_group(SIGKILL);
                loop->stop();
            }).value();
    pipe->close_writer();
    loop->run();
    return text;
}

TEST(PipeReader, GivesAllThatAChildWrote) {
    EXPECT_EQ(output_of("echo one; echo two"), "one\ntwo\n");
    EXPECT_EQ(output_of("i=0; while [ $i -lt 3000 ]; do echo 0123456789012345678901234567890123456789; "
                        "i=$((i+1)); done")
                  .size(),
              3000u * 41);
}

TEST(PipeReader, DoesNotWaitForAGrandchildThatHoldsThePipe) {
    EXPECT_EQ(output_of("sleep 1000 & echo up"), "up\n");
}

// A stream that has ended is not told turn after turn.
TEST(PipeReader, EndsWithTheStream) {
    auto loop = Loop::make().value();
    auto pipe = PipeReader::make(*loop, [](std::string_view) { FAIL() << "nothing was written"; }).value();
    pipe->close_writer();
    loop->run_once(std::chrono::seconds{10});
    auto const start = Clock::now();
    loop->run_once(std::chrono::milliseconds{20});
    EXPECT_GE(Clock::now() - start, std::chrono::milliseconds{20});
    pipe->drain();
}

}  // namespace
}  // namespace hal0::os
