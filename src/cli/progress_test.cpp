#include "cli/progress.hpp"

#include <gtest/gtest.h>

#include "cli/fake_terminal.hpp"
#include "cli/text.hpp"

namespace hal0::cli {
namespace {

using namespace std::chrono_literals;

TEST(Progress, FitsTheLineAndTellsWhatIsLeft) {
    Progress const half{"downloading a-very-long-name-of-a-package 1.2.3", 50 << 20, 100 << 20,
                        Progress::Unit::Bytes};
    EXPECT_EQ(progress_text(half, 10.0 * (1 << 20), 100),
              "downloading a-very-long-name…  ━━━━━━━━━━──────────   50%  50.0 MiB of 100 MiB  10.0 MiB/s  5 "
              "s left");
    EXPECT_LE(columns_of(progress_text(half, 1.0, 50)), 50U);
    EXPECT_EQ(progress_text({"linking"}, std::nullopt, 80), "linking");
    EXPECT_EQ(progress_text({"compiling", 3, 12, Progress::Unit::Steps}, std::nullopt, 80),
              "compiling  ━━━━━───────────────   25%  3 of 12");
}

TEST(Progress, TheRateIsOfTheStepThatRuns) {
    Rate rate;
    TimePoint const start{};
    rate.add({"one", 1000, 0, Progress::Unit::Bytes}, start);
    EXPECT_FALSE(rate.per_second());
    rate.add({"one", 3000, 0, Progress::Unit::Bytes}, start + 2s);
    EXPECT_EQ(rate.per_second(), 1000.0);
    rate.add({"two", 10, 0, Progress::Unit::Bytes}, start + 3s);
    EXPECT_FALSE(rate.per_second());
}

TEST(Progress, OneLineOnATerminalPlainLinesNowAndThenElsewhere) {
    FakeTerminal terminal;
    TimePoint const start{};
    {
        ProgressLine line{terminal};
        line.notes({"the first source did not answer"});
        line.show({"downloading", 1 << 20, 0, Progress::Unit::Bytes}, start);
        line.show({"downloading", 2 << 20, 0, Progress::Unit::Bytes}, start + 1s);
        line.show({"downloading", 3 << 20, 0, Progress::Unit::Bytes}, start + 5s);
        line.notes({"the first source did not answer", "nor did the second"});
        line.show({"unpacking"}, start + 6s);
    }
    EXPECT_EQ(terminal.complained,
              "the first source did not answer\ndownloading: 1.0 MiB\ndownloading: 3.0 MiB\n"
              "nor did the second\nunpacking\n");
    FakeTerminal seen;
    seen.tty = true;
    {
        ProgressLine{seen}.show({"unpacking"}, start);
    }
    EXPECT_EQ(seen.complained, "\r\033[Kunpacking\r\033[K");
}

}  // namespace
}  // namespace hal0::cli
