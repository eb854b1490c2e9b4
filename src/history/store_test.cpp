#include "history/store.hpp"

#include <gtest/gtest.h>

#include "os/test_dir.hpp"

namespace hal0::history {
namespace {

using namespace std::chrono_literals;

WallTime const now{std::chrono::seconds{1'800'000'000}};

RequestRecord a_request(std::string slot, WallTime began = now) {
    return {.id = "req-1",
            .slot = std::move(slot),
            .model = "m",
            .path = "/v1/chat/completions",
            .began = began,
            .status = 200,
            .outcome = "ok",
            .waited_s = 0.5,
            .first_byte_s = 0.25,
            .total_s = 2,
            .figures = {.prompt_tokens = 30,
                        .cached_tokens = 10,
                        .generated_tokens = 8,
                        .prompt_ms = 20,
                        .generated_ms = 400},
            .stream = true,
            .in_flight = 2,
            .answer_bytes = 600};
}

Event an_event(std::uint64_t epoch, std::uint64_t sequence, std::string subject = "a") {
    return {.id = {epoch, sequence},
            .time = now,
            .type = "slot.state",
            .subject = std::move(subject),
            .data = "{}"};
}

struct StoreTest : testing::Test {
    os::TestDir dir;
    std::string path{dir / "hal0.db"};
    Store store_of(std::uint64_t epoch, Keep keep = {}) const {
        return Store{{.path = path, .epoch = epoch, .kept_for = 24h, .keep = keep}};
    }
    static std::vector<std::uint64_t> sequences(PastEvents const& past) {
        std::vector<std::uint64_t> found;
        for (auto const& event : past.events)
            found.push_back(event.id.sequence);
        return found;
    }
    // A daemon that has told of so many events, and has ended properly or not.
    void a_life(std::uint64_t epoch, std::uint64_t events, bool ended = true) const {
        auto store = store_of(epoch);
        Batch batch;
        for (std::uint64_t sequence = 1; sequence <= events; ++sequence)
            batch.events.push_back(an_event(epoch, sequence));
        ASSERT_TRUE(store.write(batch, now).ok());
        if (!ended) return;
        ASSERT_TRUE(store.end_epoch().ok());
    }
};

TEST_F(StoreTest, GivesBackWhatWasWrittenTheNewestFirst) {
    auto store = store_of(1);
    LoadRecord const load{.slot = "a",
                          .model = "m",
                          .engine = "llama.cpp",
                          .version = "1",
                          .backend = "cpu",
                          .began = now,
                          .seconds = 1.5,
                          .outcome = "ready",
                          .memory = 77};
    ASSERT_TRUE(
        store
            .write(
                {.events = {an_event(1, 1)}, .loads = {load}, .requests = {a_request("a"), a_request("b")}},
                now)
            .ok());
    auto const requests = store.requests({}).value();
    ASSERT_EQ(requests.size(), 2U);
    auto expected = a_request("b");
    expected.number = 2;
    EXPECT_EQ(requests[0], expected);
    auto with_number = load;
    with_number.number = 1;
    EXPECT_EQ(store.loads({}).value(), std::vector{with_number});
    auto const events = store.events({}).value();
    ASSERT_EQ(events.size(), 1U);
    EXPECT_EQ(events[0].id, (EventId{1, 1}));
    EXPECT_EQ(events[0].time, now);
    EXPECT_EQ(events[0].data, "{}");
}

TEST_F(StoreTest, WhatWasNotToldStaysUntold) {
    auto store = store_of(1);
    auto request = a_request("a");
    request.figures = {};
    request.first_byte_s.reset();
    ASSERT_TRUE(store.write({.requests = {request}}, now).ok());
    request.number = 1;
    EXPECT_EQ(store.requests({}).value().at(0), request);
}

TEST_F(StoreTest, IsAskedBySlotAndPageByPage) {
    auto store = store_of(1);
    Batch batch;
    for (int i = 0; i < 10; ++i)
        batch.requests.push_back(a_request(i % 2 == 0 ? "even" : "odd"));
    ASSERT_TRUE(store.write(batch, now).ok());
    auto const numbers = [&store](Query const& query) {
        std::vector<std::int64_t> found;
        auto const requests = store.requests(query).value();
        for (auto const& request : requests)
            found.push_back(request.number);
        return found;
    };
    EXPECT_EQ(numbers({.limit = 2}), (std::vector<std::int64_t>{10, 9}));
    EXPECT_EQ(numbers({.before = 9, .limit = 2}), (std::vector<std::int64_t>{8, 7}));
    EXPECT_EQ(numbers({.slot = "even", .limit = 2}), (std::vector<std::int64_t>{9, 7}));
    EXPECT_EQ(numbers({.slot = "even", .before = 3}), (std::vector<std::int64_t>{1}));
    EXPECT_EQ(numbers({.slot = "none"}), (std::vector<std::int64_t>{}));
}

TEST_F(StoreTest, ABaselineIsOfTheSameModelAndSettings) {
    auto store = store_of(1);
    auto const load = [](std::string model, std::string settings, WallTime when) {
        return LoadRecord{.slot = "a",
                          .model = std::move(model),
                          .settings = std::move(settings),
                          .began = when,
                          .seconds = 3,
                          .outcome = "ready"};
    };
    auto const request = [](double tokens_per_s, WallTime when) {
        auto made = a_request("a", when);
        made.in_flight = 1;
        made.figures.generated_tokens = 100;
        made.figures.generated_ms = static_cast<float>(100'000 / tokens_per_s);
        return made;
    };
    auto short_one = request(10, now);
    short_one.figures.generated_tokens = 3;
    ASSERT_TRUE(store
                    .write({.loads = {load("m", "s", now - 9h), load("m", "other", now - 5h),
                                      load("m", "s", now - 2h)},
                            .requests = {request(50, now - 8h), request(20, now - 1h), request(25, now),
                                         short_one, a_request("a")}},
                           now)
                    .ok());
    auto const found = store.baseline("a", "m", "s").value();
    ASSERT_EQ(found.requests.size(), 2U)
        << "neither those before it had other settings, nor short ones, nor one of two";
    EXPECT_NEAR(found.requests[0].tokens_per_s, 20, 0.01);
    EXPECT_EQ(found.requests[0].context, 130);
    EXPECT_EQ(found.load_seconds, std::vector<double>{3});
    EXPECT_EQ(store.baseline("b", "m", "s").value().requests.size(), 0U);
}

// ---- the events of earlier daemons

TEST_F(StoreTest, TellsWhatCameAfterAnEventOfAnEarlierDaemon) {
    a_life(10, 3);
    a_life(20, 2);
    a_life(30, 2, false);
    auto store = store_of(30);
    auto const past = store.events_between({10, 2}, {30, 1}).value();
    EXPECT_TRUE(past.complete);
    EXPECT_EQ(sequences(past), (std::vector<std::uint64_t>{3, 1, 2, 1}));
    EXPECT_EQ(sequences(store.events_between({10, 3}, {30, 0}).value()), (std::vector<std::uint64_t>{1, 2}));
    EXPECT_FALSE(store.events_between({10, 4}, {30, 1}).value().complete) << "never was";
    EXPECT_FALSE(store.events_between({11, 1}, {30, 1}).value().complete) << "no daemon of ours";
}

TEST_F(StoreTest, DoesNotClaimWhatADaemonThatWasKilledMayHaveTold) {
    a_life(10, 3);
    a_life(20, 2, false);
    auto store = store_of(30);
    EXPECT_FALSE(store.events_between({10, 3}, {30, 0}).value().complete);
    EXPECT_FALSE(store.events_between({20, 2}, {30, 0}).value().complete);
}

TEST_F(StoreTest, DoesNotClaimWhatWasLostOrIsGone) {
    a_life(10, 3);
    {
        auto store = store_of(20);
        ASSERT_TRUE(store.write({.events = {an_event(20, 5)}, .events_lost_to = 4}, now).ok());
        ASSERT_TRUE(store.end_epoch().ok());
    }
    auto store = store_of(30, {.events_max = 2});
    EXPECT_FALSE(store.events_between({10, 3}, {30, 0}).value().complete);
    EXPECT_FALSE(store.events_between({20, 3}, {30, 0}).value().complete);
    EXPECT_TRUE(store.events_between({20, 4}, {30, 0}).value().complete);
    ASSERT_TRUE(store.prune(now).ok());
    EXPECT_FALSE(store.events_between({10, 1}, {30, 0}).value().complete) << "its successor is gone";
}

TEST_F(StoreTest, GivesNobodyMoreThanItTakesAtOnce) {
    a_life(10, past_events_max + 2);
    auto store = store_of(20);
    EXPECT_FALSE(store.events_between({10, 1}, {20, 0}).value().complete);
    EXPECT_EQ(store.events_between({10, 2}, {20, 0}).value().events.size(), past_events_max);
}

// ---- what is kept

TEST_F(StoreTest, KeepsWhatIsYoungAndNotTooMuch) {
    auto store = store_of(1, {.requests_max = 1500});
    Batch batch;
    for (int i = 0; i < 500; ++i)
        batch.requests.push_back(a_request("old", now - 25h));
    for (int i = 0; i < 3000; ++i)
        batch.requests.push_back(a_request("young"));
    ASSERT_TRUE(store.write(batch, now).ok());
    EXPECT_TRUE(store.prune(now).value()) << "in steps";
    EXPECT_TRUE(store.prune(now).value());
    EXPECT_FALSE(store.prune(now).value());
    auto const left = store.requests({.before = 2002}).value();
    ASSERT_EQ(left.size(), 1U);
    EXPECT_EQ(left[0].number, 2001);
    EXPECT_EQ(store.requests({.slot = "old"}).value().size(), 0U);
    EXPECT_FALSE(store.prune(now).value());
    EXPECT_TRUE(store.prune(now + 26h).value());
}

TEST_F(StoreTest, StaysWithinItsBytes) {
    auto store = store_of(1, {.size_max = 1_MiB});
    Batch batch;
    for (int i = 0; i < 200; ++i) {
        batch.requests.push_back(a_request("a"));
        batch.requests.back().model = std::string(500, 'm');
    }
    for (int round = 0; round < 50; ++round) {
        ASSERT_TRUE(store.write(batch, now).ok()) << round;
        while (store.prune(now).value()) {
        }
    }
    EXPECT_LE(os::status(path).value().size, 1_MiB);
    EXPECT_GT(store.requests({.limit = 1000}).value().size(), 500U);
}

TEST_F(StoreTest, TenThousandRecordsAreAMomentsWork) {
    auto store = store_of(1);
    for (int i = 0; i < 40; ++i)
        ASSERT_TRUE(store.write({.requests = std::vector(250, a_request("a"))}, now).ok());
    EXPECT_EQ(store.requests({.before = 10'001, .limit = 1}).value().at(0).number, 10'000);
}

// ---- files that are not as they should be

TEST_F(StoreTest, AFileThatIsNoneIsPutAsideAndSaidSo) {
    ASSERT_TRUE(os::atomic_write(path, std::string(9000, 'x')));
    auto store = store_of(1);
    auto const said = store.write({.requests = {a_request("a")}}, now);
    ASSERT_TRUE(said.ok()) << said.error().message;
    EXPECT_NE(said->find(".bad-2027-01-15T080000Z"), std::string::npos) << *said;
    EXPECT_EQ(os::read_file(path + ".bad-2027-01-15T080000Z", 1_MiB).value(), std::string(9000, 'x'));
    EXPECT_EQ(store.requests({}).value().size(), 1U);
    EXPECT_EQ(store.write({}, now).value(), "") << "once";
}

TEST_F(StoreTest, DamageThatIsFoundByReadingIsPutAsideByTheNextWrite) {
    {
        auto store = store_of(1);
        ASSERT_TRUE(store.write({.requests = std::vector(2000, a_request("a"))}, now).ok());
    }
    auto bytes = os::read_file(path, 16_MiB).value();
    ASSERT_GT(bytes.size(), 100'000U);
    bytes.replace(32'768, 60'000, std::string(60'000, 'x'));
    ASSERT_TRUE(os::atomic_write(path, bytes));
    auto store = store_of(2);
    EXPECT_EQ(store.requests({.before = 900, .limit = 900}).error().kind, Errc::Corrupt);
    auto const said = store.write({.requests = {a_request("a")}}, now);
    ASSERT_TRUE(said.ok()) << said.error().message;
    EXPECT_NE(*said, "");
    EXPECT_EQ(store.requests({}).value().size(), 1U);
}

TEST_F(StoreTest, ANewerFileIsRefused) {
    ASSERT_TRUE(store_of(1).write({}, now).ok());
    constexpr char const* none = "";
    std::vector<char const*> const steps(99, none);
    ASSERT_TRUE(Database::open(path, steps, {.size_max = 1_MiB, .cache_max = 64_KiB}).ok());
    EXPECT_EQ(store_of(2).write({}, now).error().kind, Errc::Unsupported);
}

TEST_F(StoreTest, APlaceThatIsNotThereIsSaidSo) {
    Store store{{.path = dir / "no/hal0.db", .epoch = 1, .kept_for = 24h}};
    EXPECT_EQ(store.write({}, now).error().kind, Errc::NotFound);
    ASSERT_TRUE(os::make_directories(dir / "no"));
    EXPECT_TRUE(store.write({}, now).ok()) << "tried again each time";
}

}  // namespace
}  // namespace hal0::history
