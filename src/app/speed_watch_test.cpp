#include "app/speed_watch.hpp"

#include <gtest/gtest.h>

#include "os/test_dir.hpp"

namespace hal0::app {
namespace {

using namespace std::chrono_literals;

class KeptLines final : public Log {
  public:
    std::vector<std::string> lines;
    void write(LogLevel, std::string_view line) override { lines.emplace_back(line); }
    [[nodiscard]] bool wants(LogLevel) const override { return true; }
};

struct SpeedWatchTest : testing::Test {
    os::TestDir dir;
    std::unique_ptr<os::Loop> loop{os::Loop::make().value()};
    std::unique_ptr<os::Inbox> inbox{os::Inbox::make(*loop).value()};
    os::Pool pool{1};
    KeptLines log;
    std::vector<wire::SlotSlowView> published;
    std::optional<double> token_bytes{100};
    int plans{0};
    history::History history{
        {.loop = *loop, .inbox = *inbox, .pool = pool, .tell = [](std::string const&) {}, .flush_pause = 1h},
        {.path = dir / "hal0.db", .epoch = 1, .kept_for = 24h}};
    SpeedWatch watch{
        {.log = log,
         .history = history,
         .publish = [this](wire::SlotSlowView const& view) { published.push_back(view); },
         .swapped = [](std::string const&) { return std::optional{1_GiB}; },
         .token_bytes =
             [this](slots::SlotStatus const&, std::function<void(std::optional<double>)> const& done) {
                 ++plans;
                 done(token_bytes);
             }}};

    ~SpeedWatchTest() override { pool.close(); }

    static slots::SlotStatus status_of(std::string slot) {
        slots::SlotStatus status;
        status.name = std::move(slot);
        status.model = "m";
        status.context = 4096;
        status.parallel = 1;
        status.loaded_in = 1s;
        return status;
    }
    // So many requests, one after the other, each alone.
    void ask(int count, float tokens_per_s, std::string const& slot = "a", int prompt = 100) {
        for (int i = 0; i < count; ++i)
            watch.ended({{.id = "r",
                          .slot = slot,
                          .model = "m",
                          .figures = {prompt, 0, 100, 10, 100'000 / tokens_per_s},
                          .in_flight = 1}});
    }
    void ready(slots::SlotStatus const& status) {
        watch.slot_ready(status);
        bool answered = false;
        history.loads({}, [&answered](auto const&) { answered = true; });  // asked behind it
        while (!answered)
            loop->run_once(1s);
    }
};

TEST_F(SpeedWatchTest, ASlotThatBecomesSlowIsToldOnceAndWhenItIsQuickAgain) {
    ready(status_of("a"));
    ask(20, 20);
    EXPECT_EQ(watch.explain("a"), std::vector<std::string>{});
    ask(8, 10);
    ASSERT_EQ(published.size(), 1U);
    EXPECT_NEAR(published[0].tokens_per_s, 10, 0.01);
    EXPECT_NEAR(published[0].usual_tokens_per_s, 20, 0.01);
    ASSERT_EQ(log.lines.size(), 1U);
    EXPECT_TRUE(log.lines[0].starts_with(
        "slot a has become slow: 10 tokens/s in its last 5 requests, usually 20; likely: 1.0 "
        "GiB of its worker are swapped out"))
        << log.lines[0];
    ASSERT_EQ(watch.explain("a").size(), 1U);
    EXPECT_NE(watch.explain("a")[0].find("'hal0 slot restart a'"), std::string::npos);
    ask(500, 10);
    EXPECT_EQ(published.size(), 1U) << "what is slow doesn't become what is usual";
    EXPECT_EQ(watch.explain("a").size(), 1U);
    ask(1, 20);
    EXPECT_EQ(log.lines.back(), "slot a is as quick as it was");
    EXPECT_EQ(watch.explain("a").size(), 0U);
}

TEST_F(SpeedWatchTest, ARestartForgetsWhatWasTold) {
    ready(status_of("a"));
    ask(20, 20);
    ask(5, 10);
    ASSERT_EQ(watch.explain("a").size(), 1U);
    ready(status_of("a"));
    EXPECT_EQ(watch.explain("a").size(), 0U);
}

TEST_F(SpeedWatchTest, ItsPastIsTheHistorys) {
    auto const now = std::chrono::system_clock::now();
    auto status = status_of("a");
    for (auto const took : {0.1, 0.1, 0.1})
        history.add(history::LoadRecord{.slot = "a",
                                        .model = "m",
                                        .settings = speed_settings(status),
                                        .began = now - 1h,
                                        .seconds = took,
                                        .outcome = "ready"});
    history.add(std::vector<history::RequestRecord>(
        20, {.slot = "a", .model = "m", .began = now, .figures = {100, 0, 100, 10, 1000}, .in_flight = 1}));
    status.loaded_in = 9s;
    ready(status);
    ASSERT_EQ(log.lines.size(), 1U);
    EXPECT_TRUE(log.lines[0].starts_with("slot a took 9 s to load, usually 0.1 s")) << log.lines[0];
    ask(5, 20);
    EXPECT_EQ(published.size(), 1U) << "a hundred tokens/s were usual";
}

TEST_F(SpeedWatchTest, RequestsThatSharedTheSlotSayNothing) {
    ready(status_of("a"));
    ask(20, 20);
    for (int i = 0; i < 10; ++i)
        watch.ended({{.slot = "a", .model = "m", .figures = {100, 0, 100, 10, 10'000}, .in_flight = 2}});
    EXPECT_EQ(published.size(), 0U);
    watch.ended({{.slot = "nobody", .model = "m"}});
}

TEST_F(SpeedWatchTest, ALongContextIsToldWithWhatItTook) {
    ready(status_of("a"));
    ask(1, 20, "a", 1900);
    EXPECT_EQ(log.lines, std::vector<std::string>{});
    ask(1, 20, "a", 2000);
    ask(1, 20, "a", 4000);
    EXPECT_EQ(plans, 1) << "asked once a load";
    EXPECT_EQ(log.lines,
              (std::vector<std::string>{
                  "slot a: request r went to 2100 of 4096 tokens of context; its KV cache held 205 KiB",
                  "slot a: request r went to 4100 of 4096 tokens of context; its KV cache held 400 KiB"}));
}

TEST_F(SpeedWatchTest, WithoutAPlanTheTokensAreTold) {
    token_bytes.reset();
    ready(status_of("a"));
    ask(1, 20, "a", 2000);
    ASSERT_EQ(log.lines.size(), 1U);
    EXPECT_EQ(log.lines[0],
              "slot a: request r went to 2100 of 4096 tokens of context; nobody knows what that takes in its "
              "KV cache");
}

}  // namespace
}  // namespace hal0::app
