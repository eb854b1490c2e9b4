#include "app/memory_desk.hpp"

#include <gtest/gtest.h>

#include <atomic>

#include "base/format.hpp"

namespace hal0::app {
namespace {

using namespace std::chrono_literals;

class MemoryDeskTest : public testing::Test {
  protected:
    ~MemoryDeskTest() override { pool.close(); }
    void ask(TimePoint now) {
        desk.ask({{"primary", 7}}, now, [this](Result<wire::MemoryView> const& view) {
            told.push_back(view ? view->time : view.error().message);
        });
    }
    void until(std::size_t wanted) {
        while (told.size() < wanted)
            loop->run_once(10s);
    }

    std::unique_ptr<os::Loop> loop{os::Loop::make().value()};
    std::unique_ptr<os::Inbox> inbox{os::Inbox::make(*loop).value()};
    os::Pool pool{1};
    std::atomic<int> reads{0};
    std::atomic<bool> fails{false};
    std::vector<std::string> told{};
    MemoryDesk desk{*inbox, pool,
                    [this](std::vector<memory::SlotProcess> const& slots) -> Result<wire::MemoryView> {
                        auto const number = ++reads;
                        if (fails) return Error{Errc::Io, "no /proc"};
                        return wire::MemoryView{.time = format("{} {}", slots.at(0).slot, number)};
                    }};
};

TEST_F(MemoryDeskTest, OneReadingServesAllWhoAskMeanwhileAndWithinASecond) {
    auto const now = Clock::now();
    ask(now);
    ask(now);
    ask(now);
    until(3);
    ask(Clock::now());
    EXPECT_EQ(told, (std::vector<std::string>(4, "primary 1")));
    ask(Clock::now() + 1100ms);
    until(5);
    EXPECT_EQ(told.back(), "primary 2");
}

TEST_F(MemoryDeskTest, AFailureIsToldAndNotKept) {
    fails = true;
    ask(Clock::now());
    until(1);
    EXPECT_EQ(told.back(), "no /proc");
    fails = false;
    ask(Clock::now());
    until(2);
    EXPECT_EQ(told.back(), "primary 2");
}

// A loop without a timer waits until it is told of something: here, of nothing, for the whole time it may.
TEST_F(MemoryDeskTest, NothingIsReadUnasked) {
    auto const turn_without_events = [this](Duration longest) {
        auto const began = Clock::now();
        loop->run_once(longest);
        return Clock::now() - began;
    };
    EXPECT_GE(turn_without_events(100ms), 99ms) << "something was due";
    EXPECT_EQ(reads, 0);
    ask(Clock::now());
    until(1);
    EXPECT_GE(turn_without_events(1100ms), 1099ms) << "something was due";
    EXPECT_EQ(reads, 1) << "an answer that has grown old is not read anew unasked";
}

}  // namespace
}  // namespace hal0::app
