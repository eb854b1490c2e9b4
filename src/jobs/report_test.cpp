#include "jobs/report.hpp"

#include <gtest/gtest.h>

namespace hal0::jobs {
namespace {

TEST(Report, LinesComeBackAsTheyWereWritten) {
    Line const lines[] = {Progress{"building \"x\"", 3, 10, Unit::Steps}, Progress{"downloading", 1, 0},
                          Note{"a\nb"}, Outcome{"installed"},
                          Error{Errc::Corrupt, "another hash", {{"file", "x"}}}};
    for (auto const& line : lines) {
        auto const text = encode(line);
        EXPECT_EQ(text.find('\n'), std::string::npos);
        EXPECT_EQ(decode_line(text).value(), line) << text;
    }
    EXPECT_EQ(encode(lines[0]), R"({"step":"building \"x\"","done":3,"total":10,"unit":"steps"})");
}

TEST(Report, WhatIsNoLineIsRefused) {
    for (auto const* bad : {"", "Collecting pip", "[]", "{}", R"({"note":1})", R"({"step":"x"})"})
        EXPECT_FALSE(decode_line(bad).ok()) << bad;
}

TEST(Report, ProgressIsThinnedOutButNoStepAndNoEndIsLost) {
    std::string out;
    TimePoint now{};
    JobReport report{[&](std::string_view line) { out += line; }, [&] { return now; }};
    auto const lines = [&] { return std::exchange(out, {}); };
    report.progress({"a", 1, 10});
    EXPECT_EQ(lines(), encode(Progress{"a", 1, 10}) + "\n");
    report.progress({"a", 2, 10});
    EXPECT_EQ(lines(), "");
    report.progress({"a", 10, 10});
    EXPECT_NE(lines(), "");
    report.progress({"b", 0, 10});
    EXPECT_NE(lines(), "");
    now += JobReport::progress_every;
    report.progress({"b", 1, 10});
    EXPECT_NE(lines(), "");
    report.end(Error{Errc::NoSpace, "full"});
    EXPECT_EQ(lines(), R"({"error":{"code":"no_space","message":"full","details":{}}})"
                       "\n");
    report.end(std::string{"done"});
    EXPECT_EQ(lines(), R"({"result":{"message":"done"}})"
                       "\n");
}

}  // namespace
}  // namespace hal0::jobs
