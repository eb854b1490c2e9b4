#include "os/tail.hpp"

#include <gtest/gtest.h>

#include <fstream>

#include "os/test_dir.hpp"

namespace hal0::os {
namespace {

using namespace std::chrono_literals;

void append(std::string const& path, std::string const& text) { std::ofstream{path, std::ios::app} << text; }

class TailTest : public testing::Test {
  protected:
    void follow(Bytes last) {
        tail = Tail::make(*loop, path, last, [this] { text += tail->read(1_MiB); }).value();
        text = tail->read(1_MiB);
    }
    // Turns the loop until so much has come.
    std::string const& until(std::size_t size) {
        while (text.size() < size)
            loop->run_once(10s);
        return text;
    }

    TestDir dir;
    std::string path{dir / "log"};
    std::unique_ptr<Loop> loop{Loop::make().value()};
    std::string text;
    std::unique_ptr<Tail> tail;
};

TEST_F(TailTest, BeginsNearTheEndAndGoesOn) {
    append(path, "0123456789");
    follow({4});
    EXPECT_EQ(text, "6789");
    append(path, "ab");
    append(dir / "other", "not ours");
    EXPECT_EQ(until(6), "6789ab");
    EXPECT_EQ(tail->read(1_MiB), "");
}

TEST_F(TailTest, WaitsForAFileThatIsNotThereYet) {
    follow({100});
    EXPECT_EQ(text, "");
    append(path, "first");
    EXPECT_EQ(until(5), "first");
}

TEST_F(TailTest, GoesOnWithTheFileThatTakesItsPlace) {
    append(path, "old");
    follow({100});
    ASSERT_TRUE(rename_path(path, path + ".1").ok());
    append(path, "new");
    EXPECT_EQ(until(6), "oldnew");
    {
        std::ofstream const cut{path};
    }
    append(path, "!");
    EXPECT_EQ(until(7), "oldnew!");
}

TEST_F(TailTest, GivesNoMoreAtOnceThanWanted) {
    append(path, "0123456789");
    tail = Tail::make(*loop, path, {10}, [] {}).value();
    EXPECT_EQ(tail->read({4}), "0123");
    EXPECT_EQ(tail->read({40}), "456789");
    EXPECT_EQ(Tail::make(*loop, dir / "no/log", {1}, [] {}).error().kind, Errc::NotFound);
}

}  // namespace
}  // namespace hal0::os
