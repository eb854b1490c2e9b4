#include "base/text.hpp"

#include <gtest/gtest.h>

#include "base/result.hpp"
#include "base/secret.hpp"

namespace hal0 {
namespace {

TEST(Text, TrimTakesBlanksAtBothEndsOnly) {
    EXPECT_EQ(trim(" \t a b\r\n"), "a b");
    EXPECT_EQ(trim("  "), "");
}

TEST(Text, SplitKeepsEmptyParts) {
    EXPECT_EQ(split("a,,b", ','), (std::vector<std::string_view>{"a", "", "b"}));
    EXPECT_TRUE(split("", ',').empty());
}

TEST(Text, ToIntTakesTheWholeTextOrNothing) {
    EXPECT_EQ(to_int("42"), 42);
    EXPECT_EQ(to_int("-7"), -7);
    EXPECT_FALSE(to_int("42x"));
    EXPECT_FALSE(to_int(""));
    EXPECT_FALSE(to_int(" 1"));
    EXPECT_FALSE(to_int("9223372036854775808"));
}

TEST(Text, HumanBytes) {
    EXPECT_EQ(human(Bytes{17}), "17 B");
    EXPECT_EQ(human(Bytes{1536}), "1.5 KiB");
    EXPECT_EQ(human(92_MiB), "92.0 MiB");
    EXPECT_EQ(human(700_GiB), "700 GiB");
}

TEST(Text, NearestSuggestsOnlyWhatIsNear) {
    std::vector<std::string> const names{"primary", "embed"};
    EXPECT_EQ(nearest("primry", names), "primary");
    EXPECT_EQ(nearest("Embed", names), "embed");
    EXPECT_EQ(nearest("slto", {"stop", "slot"}), "slot");  // two letters swapped are one slip
    EXPECT_FALSE(nearest("gpt-4o", names));
}

TEST(Text, NothingIsNearALongText) {
    auto const longest = std::string(nearest_bytes_max, 'a');
    EXPECT_EQ(nearest(longest, {longest + "b"}), longest + "b");
    EXPECT_FALSE(nearest(longest + "a", {longest + "b"}));
}

TEST(Text, ClippedKeepsWholeCharacters) {
    EXPECT_EQ(clipped("primary"), "primary");
    auto const most = std::string(clipped_bytes_max, 'a');
    EXPECT_EQ(clipped(most), most);
    EXPECT_EQ(clipped(most + "a"), most + "…");
    auto const before = std::string(clipped_bytes_max - 1, 'a');
    EXPECT_EQ(clipped(before + "€"), before + "…");
    EXPECT_EQ(clipped(std::string(1000, '\x80')).size(), clipped_bytes_max - 3 + std::string{"…"}.size());
}

TEST(Text, Utf8IsWellFormedOrNot) {
    EXPECT_TRUE(valid_utf8("é€😀"));
    EXPECT_FALSE(valid_utf8("\xC0\xAF"));          // overlong
    EXPECT_FALSE(valid_utf8("\xED\xA0\x80"));      // surrogate
    EXPECT_FALSE(valid_utf8("\xF4\x90\x80\x80"));  // past U+10FFFF
    EXPECT_FALSE(valid_utf8("\xE2\x82"));          // cut
}

TEST(Secret, MatchesOnlyItself) {
    Secret const key{"abc"};
    EXPECT_TRUE(key.matches("abc"));
    EXPECT_FALSE(key.matches("abd"));
    EXPECT_FALSE(key.matches("abcd"));
    EXPECT_FALSE(Secret{}.matches(""));
}

Result<int> half(int n) {
    if (n % 2 != 0) return Error{Errc::Invalid, "odd"};
    return n / 2;
}

Result<int> quarter(int n) {
    HAL0_TRY(h, half(n));
    return half(h);
}

TEST(Result, TryPassesTheErrorUp) {
    EXPECT_EQ(quarter(8).value(), 2);
    EXPECT_EQ(quarter(6).error(), (Error{Errc::Invalid, "odd"}));
}

}  // namespace
}  // namespace hal0
