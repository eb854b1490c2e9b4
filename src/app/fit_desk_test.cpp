#include "app/fit_desk.hpp"

#include <gtest/gtest.h>

#include <cstdlib>

#include "app/probe_command.hpp"
#include "os/file.hpp"
#include "os/test_dir.hpp"

namespace hal0::app {
namespace {

using namespace std::chrono_literals;

class FitDeskTest : public testing::Test {
  protected:
    // With a report there is no probe: it asks drivers by runs of its own program, and here that is the
    // tests.
    FitDeskTest() {
        hardware::HardwareReport const report{.time = "2026-01-02T03:04:05Z"};
        auto const path = report_path(places);
        if (!os::make_directories(places.config) || !os::atomic_write(path, wire::encode(report)))
            std::abort();
    }
    ~FitDeskTest() override { pool.close(); }
    void ask(std::string model) {
        desk.ask({.model = std::move(model), .device = "cpu"}, [this](Result<wire::FitView> const& view) {
            told.push_back(view ? view->model : view.error().message);
            kinds.push_back(view ? std::optional<Errc>{} : view.error().kind);
        });
    }
    void until(std::size_t wanted) {
        while (told.size() < wanted)
            loop->run_once(10s);
    }

    os::TestDir dir{};
    os::Places places{.config = dir / "config",
                      .data = dir / "data",
                      .state = dir / "state",
                      .runtime = dir / "run",
                      .cache = dir / "cache"};
    Library library{places, {dir / "models"}};
    std::unique_ptr<os::Loop> loop{os::Loop::make().value()};
    std::unique_ptr<os::Inbox> inbox{os::Inbox::make(*loop).value()};
    os::Pool pool{1};
    std::vector<std::string> told{};
    std::vector<std::optional<Errc>> kinds{};
    FitDesk desk{{.loop = *loop, .inbox = *inbox, .pool = pool, .places = places, .library = library}};
};

TEST_F(FitDeskTest, QuestionsAreAnsweredInTheirOrderAndAFailureHoldsUpNobody) {
    ask("Qwen3-4B-Instruct-2507-Q4_K_M");
    ask("there-is-no-such");
    ask("Qwen3-4B-Instruct-2507-Q4_K_M");
    until(3);
    EXPECT_EQ(told[0], "Qwen3-4B-Instruct-2507-Q4_K_M");
    EXPECT_EQ(kinds[1], Errc::NotFound);
    EXPECT_EQ(told[2], told[0]);
}

// The daemon is not at fault for it, so it must be no kind that becomes a 500.
TEST_F(FitDeskTest, AFileThatIsNoGgufIsTheAskersFault) {
    auto const file = dir / "no.gguf";
    ASSERT_TRUE(os::atomic_write(file, "no model at all"));
    ask(file);
    until(1);
    EXPECT_EQ(kinds[0], Errc::Invalid);
    EXPECT_NE(told[0].find("no.gguf: it isn't a GGUF file"), std::string::npos) << told[0];
}

TEST_F(FitDeskTest, TooManyAtATimeAreRefused) {
    for (std::size_t i = 0; i <= fits_waiting_max; ++i)
        ask("there-is-no-such");
    ASSERT_EQ(told.size(), 1U);  // at once
    EXPECT_EQ(kinds[0], Errc::Busy);
    until(fits_waiting_max + 1);
    EXPECT_EQ(kinds.back(), Errc::NotFound);
}

}  // namespace
}  // namespace hal0::app
