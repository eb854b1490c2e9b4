#include "os/log_file.hpp"

#include <gtest/gtest.h>

#include "os/file.hpp"
#include "os/tail.hpp"
#include "os/test_dir.hpp"

namespace hal0::os {
namespace {

using namespace std::chrono_literals;

TEST(LogFile, AGrownLogIsEmptiedUnderItsWriterAndItsEndKept) {
    TestDir dir;
    auto const path = dir / "log";
    auto const writer = open_append(path).value();
    auto say = [&](std::string const& text) { ASSERT_TRUE(write_all(writer.get(), text, path)); };
    say("first\nsecond\n");
    ASSERT_TRUE(shorten_log(path, {13}));
    EXPECT_EQ(read_file(path, 1_KiB).value(), "first\nsecond\n") << "not larger than it may be";
    say("third\n");
    ASSERT_TRUE(shorten_log(path, {13}));
    EXPECT_EQ(read_file(path, 1_KiB).value(), "");
    EXPECT_EQ(read_file(path + ".1", 1_KiB).value(), "third\n") << "whole lines";
    say("fourth\n");
    EXPECT_EQ(read_file(path, 1_KiB).value(), "fourth\n") << "no hole in front";
    EXPECT_EQ(shorten_log(dir / "nothing", {1}).error().kind, Errc::NotFound);
}

TEST(LogFile, WhoFollowsItGoesOn) {
    TestDir dir;
    auto const path = dir / "log";
    auto const writer = open_append(path).value();
    ASSERT_TRUE(write_all(writer.get(), "before\n", path));
    auto loop = Loop::make().value();
    std::string heard;
    std::unique_ptr<Tail> tail;
    tail = Tail::make(*loop, path, 1_KiB, [&] { heard += tail->read(1_KiB); }).value();
    heard = tail->read(1_KiB);
    ASSERT_TRUE(shorten_log(path, {3}));
    loop->run_once(10s);
    ASSERT_TRUE(write_all(writer.get(), "after\n", path));
    while (!heard.ends_with("after\n"))
        loop->run_once(10s);
    EXPECT_EQ(heard, "before\nafter\n");
}

TEST(LogFile, KnowsTheFileThatADescriptorAppendsTo) {
    TestDir dir;
    auto const path = dir / "log";
    auto const writer = open_append(path).value();
    auto const reader = open_read(path).value();
    EXPECT_TRUE(appends_to(writer.get(), path));
    EXPECT_FALSE(appends_to(writer.get(), dir / "other"));
    EXPECT_FALSE(appends_to(reader.get(), path));
}

}  // namespace
}  // namespace hal0::os
