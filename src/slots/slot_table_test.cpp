// Files, swaps and removals, with true workers.
#include "slots/test_house.hpp"

namespace hal0::slots {
namespace {

using namespace std::chrono_literals;

std::string text_of(House const& house, std::string const& slot) {
    return os::read_file(house.file_path(slot), 1_MiB).value_or("");
}

TEST(SlotTable, AnUnreadableFileExplainsItselfAndTheOthersServe) {
    House house;
    house.model("tiny");
    house.file("bad", "model = \n[[[");
    house.file("primary", "model = \"tiny\"\n");
    house.start();
    EXPECT_TRUE(house.reaches("primary", State::Ready));
    auto const bad = house.status("bad");
    EXPECT_EQ(bad.state, State::Error);
    EXPECT_NE(bad.cause.find(house.file_path("bad")), std::string::npos) << bad.cause;
    house.file("bad", "model = \"tiny\"\n");
    EXPECT_TRUE(house.reaches("bad", State::Ready));
}

TEST(SlotTable, AnUnknownSlotIsToldWithTheNearest) {
    House house;
    house.file("primary", "model = \"tiny\"\n");
    house.start();
    auto const answer = house.outcome([&](Done done) { house.table->load("primry", std::move(done)); });
    EXPECT_EQ(answer.error().kind, Errc::NotFound);
    EXPECT_NE(answer.error().message.find("did you mean 'primary'?"), std::string::npos);
}

TEST(SlotTable, AnEditRestartsOnlyWhatItConcerns) {
    House house;
    house.model("tiny");
    house.file("a", "model = \"tiny\"\n");
    house.file("b", "model = \"tiny\"\n");
    house.start();
    ASSERT_TRUE(house.reaches("a", State::Ready));
    ASSERT_TRUE(house.reaches("b", State::Ready));
    auto const a = house.status("a").pid;
    auto const b = house.status("b").pid;
    house.file("b", "# a word\nmodel = \"tiny\"\n");
    house.file("a", "model = \"tiny\"\ncontext = 512\n");
    ASSERT_TRUE(house.until([&] { return house.status("a").context == 512; }));
    ASSERT_TRUE(house.reaches("a", State::Ready));
    EXPECT_NE(house.status("a").pid, a);
    EXPECT_EQ(house.status("b").pid, b);
    EXPECT_EQ(house.host->count("close b"), 0);
}

TEST(SlotTable, AnEditThatCantBeReadLeavesTheWorkerAlone) {
    House house;
    house.model("tiny");
    house.file("a", "model = \"tiny\"\n");
    house.start();
    ASSERT_TRUE(house.reaches("a", State::Ready));
    auto const pid = house.status("a").pid;
    house.file("a", "modl tiny");
    ASSERT_TRUE(house.until([&] { return house.status("a").restart_pending; }));
    EXPECT_EQ(house.status("a").state, State::Ready);
    EXPECT_EQ(house.status("a").pid, pid);
    EXPECT_EQ(house.status("a").warnings.size(), 1U);
    house.start();  // also for the next daemon
    ASSERT_TRUE(house.reaches("a", State::Ready));
    EXPECT_EQ(house.status("a").pid, pid);
    EXPECT_EQ(house.status("a").model, "tiny");
    EXPECT_TRUE(house.status("a").restart_pending);
}

TEST(SlotTable, FollowsFilesThatComeAndGo) {
    House house;
    house.model("tiny");
    house.start();
    house.file("late", "model = \"tiny\"\n");
    ASSERT_TRUE(house.until([&] { return house.table->find("late").ok(); }));
    ASSERT_TRUE(house.reaches("late", State::Ready));
    ASSERT_TRUE(os::remove_file(house.file_path("late")));
    EXPECT_TRUE(house.until([&] { return !house.table->find("late").ok(); }));
    EXPECT_EQ(house.host->count("removed late"), 1);
    EXPECT_FALSE(house.holder("late"));
    EXPECT_FALSE(os::exists(run_dir(house.places, "late").directory));
}

// An editor moves the old file away before it writes the new one.
TEST(SlotTable, AFileThatIsReplacedInStepsIsNoRemoval) {
    House house;
    house.model("tiny");
    house.file("a", "model = \"tiny\"\n");
    house.start();
    ASSERT_TRUE(house.reaches("a", State::Ready));
    ASSERT_TRUE(os::rename_path(house.file_path("a"), house.file_path("a") + "~"));
    house.loop->run_once(10ms);
    house.file("a", "model = \"tiny\"\ncontext = 512\n");
    ASSERT_TRUE(house.until([&] { return house.status("a").context == 512; }));
    EXPECT_EQ(house.host->count("removed a"), 0);
}

TEST(SlotTable, AWorkerWhoseFileWentWhileNoDaemonRanIsStopped) {
    House house;
    house.model("tiny");
    house.file("a", "model = \"tiny\"\n");
    house.start();
    ASSERT_TRUE(house.reaches("a", State::Ready));
    ASSERT_TRUE(os::remove_file(house.file_path("a")));
    house.table.reset();
    house.start();
    EXPECT_TRUE(house.until([&] { return !house.table->find("a").ok(); }));
    EXPECT_FALSE(house.holder("a"));
    EXPECT_EQ(house.host->count("removed a"), 1);
}

TEST(SlotTable, SwapsTheModelInFileAndWorker) {
    House house;
    house.model("one");
    house.model("two");
    house.file("a", "# mine\nmodel = \"one\"\n");
    house.start();
    ASSERT_TRUE(house.reaches("a", State::Ready));
    auto const missing = house.outcome([&](Done done) { house.table->swap("a", "three", std::move(done)); });
    EXPECT_EQ(missing.error().kind, Errc::NotFound);
    EXPECT_EQ(house.status("a").state, State::Ready) << "nothing was touched";
    auto const swapped = house.outcome([&](Done done) { house.table->swap("a", "two", std::move(done)); });
    ASSERT_TRUE(swapped.ok()) << swapped.error().message;
    EXPECT_EQ(swapped->model, "two");
    EXPECT_EQ(swapped->state, State::Ready);
    EXPECT_EQ(text_of(house, "a"), "# mine\nmodel = \"two\"\n");
}

TEST(SlotTable, ASwapThatFailsComesBackAndSaysSo) {
    House house;
    house.model("one");
    house.model("bad", {"die-before-ready=1"});
    house.file("a", "model = \"one\"\n");
    house.start();
    ASSERT_TRUE(house.reaches("a", State::Ready));
    auto const swapped = house.outcome([&](Done done) { house.table->swap("a", "bad", std::move(done)); });
    ASSERT_FALSE(swapped.ok());
    EXPECT_NE(swapped.error().message.find("the slot is back on one"), std::string::npos)
        << swapped.error().message;
    EXPECT_NE(swapped.error().message.find("failed to load model"), std::string::npos);
    EXPECT_EQ(house.status("a").state, State::Ready);
    EXPECT_EQ(house.status("a").model, "one");
    EXPECT_EQ(text_of(house, "a"), "model = \"one\"\n");
}

TEST(SlotTable, CreatesOnceAndRemovesForGood) {
    House house;
    house.model("tiny");
    house.start();
    SlotConfig const config{.name = "new", .model = "tiny"};
    auto const made = house.outcome([&](Done done) { house.table->create(config, std::move(done)); });
    ASSERT_TRUE(made.ok()) << made.error().message;
    auto const again = house.outcome([&](Done done) { house.table->create(config, std::move(done)); });
    EXPECT_EQ(again.error().kind, Errc::Exists);
    ASSERT_TRUE(house.reaches("new", State::Ready));
    auto const removed = house.outcome([&](Done done) { house.table->remove("new", std::move(done)); });
    ASSERT_TRUE(removed.ok()) << removed.error().message;
    EXPECT_FALSE(os::exists(house.file_path("new")));
    EXPECT_FALSE(house.table->find("new").ok());
    EXPECT_FALSE(house.holder("new"));
}

TEST(SlotTable, AnUnloadedSlotStaysDownUntilARequestOrTheNextDaemon) {
    House house;
    house.model("tiny");
    house.file("a", "model = \"tiny\"\n");
    house.start();
    ASSERT_TRUE(house.reaches("a", State::Ready));
    ASSERT_TRUE(house.outcome([&](Done done) { house.table->unload("a", std::move(done)); }).ok());
    house.file("a", "model = \"tiny\"\ncontext = 512\n");
    ASSERT_TRUE(house.until([&] { return house.status("a").context == 512; }));
    EXPECT_EQ(house.status("a").state, State::Offline);
    EXPECT_TRUE(house.table->wake("a").ok());
    ASSERT_TRUE(house.reaches("a", State::Ready));
    ASSERT_TRUE(house.outcome([&](Done done) { house.table->unload("a", std::move(done)); }).ok());
    house.start();
    EXPECT_TRUE(house.reaches("a", State::Ready));
}

TEST(SlotTable, ShutDownNothingBringsASlotUpAgain) {
    House house;
    house.model("tiny");
    house.model("bad", {"die-before-ready=1"});
    house.file("busy", "model = \"tiny\"\n");
    house.file("pausing", "model = \"bad\"\n");
    house.file("resting", "model = \"tiny\"\nenabled = false\n");
    house.start();
    ASSERT_TRUE(house.reaches("busy", State::Ready));
    ASSERT_TRUE(house.reaches("pausing", State::Error));
    auto const launches = house.recorded("load ");
    house.host->busy = true;
    int down = 0;
    for (int twice = 0; twice < 2; ++twice)
        house.table->shut_down(1min, [&down] { ++down; });
    EXPECT_EQ(house.status("busy").state, State::Unloading);
    EXPECT_EQ(house.status("pausing").state, State::Offline);
    EXPECT_EQ(down, 0) << "a request is in flight";
    for (auto const* name : {"busy", "pausing", "resting"}) {
        EXPECT_EQ(house.table->wake(name).error().kind, Errc::Unavailable) << name;
        auto const asked = house.outcome([&](Done done) { house.table->load(name, std::move(done)); });
        EXPECT_EQ(asked.error().message, "hal0 is stopping; start it again with 'hal0 serve'");
    }
    house.file("late", "model = \"tiny\"\n");
    house.table->drained("busy");
    ASSERT_TRUE(house.until([&] { return down > 0; }));
    EXPECT_EQ(down, 2);
    EXPECT_FALSE(house.holder("busy"));
    EXPECT_FALSE(house.table->find("late"));
    EXPECT_EQ(house.recorded("load "), launches);
}

TEST(SlotTable, ARequestThatDoesntEndHoldsUpTheShutDownForAWhile) {
    House house;
    house.model("tiny");
    house.file("a", "model = \"tiny\"\n");
    house.start();
    ASSERT_TRUE(house.reaches("a", State::Ready));
    house.host->busy = true;
    bool down = false;
    house.table->shut_down(100ms, [&down] { down = true; });
    ASSERT_TRUE(house.until([&] { return !house.holder("a"); }));
    EXPECT_FALSE(down) << "the request hasn't left yet";
    house.table->drained("a");  // as its connection ends with the worker's
    EXPECT_TRUE(down);
}

TEST(SlotTable, AShutDownEndsASwap) {
    House house;
    house.model("one");
    house.model("slow", {"ready-after-ms=60000"});
    house.file("a", "model = \"one\"\n");
    house.start();
    ASSERT_TRUE(house.reaches("a", State::Ready));
    bool down = false;
    auto const swapped = house.outcome([&](Done done) {
        house.table->swap("a", "slow", std::move(done));
        house.table->shut_down(1min, [&down] { down = true; });
    });
    EXPECT_EQ(swapped.error().kind, Errc::Conflict) << swapped.error().message;
    EXPECT_TRUE(house.until([&] { return down; }));
    EXPECT_FALSE(house.holder("a"));
}

TEST(SlotTable, ExplainsWhatRunsAndWhatIsLacking) {
    House house;
    house.model("tiny");
    house.file("a", "model = \"tiny\"\n");
    house.file("b", "model = \"other\"\n");
    house.start();
    ASSERT_TRUE(house.reaches("a", State::Ready));
    auto const a = join(house.table->explain("a").value(), "\n");
    EXPECT_NE(a.find("--ctx-size 4096"), std::string::npos) << a;
    EXPECT_NE(a.find(format("process {}", *house.status("a").pid)), std::string::npos) << a;
    auto const b = join(house.table->explain("b").value(), "\n");
    EXPECT_NE(b.find("hal0 model pull other"), std::string::npos) << b;
}

}  // namespace
}  // namespace hal0::slots
