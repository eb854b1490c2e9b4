#include "hardware/access.hpp"

#include <gtest/gtest.h>

namespace hal0::hardware {
namespace {

NodeAnswer node_of(std::string mode, std::int64_t user, std::int64_t group) {
    return {.verdict = "EACCES", .mode = std::move(mode), .owner_user = user, .owner_group = group};
}
std::vector<std::string> const in_render{"1000", "104"};
std::vector<std::string> const in_none{"1000"};
PlatformReport const bare{};
PlatformReport const unprivileged{.privileged = false};

TEST(Access, OfAUserIsByTheFirstOfOwnerGroupAndOthers) {
    auto const node = node_of("0660", 0, 104);
    EXPECT_TRUE(mode_lets_in(node, {1000, in_render}, bare));
    EXPECT_FALSE(mode_lets_in(node, {1000, in_none}, bare));
    EXPECT_TRUE(mode_lets_in(node_of("0666", 0, 104), {1000, in_none}, bare));
    EXPECT_FALSE(mode_lets_in(node_of("0606", 0, 104), {1000, in_render}, bare)) << "its group comes first";
    EXPECT_TRUE(mode_lets_in(node_of("0600", 1000, 0), {1000, in_none}, bare));
    EXPECT_FALSE(mode_lets_in({.verdict = "EACCES"}, {1000, in_render}, bare));
}

TEST(Access, OfRootIsWhateverTheModeIsWhereTheOwnersAreItsOwn) {
    std::vector<std::string> const of_root{"0"};
    auto const node = node_of("0000", 0, 104);
    EXPECT_TRUE(mode_lets_in(node, {0, of_root}, bare));
    EXPECT_TRUE(mode_lets_in({.verdict = "EACCES"}, {0, of_root}, bare));
    EXPECT_TRUE(mode_lets_in(node, {0, of_root}, unprivileged));
    EXPECT_FALSE(mode_lets_in(node_of("0660", nobody, 104), {0, of_root}, unprivileged));
    EXPECT_FALSE(mode_lets_in({.verdict = "EACCES", .owner_group = 104}, {0, of_root}, unprivileged))
        << "not known";
}

}  // namespace
}  // namespace hal0::hardware
