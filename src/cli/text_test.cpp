#include "cli/text.hpp"

#include <gtest/gtest.h>

#include "base/time.hpp"
#include "cli/fake_terminal.hpp"
#include "cli/progress.hpp"
#include "cli/views.hpp"

namespace hal0::cli {
namespace {

using namespace std::chrono_literals;

WallTime const now = from_rfc3339("2025-01-31T10:00:00Z").value();

TEST(Text, CountsCutsAndWrapsByCodePoints) {
    EXPECT_EQ(columns_of("é€😀"), 3U);
    EXPECT_EQ(cut("größer", 4), "grö…");
    EXPECT_EQ(cut("größer", 6), "größer");
    EXPECT_EQ(cut("ab cdef", 4), "ab…");
    EXPECT_EQ(padded("ö", 3), "ö  ");
    EXPECT_EQ(wrapped("ab cd efghij k", 5), (std::vector<std::string>{"ab cd", "efghij", "k"}));
}

TEST(Text, WhatStrangersWroteCannotCommandTheTerminal) {
    EXPECT_EQ(printable("a\033[2Jb\r\x07"
                        "c\xC2\x9B"
                        "d\té\n"),
              "a[2Jbcd\té\n");
}

TEST(Text, AgesAndSpansAreForPeople) {
    EXPECT_EQ(ago(now - 1s, now), "now");
    EXPECT_EQ(ago(now - 59s, now), "59 s ago");
    EXPECT_EQ(ago(now - 3min, now), "3 min ago");
    EXPECT_EQ(ago(now - 47h, now), "47 h ago");
    EXPECT_EQ(ago(now - 72h, now), "3 days ago");
    EXPECT_EQ(lasting(185), "3 min 5 s");
    EXPECT_EQ(lasting(3600 + 600), "1 h 10 min");
    EXPECT_EQ(lasting(86400), "1 day");
}

TEST(Text, ColoursOnlyWhereTheyAreSeen) {
    FakeTerminal terminal;
    terminal.tty = true;
    EXPECT_EQ(painted(terminal, Stream::Out, "x", Style::Good), "x");  // NO_COLOR
    terminal.colour = true;
    EXPECT_EQ(painted(terminal, Stream::Out, "x", Style::Good), "\033[32mx\033[0m");
    terminal.tty = false;
    EXPECT_EQ(painted(terminal, Stream::Out, "x", Style::Good), "x");
}

wire::SlotView slot(std::string name, std::string state, std::string cause) {
    wire::SlotView view;
    view.name = std::move(name);
    view.state = std::move(state);
    view.cause = std::move(cause);
    view.model = "größe-1b";
    view.backend = "cpu";
    view.since = "2025-01-31T09:57:00Z";
    return view;
}

TEST(Views, SlotsAreAnAlignedTable) {
    auto ready = slot("primary", "ready", "loaded in 0.8 s");
    ready.memory = 300 << 20;
    ready.context = 4096;
    ready.in_flight = 2;
    ready.waiting = 1;
    auto const table = slots_table({ready, slot("embed", "error", "exited with code 1: out of memory")}, now);
    FakeTerminal terminal;
    EXPECT_EQ(table.render(terminal),
              "NAME     STATE  SINCE      MODEL     ON   CONTEXT   MEMORY  BUSY  WHY\n"
              "primary  ready  3 min ago  größe-1b  cpu     4096  300 MiB  2 +1  loaded in 0.8 s\n"
              "embed    error  3 min ago  größe-1b  cpu        -        -     0  exited with code 1: out of "
              "memory\n");
    // A terminal wraps nothing: what is last is cut.
    terminal.tty = true;
    terminal.columns = 84;
    EXPECT_NE(table.render(terminal).find("exited with code…\n"), std::string::npos)
        << table.render(terminal);
}

TEST(Views, AModelsFaultStandsWhereItIsLookedFor) {
    wire::ModelView model;
    model.id = "m";
    model.state = "damaged";
    model.fault = "m.gguf is missing";
    FakeTerminal terminal;
    EXPECT_NE(models_table({model}).render(terminal).find("m.gguf is missing"), std::string::npos);
    EXPECT_NE(details(terminal, model).find("state  damaged: m.gguf is missing"), std::string::npos)
        << details(terminal, model);
}

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
