#include "history/history.hpp"

#include <gtest/gtest.h>

#include <optional>

#include "os/test_dir.hpp"

namespace hal0::history {
namespace {

using namespace std::chrono_literals;

struct HistoryTest : testing::Test {
    os::TestDir dir;
    std::unique_ptr<os::Loop> loop{os::Loop::make().value()};
    std::unique_ptr<os::Inbox> inbox{os::Inbox::make(*loop).value()};
    std::vector<std::string> told;
    std::optional<os::Pool> pool{std::in_place, 1};
    std::unique_ptr<History> history;

    explicit HistoryTest() { begin(dir / "hal0.db"); }
    ~HistoryTest() override { pool->close(); }

    void begin(std::string path, std::chrono::hours kept_for = 24h, std::uint64_t epoch = 7) {
        history = std::make_unique<History>(
            History::World{.loop = *loop,
                           .inbox = *inbox,
                           .pool = *pool,
                           .tell = [this](std::string const& line) { told.push_back(line); },
                           .flush_pause = 5ms,
                           .retry_pause = 20ms},
            Store::Settings{.path = std::move(path), .epoch = epoch, .kept_for = kept_for});
    }
    // As a daemon that ends.
    void end() {
        pool->close();
        history->end();
        history.reset();
        pool.emplace(1U);
    }
    Result<std::vector<RequestRecord>> requests() {
        std::optional<Result<std::vector<RequestRecord>>> answer;
        history->requests({.limit = 1000}, [&answer](auto found) { answer = std::move(found); });
        until([&answer] { return answer.has_value(); });
        return *answer;
    }
    void until(std::function<bool()> const& done) {
        auto const give_up = Clock::now() + 20s;
        while (!done() && Clock::now() < give_up)
            loop->run_once(200ms);
        EXPECT_TRUE(done());
    }
    void add(int count, std::string const& slot = "a") {
        history->add(std::vector<RequestRecord>(
            static_cast<std::size_t>(count),
            RequestRecord{.slot = slot, .began = std::chrono::system_clock::now()}));
    }
    static Event event(std::uint64_t sequence, std::string type = "slot.state", std::string subject = "a") {
        return {.id = {7, sequence},
                .time = std::chrono::system_clock::now(),
                .type = std::move(type),
                .subject = std::move(subject),
                .data = "{}"};
    }
    std::optional<PastEvents> events_after(EventId after, EventId until_id) {
        std::optional<Result<PastEvents>> answer;
        history->events_between(after, until_id, [&answer](auto found) { answer = std::move(found); });
        until([&answer] { return answer.has_value(); });
        return answer->ok() ? std::optional{answer->value()} : std::nullopt;
    }
};

TEST_F(HistoryTest, WhoAsksGetsAllThatWasAdded) {
    add(3);
    EXPECT_EQ(requests()->size(), 3U);
    add(300);
    add(1);
    EXPECT_EQ(requests()->size(), 304U);
    EXPECT_EQ(told, std::vector<std::string>{});
}

TEST_F(HistoryTest, WritesByItselfAMomentLater) {
    add(3);
    until([this] { return os::exists(dir / "hal0.db-wal"); });
    loop->run_once(50ms);
    Store other{{.path = dir / "hal0.db", .epoch = 8, .kept_for = 24h}};
    until([&other] { return other.requests({}).value().size() == 3; });
}

TEST_F(HistoryTest, TheNextDaemonHasWhatTheLastOneLeft) {
    add(2);
    history->add(event(1));
    end();
    begin(dir / "hal0.db", 24h, 9);
    EXPECT_EQ(requests()->size(), 2U);
    auto const past = events_after({7, 0}, {9, 0});
    ASSERT_TRUE(past.has_value());
    EXPECT_TRUE(past->complete);
    EXPECT_EQ(past->events.size(), 1U);
}

TEST_F(HistoryTest, OfAJobsProgressTheLastIsKept) {
    for (std::uint64_t sequence = 1; sequence <= 5; ++sequence)
        history->add(event(sequence, "job", "j1"));
    history->add(event(6));
    history->add(event(7));
    auto const past = events_after({7, 0}, {7, 7});
    ASSERT_TRUE(past.has_value());
    EXPECT_TRUE(past->complete);
    ASSERT_EQ(past->events.size(), 3U);
    EXPECT_EQ(past->events[0].id.sequence, 5U);
}

TEST_F(HistoryTest, ADiskThatTakesNothingIsSaidOnceAndTriedAgain) {
    begin(dir / "none/hal0.db");
    for (int round = 0; round < 3; ++round) {
        add(10);
        history->add(event(static_cast<std::uint64_t>(round) + 1));
        (void)requests();
    }
    ASSERT_EQ(told.size(), 1U);
    EXPECT_NE(told[0].find("what happens can't be kept: "), std::string::npos) << told[0];
    EXPECT_EQ(history->dropped(), 33U);
    ASSERT_TRUE(os::make_directories(dir / "none"));
    add(1);
    history->add(event(4));
    EXPECT_EQ(requests()->size(), 1U);
    ASSERT_EQ(told.size(), 2U);
    EXPECT_EQ(told[1], "what happens is kept again; 33 records were lost");
    EXPECT_FALSE(events_after({7, 2}, {7, 4})->complete) << "the third is lost";
    EXPECT_TRUE(events_after({7, 3}, {7, 4})->complete);
}

TEST_F(HistoryTest, KeepsNoMoreInMemoryThanItsLimit) {
    add(static_cast<int>(queue_records_max));  // handed to the writer, who has not answered yet
    add(5);
    EXPECT_EQ(history->dropped(), 5U);
    EXPECT_EQ(requests()->size(), 1000U);
    add(5);
    EXPECT_EQ(history->dropped(), 5U);
}

TEST_F(HistoryTest, ZeroDaysKeepNothingAndMakeNoFile) {
    begin(dir / "off.db", 0h);
    add(3);
    EXPECT_EQ(requests().error().kind, Errc::Unsupported);
    end();
    EXPECT_FALSE(os::exists(dir / "off.db"));
}

TEST_F(HistoryTest, ANewerFileIsSaidOnceAndLeft) {
    std::vector<char const*> const steps(99, "");
    ASSERT_TRUE(Database::open(dir / "new.db", steps, {.size_max = 1_MiB, .cache_max = 64_KiB}).ok());
    begin(dir / "new.db");
    add(1);
    (void)requests();
    until([this] { return !told.empty(); });
    add(1);
    EXPECT_EQ(requests().error().kind, Errc::Unsupported);
    ASSERT_EQ(told.size(), 1U);
    EXPECT_NE(told[0].find("was written by a newer hal0"), std::string::npos) << told[0];
}

}  // namespace
}  // namespace hal0::history
