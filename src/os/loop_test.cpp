#include "os/loop.hpp"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <future>
#include <memory>
#include <thread>

#include "os/inbox.hpp"
#include "os/pool.hpp"

namespace hal0::os {
namespace {

using namespace std::chrono_literals;

struct Pair {
    UniqueFd a, b;
    Pair() {
        std::array<int, 2> fds{};
        if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds.data()) == 0) {
            a = UniqueFd{fds[0]};
            b = UniqueFd{fds[1]};
        }
    }
};

class Recorder final : public FdHandler {
  public:
    explicit Recorder(std::function<void(Ready)> told) : told_{std::move(told)} {}
    void on_ready(Ready ready) override { told_(ready); }

  private:
    std::function<void(Ready)> told_;
};

TEST(Loop, TellsReadAndHangup) {
    auto loop = Loop::make().value();
    Pair pair;
    Ready seen = Ready::None;
    Recorder recorder{[&](Ready ready) { seen = ready; }};
    ASSERT_TRUE(loop->watch(pair.a.get(), Ready::Read, Trigger::Level, recorder));
    ASSERT_EQ(::write(pair.b.get(), "x", 1), 1);
    loop->run_once(1s);
    EXPECT_TRUE(has(seen, Ready::Read));
    EXPECT_FALSE(has(seen, Ready::Hangup));
    pair.b.reset();
    loop->run_once(1s);
    EXPECT_TRUE(has(seen, Ready::Hangup));
    loop->unwatch(pair.a.get(), recorder);
}

TEST(Loop, EdgeTriggeredTellsOncePerArrival) {
    auto loop = Loop::make().value();
    Pair pair;
    int told = 0;
    Recorder recorder{[&](Ready) { ++told; }};
    ASSERT_TRUE(loop->watch(pair.a.get(), Ready::Read, Trigger::Edge, recorder));
    ASSERT_EQ(::write(pair.b.get(), "x", 1), 1);
    loop->run_once(1s);
    loop->run_once(0s);
    EXPECT_EQ(told, 1);
    loop->unwatch(pair.a.get(), recorder);
}

// Two descriptors ready in one turn; whoever is told first takes the other away: it must not be called any
// more.
TEST(Loop, AHandlerUnwatchedInTheSameTurnIsNotCalled) {
    auto loop = Loop::make().value();
    Pair one;
    Pair two;
    int told = 0;
    std::unique_ptr<Recorder> first;
    std::unique_ptr<Recorder> second;
    auto drop = [&](UniqueFd& fd, std::unique_ptr<Recorder>& other) {
        ++told;
        loop->unwatch(fd.get(), *other);
        other.reset();
    };
    first = std::make_unique<Recorder>([&](Ready) { drop(two.a, second); });
    second = std::make_unique<Recorder>([&](Ready) { drop(one.a, first); });
    ASSERT_TRUE(loop->watch(one.a.get(), Ready::Read, Trigger::Level, *first));
    ASSERT_TRUE(loop->watch(two.a.get(), Ready::Read, Trigger::Level, *second));
    ASSERT_EQ(::write(one.b.get(), "x", 1), 1);
    ASSERT_EQ(::write(two.b.get(), "x", 1), 1);
    loop->run_once(1s);
    EXPECT_EQ(told, 1);
    if (first) loop->unwatch(one.a.get(), *first);
    if (second) loop->unwatch(two.a.get(), *second);
}

TEST(Timer, FiresInOrderOfDeadline) {
    auto loop = Loop::make().value();
    std::string order;
    Timer late{*loop, [&] {
                   order += 'c';
                   loop->stop();
               }};
    Timer early{*loop, [&] { order += 'a'; }};
    Timer middle{*loop, [&] { order += 'b'; }};
    late.start(30ms);
    early.start(1ms);
    middle.start(10ms);
    loop->run();
    EXPECT_EQ(order, "abc");
}

TEST(Timer, StartedAgainLaterItFiresOnceAndLater) {
    auto loop = Loop::make().value();
    int fired = 0;
    auto const begin = Clock::now();
    Timer timer{*loop, [&] {
                    ++fired;
                    loop->stop();
                }};
    timer.start(1ms);
    timer.start(40ms);
    loop->run();
    EXPECT_EQ(fired, 1);
    EXPECT_GE(Clock::now() - begin, 40ms);
}

TEST(Timer, StartedAgainEarlierItMovesUp) {
    auto loop = Loop::make().value();
    Timer timer{*loop, [&] { loop->stop(); }};
    timer.start(std::chrono::hours{1});
    timer.start(1ms);
    loop->run();
    EXPECT_FALSE(timer.running());
}

TEST(Timer, MayStopOthersAndStartItselfWhenItFires) {
    auto loop = Loop::make().value();
    int rounds = 0;
    bool other_fired = false;
    Timer other{*loop, [&] { other_fired = true; }};
    std::unique_ptr<Timer> again;
    again = std::make_unique<Timer>(*loop, [&] {
        other.stop();
        if (++rounds == 3) return loop->stop();
        again->start(1ms);
    });
    other.start(2ms);
    again->start(1ms);
    loop->run();
    EXPECT_EQ(rounds, 3);
    EXPECT_FALSE(other_fired);
}

