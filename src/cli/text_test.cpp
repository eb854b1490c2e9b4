#include "cli/text.hpp"

#include <gtest/gtest.h>

#include "base/time.hpp"
#include "cli/fake_terminal.hpp"

namespace hal0::cli {
namespace {

using namespace std::chrono_literals;

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
    auto const now = from_rfc3339("2025-01-31T10:00:00Z").value();
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

// A terminal wraps nothing: what gives way first is cut, then what is last; for a pipe nothing is.
TEST(Table, CutsWhatDoesntFit) {
    Table table{{{"NAME"}, {"MODEL", Align::Left, Cut::First}, {"BUSY", Align::Right}, {"KEY"}}};
    table.row({{"a"}, {"größe-1b-instruct"}, {"1"}, {"0123456789"}});
    FakeTerminal terminal;
    EXPECT_EQ(table.render(terminal),
              "NAME  MODEL              BUSY  KEY\n"
              "a     größe-1b-instruct     1  0123456789\n");
    terminal.tty = true;
    terminal.columns = 36;
    EXPECT_EQ(table.render(terminal),
              "NAME  MODEL         BUSY  KEY\n"
              "a     größe-1b-in…     1  0123456789\n");
    terminal.columns = 28;
    EXPECT_EQ(table.render(terminal),
              "NAME  MODEL     BUSY  KEY\n"
              "a     größe-1…     1  01234…\n");
}

}  // namespace
}  // namespace hal0::cli
