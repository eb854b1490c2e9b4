#include "os/descriptor_limit.hpp"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <algorithm>

namespace hal0::os {
namespace {

TEST(DescriptorLimit, IsRaisedAsFarAsItMay) {
    rlimit before{};
    ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
    rlimit const low{.rlim_cur = 200, .rlim_max = before.rlim_max};
    ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &low), 0);
    auto const told = raise_descriptor_limit();
    rlimit after{};
    ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &after), 0);
    EXPECT_EQ(after.rlim_cur, std::min<rlim_t>(before.rlim_max, descriptors_max));
    EXPECT_EQ(told, after.rlim_cur);
    EXPECT_EQ(after.rlim_max, before.rlim_max);
    EXPECT_EQ(raise_descriptor_limit(), told);
    ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
}

}  // namespace
}  // namespace hal0::os
