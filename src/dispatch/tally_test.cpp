#include "dispatch/tally.hpp"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

namespace hal0::dispatch {
namespace {

using namespace std::chrono_literals;

TEST(SlotTally, CountsByEndAndByTime) {
    SlotTally tally;
    tally.count(Outcome::Ok, 5ms, 30s);
    tally.count(Outcome::Ok, 6ms, 10min);
    tally.count(Outcome::WorkerLost, std::nullopt, 1ms);
    auto const reading = tally.read();
    EXPECT_EQ(reading.requests.at(static_cast<std::size_t>(Outcome::Ok)), 2U);
    EXPECT_EQ(reading.requests.at(static_cast<std::size_t>(Outcome::WorkerLost)), 1U);
    EXPECT_EQ(reading.first_byte.count, 2U);
    EXPECT_EQ(reading.first_byte.sum, 11ms);
    EXPECT_EQ(reading.first_byte.buckets.at(0), 1U) << "a bound belongs to its bucket";
    EXPECT_EQ(reading.first_byte.buckets.at(1), 1U);
    EXPECT_EQ(reading.total.count, 3U);
    EXPECT_EQ(reading.total.buckets.at(9), 1U);
    std::uint64_t in_buckets = 0;
    for (auto const count : reading.total.buckets)
        in_buckets += count;
    EXPECT_EQ(in_buckets, 2U) << "ten minutes are over every bound";
}

TEST(SlotTally, SumsUpTokensAndTheirTimes) {
    SlotTally tally;
    tally.count({.prompt = 10, .cached = 5, .generated = 3, .prompt_time = 1s, .generated_time = 2s});
    tally.count({.prompt = 1, .generated_time = 500ms});
    EXPECT_EQ(
        tally.read().work,
        (TokenWork{.prompt = 11, .cached = 5, .generated = 3, .prompt_time = 1s, .generated_time = 2500ms}));
}

TEST(SlotTally, LosesNothingToOtherThreads) {
    SlotTally tally;
    std::vector<std::thread> threads;
    threads.reserve(4);
    for (int i = 0; i < 4; ++i)
        threads.emplace_back([&tally] {
            for (int k = 0; k < 10'000; ++k)
                tally.count(Outcome::Ok, 1ms, 2ms);
        });
    for (auto& thread : threads)
        thread.join();
    EXPECT_EQ(tally.read().total, [] {
        Times times;
        times.count = times.buckets.at(0) = 40'000;
        times.sum = 80s;
        return times;
    }());
}

TEST(Outcome, IsOfTheWorkersStatus) {
    EXPECT_EQ(outcome_of_status(200), Outcome::Ok);
    EXPECT_EQ(outcome_of_status(404), Outcome::ClientError);
    EXPECT_EQ(outcome_of_status(503), Outcome::ServerError);
}

}  // namespace
}  // namespace hal0::dispatch
