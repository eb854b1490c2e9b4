#include "app/supply_watch.hpp"

#include <gtest/gtest.h>

#include "os/file.hpp"
#include "os/test_dir.hpp"

namespace hal0::app {
namespace {

using namespace std::chrono_literals;

class SupplyWatchTest : public testing::Test {
  protected:
    void until(int wanted) {
        while (told < wanted)
            loop->run_once(10s);
    }

    os::TestDir dir{};
    std::unique_ptr<os::Loop> loop{os::Loop::make().value()};
    int told{0};
    SupplyWatch watch{*loop, {dir / "models", dir / "engines/tiny"}, [this] { ++told; }, {1ms, 1ms}};
};

TEST_F(SupplyWatchTest, WhatIsCompleteIsToldAndWhatIsInTheMakingIsNot) {
    ASSERT_TRUE(os::make_directories(dir / "models/.pull-a"));
    ASSERT_TRUE(os::make_directories(dir / "engines/tiny/.build-1"));
    ASSERT_TRUE(watch.start());
    ASSERT_TRUE(os::atomic_write(dir / "models/.pull-a.lock", ""));
    ASSERT_TRUE(os::make_directories(dir / "engines/tiny/.build-2"));
    for (int turn = 0; turn < 3; ++turn)
        loop->run_once(2ms);
    EXPECT_EQ(told, 0);
    ASSERT_TRUE(os::rename_path(dir / "models/.pull-a", dir / "models/a"));
    until(1);
    ASSERT_TRUE(os::rename_path(dir / "engines/tiny/.build-1", dir / "engines/tiny/1"));
    until(2);
}

TEST_F(SupplyWatchTest, ADirectoryThatComesLaterOrComesAgainIsWatched) {
    ASSERT_TRUE(watch.start()) << "that it isn't there yet is no error";
    ASSERT_TRUE(os::make_directories(dir / "models"));
    until(1);
    ASSERT_TRUE(os::remove_tree(dir / "models"));
    until(2);
    ASSERT_TRUE(os::make_directories(dir / "models"));
    until(3);
    ASSERT_TRUE(os::make_directories(dir / "models/a"));
    until(4);
}

}  // namespace
}  // namespace hal0::app