TEST(Timer, MayDestroyItselfWhenItFires) {
    auto loop = Loop::make().value();
    std::string const word(100, 'x');  // on the heap: a use after its end is seen by the sanitizer
    std::string after;
    std::unique_ptr<Timer> timer;
    timer = std::make_unique<Timer>(*loop, [&, word] {
        timer.reset();
        after = word;
        loop->stop();
    });
    timer->start(0ms);
    loop->run();
    EXPECT_EQ(after, word);
}

TEST(Timer, StartedFromItselfAtOnceItLetsDescriptorsHaveTheirTurn) {
    auto loop = Loop::make().value();
    Pair pair;
    int fired = 0;
    Recorder recorder{[&](Ready) { loop->stop(); }};
    ASSERT_TRUE(loop->watch(pair.a.get(), Ready::Read, Trigger::Level, recorder));
    std::unique_ptr<Timer> busy;
    busy = std::make_unique<Timer>(*loop, [&] {
        if (++fired == 3) {
            EXPECT_EQ(::write(pair.b.get(), "x", 1), 1);
        }
        busy->start(0ms);
    });
    busy->start(-1h);
    loop->run();
    EXPECT_GE(fired, 3);
    loop->unwatch(pair.a.get(), recorder);
}

TEST(Timer, StartedForEverNeverFires) {
    auto loop = Loop::make().value();
    bool fired = false;
    Timer never{*loop, [&] { fired = true; }};
    never.start(Duration::max());
    loop->run_once(1ms);
    EXPECT_TRUE(never.running());
    EXPECT_FALSE(fired);
}

TEST(Timer, MayOutliveItsLoop) {
    auto loop = Loop::make().value();
    Timer timer{*loop, [] {}};
    timer.start(1h);
    loop.reset();
    timer.stop();
    EXPECT_FALSE(timer.running());
}

// Restarts before the deadline cost no heap work; all that counts is when each fires, and in which order.
TEST(Timer, ManyMovedAboutFireEachOnceInOrder) {
    auto loop = Loop::make().value();
    constexpr std::size_t count = 200;
    std::vector<std::unique_ptr<Timer>> timers;
    std::vector<TimePoint> wanted(count);
    std::vector<std::size_t> order;
    for (std::size_t i = 0; i < count; ++i) {
        timers.push_back(std::make_unique<Timer>(*loop, [&, i] {
            order.push_back(i);
            if (order.size() == count - count / 4) loop->stop();
        }));
    }
    // Within one turn, so that all deadlines have the same base.
    Timer all{*loop, [&] {
                  for (std::size_t round = 0; round < 3; ++round) {
                      for (std::size_t i = 0; i < count; ++i) {
                          auto const after = std::chrono::microseconds{(i * 7919 + round * 104729) % 20011};
                          timers[i]->start(after);
                          wanted[i] = loop->now() + after;
                      }
                  }
                  for (std::size_t i = 0; i < count; i += 4)
                      timers[i]->stop();
              }};
    all.start(0s);
    loop->run();
    ASSERT_EQ(order.size(), count - count / 4);
    EXPECT_TRUE(std::is_sorted(order.begin(), order.end(),
                               [&](std::size_t a, std::size_t b) { return wanted[a] < wanted[b]; }));
}

TEST(Timer, StartedBetweenTurnsCountsFromThenNotFromTheLastTurn) {
    auto loop = Loop::make().value();
    loop->run_once(0ms);
    auto const begin = Clock::now();
    while (Clock::now() - begin < 20ms) {
    }
    auto const started = Clock::now();
    Timer timer{*loop, [&] { loop->stop(); }};
    timer.start(15ms);
    loop->run();
    EXPECT_GE(Clock::now() - started, 15ms);
}

TEST(Loop, LevelTriggeredTellsAgainUntilNothingIsWanted) {
    auto loop = Loop::make().value();
    Pair pair;
    int told = 0;
    Recorder recorder{[&](Ready) { ++told; }};
    ASSERT_TRUE(loop->watch(pair.a.get(), Ready::Read, Trigger::Level, recorder));
    ASSERT_EQ(::write(pair.b.get(), "x", 1), 1);
    loop->run_once(1s);
    loop->run_once(1s);
    EXPECT_EQ(told, 2);
    // Reading is paused and the peer ends its sending side: nothing that would be told turn after turn.
    loop->rewatch(pair.a.get(), Ready::None, Trigger::Level, recorder);
    ASSERT_EQ(::shutdown(pair.b.get(), SHUT_WR), 0);
    loop->run_once(0s);
    EXPECT_EQ(told, 2);
    loop->rewatch(pair.a.get(), Ready::Hangup, Trigger::Level, recorder);
    loop->run_once(1s);
    EXPECT_EQ(told, 3);
    loop->unwatch(pair.a.get(), recorder);
}

