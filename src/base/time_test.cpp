#include "base/time.hpp"

#include <gtest/gtest.h>

namespace hal0 {
namespace {

TEST(Time, IsWrittenAndRead) {
    using std::chrono::milliseconds;
    using std::chrono::seconds;
    WallTime const time{seconds{1'738'315'800} + milliseconds{999}};
    EXPECT_EQ(rfc3339(time), "2025-01-31T09:30:00Z");
    EXPECT_EQ(from_rfc3339("2025-01-31T09:30:00Z"), WallTime{seconds{1'738'315'800}});
    EXPECT_EQ(rfc3339(*from_rfc3339("2024-02-29T23:59:59Z")), "2024-02-29T23:59:59Z");
    for (auto const* bad : {"", "2025-01-31", "2025-01-31T09:30:00", "2025-02-30T00:00:00Z",
                            "2025-01-31T24:00:00Z", "2025-01-31T09:30:00.5Z", "2o25-01-31T09:30:00Z"})
        EXPECT_FALSE(from_rfc3339(bad)) << bad;
}

}  // namespace
}  // namespace hal0
