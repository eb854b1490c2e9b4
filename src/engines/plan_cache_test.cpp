#include "engines/plan_cache.hpp"

#include <gtest/gtest.h>

#include "base/format.hpp"
#include "os/file.hpp"
#include "os/test_dir.hpp"

namespace hal0::engines {
namespace {

Plan plan_of(std::int64_t context) {
    return {.context = {context},
            .context_per_sequence = {context},
            .buffers = {
                {.device = "Host", .buffer = "CPU", .model = {7}, .context = {context * 3}, .compute = {1}}}};
}

class Cache : public testing::Test {
  protected:
    os::TestDir dir{};
    PlanCache cache{dir / "plans"};
    std::string const settings = settings_line({});

    std::string only_file() {
        auto const names = os::list_directory(dir / "plans").value();
        EXPECT_EQ(names.size(), 1U);
        return dir / ("plans/" + names.front());
    }
};

TEST_F(Cache, FindsWhatWasAddedForTheSameModelEngineSettingsAndContexts) {
    ASSERT_TRUE(cache.add("m", settings, {{1024}, {2048}}, {plan_of(1024), plan_of(2048)}));
    ASSERT_TRUE(cache.add("m", settings, {{512}}, {plan_of(512)}));
    EXPECT_EQ(cache.find("m", settings, {{2048}, {512}}), (std::vector{plan_of(2048), plan_of(512)}));
    EXPECT_FALSE(cache.find("m", settings, {{2048}, {4096}})) << "one of them is not known";
    EXPECT_FALSE(cache.find("m", settings, {{204}})) << "the beginning of another";
    EXPECT_FALSE(cache.find("m", settings_line({.parallel = 2}), {{512}}));
    EXPECT_FALSE(cache.find("other", settings, {{512}}));
}

TEST_F(Cache, WhatIsDamagedIsNotThereAndIsWrittenAnew) {
    ASSERT_TRUE(cache.add("m", settings, {{512}}, {plan_of(512)}));
    auto const path = only_file();
    auto const whole = os::read_file(path, 1_MiB).value();
    for (auto const& damaged : {std::string{}, std::string{"\0\1", 2}, whole.substr(0, whole.size() - 20),
                                "plans 2 m\n" + whole.substr(whole.find('\n') + 1)}) {
        ASSERT_TRUE(os::atomic_write(path, damaged));
        EXPECT_FALSE(cache.find("m", settings, {{512}})) << damaged;
        ASSERT_TRUE(cache.add("m", settings, {{512}}, {plan_of(512)}));
        EXPECT_TRUE(cache.find("m", settings, {{512}})) << damaged;
    }
}

TEST_F(Cache, ItsSizeIsBounded) {
    auto const first = static_cast<std::int64_t>(PlanCache::plans_per_file_max);
    for (std::int64_t context = 1; context <= first + 1; ++context)
        ASSERT_TRUE(cache.add("m", settings, {{context}}, {plan_of(context)}));
    EXPECT_FALSE(cache.find("m", settings, {{1}})) << "the oldest";
    EXPECT_TRUE(cache.find("m", settings, {{2}}));
    EXPECT_TRUE(cache.find("m", settings, {{first + 1}}));
    for (std::size_t i = 0; i < PlanCache::files_max; ++i)
        ASSERT_TRUE(cache.add(format("m{}", i), settings, {{512}}, {plan_of(512)}));
    EXPECT_EQ(os::list_directory(dir / "plans")->size(), PlanCache::files_max);
    EXPECT_FALSE(cache.find("m", settings, {{2}})) << "the oldest file";
    EXPECT_TRUE(cache.find("m0", settings, {{512}}));
}

}  // namespace
}  // namespace hal0::engines
