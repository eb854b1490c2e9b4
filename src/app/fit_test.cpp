#include "app/fit.hpp"

#include <gtest/gtest.h>

#include "os/test_dir.hpp"

namespace hal0::app {
namespace {

class FitTest : public testing::Test {
  protected:
    // A box of 32 GiB without a GPU, 8 of them free; a slot holds 20.
    static Box crowded() {
        Box box{.pools = {{.id = "system",
                           .devices = {"host"},
                           .parts = {{.device = "host", .total = 32_GiB, .used = 24_GiB, .free = 8_GiB}}}}};
        box.holders.all = {
            {.kind = memory::Holder::Kind::Slot, .name = "coder", .processes = 1, .anonymous = 20_GiB}};
        return box;
    }
    // Of a model of 2.3 GiB whose context takes 144 KiB a token.
    wire::FitView answer(std::int64_t context, Box const& box) {
        wire::FitQuestion const question{
            .model = "Qwen3-4B-Instruct-2507-Q4_K_M", .context = context, .device = "cpu"};
        auto const fit = Fit::open(question, places, library, box.report);
        return fit.value()->answer(question, box).value();
    }

    os::TestDir dir{};
    os::Places places{.config = dir / "config",
                      .data = dir / "data",
                      .state = dir / "state",
                      .runtime = dir / "run",
                      .cache = dir / "cache"};
    Library library{places, {dir / "models"}};
};

TEST_F(FitTest, TheLargestContextIsForTheSituationOfTheVerdict) {
    auto const box = crowded();
    auto const small = answer(4096, box);
    EXPECT_EQ(small.fit.verdict, "fits");
    ASSERT_TRUE(small.context_that_fits);
    EXPECT_LT(*small.context_that_fits, (8_GiB).count / (144_KiB).count) << "beside the coder";
    EXPECT_EQ(small.context_beside_all, std::nullopt);

    auto const large = answer(65536, box);
    EXPECT_EQ(large.fit.evict, std::vector<std::string>{"coder"});
    EXPECT_EQ(large.context_beside_all, small.context_that_fits);
    ASSERT_TRUE(large.context_that_fits);
    EXPECT_GE(*large.context_that_fits, 65536) << "with the coder gone";

    auto const all = answer(262144, box);  // too many whoever goes
    EXPECT_EQ(all.fit.verdict, "never");
    EXPECT_EQ(all.context_that_fits, small.context_that_fits);
}

}  // namespace
}  // namespace hal0::app
