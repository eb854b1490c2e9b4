#include "history/slowdown.hpp"

#include <gtest/gtest.h>

namespace hal0::history {
namespace {

std::vector<Speed> speeds(std::size_t count, double tokens_per_s, std::int64_t context = 500) {
    return std::vector(count, Speed{tokens_per_s, context});
}

TEST(Slowdown, IsSeveralRequestsInARowThatAreMuchSlower) {
    auto const usual = speeds(20, 20);
    auto const found = slowdown(speeds(5, 13), usual);
    ASSERT_TRUE(found.has_value());
    EXPECT_EQ(found->now, 13);
    EXPECT_EQ(found->usual, 20);
    EXPECT_EQ(found->usual_context, std::nullopt);
    EXPECT_FALSE(slowdown(speeds(5, 15), usual)) << "a quarter is nothing";
    EXPECT_FALSE(slowdown(speeds(4, 5), usual)) << "too few";
    EXPECT_FALSE(slowdown(speeds(5, 13), speeds(9, 20))) << "too little is known";
}

TEST(Slowdown, OneQuickOneOfTheLastEndsIt) {
    auto recent = speeds(5, 10);
    recent[2].tokens_per_s = 19;
    EXPECT_FALSE(slowdown(recent, speeds(20, 20)));
    recent.insert(recent.end(), 2, {10, 500});
    EXPECT_FALSE(slowdown(recent, speeds(20, 20)));
    recent.push_back({10, 500});
    EXPECT_TRUE(slowdown(recent, speeds(20, 20))) << "the last five count";
}

TEST(Slowdown, LongContextsAreComparedWithLongOnes) {
    auto before = speeds(20, 20);
    auto const were_slow = speeds(12, 8, 30'000);
    before.insert(before.end(), were_slow.begin(), were_slow.end());
    EXPECT_FALSE(slowdown(speeds(5, 8, 40'000), before)) << "they always were";
    EXPECT_TRUE(slowdown(speeds(5, 5, 40'000), before));
}

TEST(Slowdown, ContextsThatGrewAreToldAsThat) {
    auto const found = slowdown(speeds(5, 8, 40'000), speeds(20, 20));
    ASSERT_TRUE(found.has_value());
    EXPECT_EQ(found->usual_context, 500);
    EXPECT_NE(advise("a", *found, {.swapped = 1_GiB}).cause.find("40000 tokens where 500 were usual"),
              std::string::npos);
    EXPECT_FALSE(slowdown(speeds(5, 8, 1'900), speeds(9, 20))) << "not much longer, and too little is known";
}

TEST(Slowdown, TheLikelyCauseComesFirst) {
    Slowdown const found{.now = 10, .usual = 20};
    auto const cause = [&found](Signs const& signs) { return advise("a", found, signs).cause; };
    EXPECT_TRUE(
        cause({.swapped = 1_GiB, .others_too = true}).starts_with("1.0 GiB of its worker are swapped out"));
    EXPECT_TRUE(
        cause({.others_too = true, .loaded_slowly = true}).starts_with("the other slots are slower too"));
    EXPECT_TRUE(cause({.loaded_slowly = true}).starts_with("its last load was slow too"));
    EXPECT_TRUE(cause({.swapped = 1_MiB}).starts_with("memory in small pieces"));
    EXPECT_TRUE(advise("a", found, {}).remedy.starts_with("'hal0 slot restart a' "));
}

TEST(Slowdown, OfALoad) {
    std::vector<double> const before{10, 11, 12};
    EXPECT_EQ(slow_load(20, before), 11);
    EXPECT_EQ(slow_load(16, before), std::nullopt);
    EXPECT_EQ(slow_load(20, std::vector<double>{10, 11}), std::nullopt);
    EXPECT_EQ(slow_load(1.5, std::vector<double>{0.2, 0.2, 0.2}), std::nullopt) << "a second is nothing";
}

}  // namespace
}  // namespace hal0::history
