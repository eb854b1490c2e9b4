#include "app/measuring.hpp"

#include <gtest/gtest.h>

#include <atomic>

#include "base/format.hpp"

namespace hal0::app {
namespace {

using namespace std::chrono_literals;

class Words final : public Log {
  public:
    void write(LogLevel level, std::string_view line) override {
        if (level == LogLevel::Warn) lines.emplace_back(line);
    }
    [[nodiscard]] bool wants(LogLevel) const override { return true; }
    std::vector<std::string> lines{};
};

class MeasuringTest : public testing::Test {
  protected:
    ~MeasuringTest() override { pool.close(); }
    // What each slot's reading comes to.
    Result<std::string> read(WorkerReading const& worker) {
        EXPECT_EQ(++at_once, 1) << "two at a time would write over each other";
        --at_once;
        ++reads;
        if (worker.slot == "full") return Error{Errc::NoSpace, "the disk is full"};
        if (worker.slot == "gone") return Error{Errc::NotFound, "it has ended"};
        return std::string{worker.slot == "damaged" ? "it was begun anew" : ""};
    }
    void until_idle() {
        while (!measuring.idle())
            loop->run_once(10s);
    }

    std::unique_ptr<os::Loop> loop{os::Loop::make().value()};
    std::unique_ptr<os::Inbox> inbox{os::Inbox::make(*loop).value()};
    os::Pool pool{2};
    Words log;
    std::atomic<int> at_once{0};
    std::atomic<int> reads{0};
    Measuring measuring{*inbox, pool, log, [this](WorkerReading const& worker) { return read(worker); }};
};

TEST_F(MeasuringTest, OneAfterTheOtherAndWhatIsAmissIsSaid) {
    for (auto const* slot : {"a", "full", "gone", "damaged", "b"})
        measuring.look_at({.slot = slot, .pid = 7, .moment = Moment::Loaded});
    until_idle();
    EXPECT_EQ(log.lines, (std::vector<std::string>{
                             "what slot full takes can't be kept, and estimates go on without it: the disk "
                             "is full",
                             "it was begun anew"}));
    measuring.look_at({.slot = "a", .pid = 7});
    measuring.look_at({.slot = "b", .pid = 8});
    measuring.look_at({.slot = "b", .pid = 8});
    until_idle();
    EXPECT_EQ(reads, 7) << "who waits already isn't read twice";
}

}  // namespace
}  // namespace hal0::app