TEST(Loop, AWatchThatTheKernelRefusesIsAnError) {
    auto loop = Loop::make().value();
    Recorder recorder{[](Ready) {}};
    EXPECT_FALSE(loop->watch(-1, Ready::Read, Trigger::Level, recorder).ok());
    Pair pair;
    ASSERT_TRUE(loop->watch(pair.a.get(), Ready::Read, Trigger::Level, recorder));
    EXPECT_FALSE(loop->watch(pair.a.get(), Ready::Read, Trigger::Level, recorder).ok());  // twice
    loop->unwatch(pair.a.get(), recorder);
}

TEST(Loop, HandlesMoreReadyDescriptorsThanOneTurnTakes) {
    auto loop = Loop::make().value();
    constexpr std::size_t count = 300;
    std::vector<Pair> pairs(count);
    std::vector<std::unique_ptr<Recorder>> recorders;
    std::vector<int> told(count);
    for (std::size_t i = 0; i < count; ++i) {
        recorders.push_back(std::make_unique<Recorder>([&, i](Ready) { ++told[i]; }));
        ASSERT_TRUE(loop->watch(pairs[i].a.get(), Ready::Read, Trigger::Edge, *recorders[i]));
        ASSERT_EQ(::write(pairs[i].b.get(), "x", 1), 1);
    }
    loop->run_once(0s);
    loop->run_once(0s);
    EXPECT_EQ(told, std::vector<int>(count, 1));
    for (std::size_t i = 0; i < count; ++i)
        loop->unwatch(pairs[i].a.get(), *recorders[i]);
}

TEST(Inbox, WorkMayPostAndMayDestroyTheInbox) {
    auto loop = Loop::make().value();
    auto inbox = Inbox::make(*loop).value();
    int ran = 0;
    inbox->post([&] {
        ++ran;
        inbox->post([&] {
            ++ran;
            inbox->post([&] { ++ran; });
            inbox.reset();
        });
    });
    for (int turn = 0; turn < 4; ++turn)
        loop->run_once(0s);
    EXPECT_EQ(ran, 2);  // what was posted last went unrun with its inbox
}

TEST(Pool, DropsWhatWaitsWhenItEnds) {
    auto loop = Loop::make().value();
    auto inbox = Inbox::make(*loop).value();
    auto const kept = std::make_shared<int>(1);
    {
        Pool pool{1};
        for (int i = 0; i < 100; ++i)
            pool.run(*inbox, [kept] { return *kept; }, [](int) {});
    }
    inbox.reset();
    EXPECT_EQ(kept.use_count(), 1);
}

TEST(Pool, OnceClosedTouchesNoInbox) {
    auto loop = Loop::make().value();
    auto inbox = Inbox::make(*loop).value();
    Pool pool{1};
    std::promise<void> begun;
    std::promise<void> closing;
    pool.run(
        *inbox,
        [&] {
            begun.set_value();
            closing.get_future().wait();
            return 1;
        },
        [](int) {});
    begun.get_future().wait();
    closing.set_value();  // its answer may come before or after close() is called
    pool.close();
    inbox.reset();
    auto const other = Inbox::make(*loop).value();
    auto const kept = std::make_shared<int>(1);
    pool.run(*other, [kept] { return *kept; }, [](int) {});
    EXPECT_EQ(kept.use_count(), 1);
}

TEST(Inbox, KeepsTheOrderOfEachSender) {
    auto loop = Loop::make().value();
    auto inbox = Inbox::make(*loop).value();
    constexpr int senders = 3;
    constexpr int each = 500;
    std::array<int, senders> next{};
    int total = 0;
    bool ordered = true;
    std::vector<std::thread> threads;
    for (std::size_t s = 0; s < senders; ++s) {
        threads.emplace_back([&, s] {
            for (int i = 0; i < each; ++i) {
                inbox->post([&, s, i] {
                    ordered = ordered && next.at(s)++ == i;
                    if (++total == senders * each) loop->stop();
                });
            }
        });
    }
    loop->run();
    for (auto& thread : threads)
        thread.join();
    EXPECT_TRUE(ordered);
    EXPECT_EQ(total, senders * each);
}

TEST(Pool, BringsTheAnswerHome) {
    auto loop = Loop::make().value();
    auto inbox = Inbox::make(*loop).value();
    Pool pool{2};
    auto const home = std::this_thread::get_id();
    int sum = 0;
    int answers = 0;
    for (int i = 1; i <= 10; ++i) {
        pool.run(
            *inbox, [i] { return i; },
            [&](int n) {
                EXPECT_EQ(std::this_thread::get_id(), home);
                sum += n;
                if (++answers == 10) loop->stop();
            });
    }
    loop->run();
    EXPECT_EQ(sum, 55);
}

}  // namespace
}  // namespace hal0::os
