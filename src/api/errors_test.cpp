#include "api/errors.hpp"

#include <gtest/gtest.h>

namespace hal0::api {
namespace {

std::string retry_after(Error const& error) {
    for (auto const& [name, value] : error_response("/v1/models", error).headers) {
        if (name == "retry-after") return value;
    }
    return "";
}

TEST(Errors, SayWhenToTryAgainWhereThatIsKnown) {
    Error const down{Errc::Unavailable, "slot 'primary' is down"};
    EXPECT_EQ(retry_after(down), "");
    EXPECT_EQ(retry_after(Error{down}.with("retry_after_s", "17")), "17");
    EXPECT_EQ(retry_after({Errc::Busy, "full"}), "5");
    EXPECT_EQ(retry_after({Errc::NotFound, "none"}), "");
}

}  // namespace
}  // namespace hal0::api
