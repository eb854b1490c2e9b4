#include "http/timer_wheel.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <vector>

namespace hal0::http {
namespace {

using namespace std::chrono_literals;

struct Alarm final : Deadline {
    explicit Alarm(os::Loop& on) : loop{on} {}
    void on_deadline() override {
        fired.push_back(loop.now());
        if (then) then();
    }
    os::Loop& loop;
    std::vector<TimePoint> fired{};
    std::function<void()> then{};
};

struct Wheel {
    std::unique_ptr<os::Loop> loop{os::Loop::make().value()};
    TimerWheel wheel{*loop};
    TimePoint start{Clock::now()};
    void run(Duration time) const {
        while (Clock::now() < start + time)
            loop->run_once(start + time - Clock::now());
    }
};

TEST(TimerWheel, FiresOnceNeverEarlyAndSoonAfter) {
    Wheel world;
    for (auto const after : {0ms, 1ms, 49ms, 50ms, 51ms, 130ms}) {
        Alarm alarm{*world.loop};
        auto const begin = Clock::now();
        world.wheel.set(alarm, after);
        while (alarm.fired.empty())
            world.loop->run_once(1s);
        EXPECT_GE(alarm.fired[0] - begin, after);
        world.loop->run_once(120ms);
        EXPECT_EQ(alarm.fired.size(), 1U);
    }
}

TEST(TimerWheel, ADeadlineMovesAwayAndNearer) {
    Wheel world;
    Alarm away{*world.loop};
    Alarm nearer{*world.loop};
    Alarm cleared{*world.loop};
    world.wheel.set(away, 60ms);
    world.wheel.set(away, 300ms);
    world.wheel.set(nearer, 10min);  // more than a turn of the wheel
    world.wheel.set(nearer, 60ms);
    world.wheel.set(cleared, 60ms);
    world.wheel.clear(cleared);
    world.run(250ms);
    EXPECT_TRUE(away.fired.empty());
    EXPECT_EQ(nearer.fired.size(), 1U);
    world.run(550ms);
    EXPECT_EQ(away.fired.size(), 1U);
    EXPECT_TRUE(cleared.fired.empty());
}

TEST(TimerWheel, DeadlinesMaySetAndDestroyEachOther) {
    Wheel world;
    Alarm again{*world.loop};
    auto victim = std::make_unique<Alarm>(*world.loop);
    Alarm killer{*world.loop};
    again.then = [&] {
        if (again.fired.size() < 3) world.wheel.set(again, 0ms);
    };
    killer.then = [&] { victim.reset(); };
    world.wheel.set(again, 0ms);
    world.wheel.set(killer, 60ms);
    world.wheel.set(*victim, 60ms);  // of the same tick, called after the killer
    world.run(500ms);
    EXPECT_EQ(again.fired.size(), 3U);
    EXPECT_EQ(killer.fired.size(), 1U);
    EXPECT_EQ(victim, nullptr);
}

TEST(TimerWheel, DoesNotWakeTheLoopWithoutNeed) {
    Wheel world;
    Alarm far{*world.loop};
    world.wheel.set(far, 1h);
    auto const begin = Clock::now();
    world.loop->run_once(300ms);  // one turn: nothing ended it early
    EXPECT_GE(Clock::now() - begin, 290ms);
}

}  // namespace
}  // namespace hal0::http
