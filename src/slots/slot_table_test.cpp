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

TEST(SlotTable, FollowsFilesThatAreLinkedAndSaysWhichItIgnores) {
    House house;
    house.model("tiny");
    auto const mine = house.dir / "mine.toml";
    ASSERT_TRUE(os::atomic_write(mine, "model = \"tiny\"\n"));
    house.start();
    std::filesystem::create_symlink(mine, house.file_path("soft"));
    std::filesystem::create_hard_link(mine, house.file_path("hard"));
    EXPECT_TRUE(
        house.until([&] { return house.table->find("soft").ok() && house.table->find("hard").ok(); }));
    for (auto const* file : {"My Slot", ".#soft", "My Slot"})
        house.file(file, "model = \"tiny\"\n");
    EXPECT_TRUE(house.until([&] { return house.host->count("ignored My Slot.toml") == 1; }));
    EXPECT_NE(house.host->failure.message.find("lower-case"), std::string::npos);
    house.file("last", "model = \"tiny\"\n");
    EXPECT_TRUE(house.until([&] { return house.table->find("last").ok(); }));
    EXPECT_EQ(house.host->count("ignored My Slot.toml") + house.host->count("ignored .#soft.toml"), 1);
}

// Nothing here tells that the end of a link changed: the file is read again when the slot is wanted.
TEST(SlotTable, AFileThatIsMendedUnseenIsReadAgainWhenTheSlotIsWanted) {
    House house;
    house.model("tiny");
    auto const mine = house.dir / "mine.toml";
    for (auto const* name : {"a", "b", "c"})
        std::filesystem::create_symlink(mine, house.file_path(name));
    ASSERT_TRUE(os::atomic_write(mine, "modl"));
    house.start();
    ASSERT_EQ(house.status("a").state, State::Error);
    EXPECT_FALSE(house.table->wake("a").ok());
    ASSERT_TRUE(os::atomic_write(mine, "model = \"tiny\"\n"));
    EXPECT_TRUE(house.table->wake("a").ok());
    EXPECT_TRUE(house.reaches("a", State::Ready));
    EXPECT_TRUE(house.outcome([&](Done done) { house.table->load("b", std::move(done)); }).ok());
    EXPECT_TRUE(house.outcome([&](Done done) { house.table->restart("c", std::move(done)); }).ok());
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

// Not a disk that isn't mounted yet, a directory without permission or a link into nowhere: only a slot that
// was looked for and isn't there is gone.
TEST(SlotTable, AWorkerWhoseFileCantBeSeenGoesOnAndIsTakenOverOnceItCan) {
    House house;
    house.model("tiny");
    house.file("a", "model = \"tiny\"\n");
    house.start();
    ASSERT_TRUE(house.reaches("a", State::Ready));
    auto const pid = house.holder("a");
    auto const slots = house.places.config + "/slots";
    ASSERT_TRUE(os::rename_path(slots, slots + ".away"));
    house.start();  // makes an empty one
    EXPECT_TRUE(house.table->list().empty());
    EXPECT_EQ(house.holder("a"), pid);
    ASSERT_TRUE(os::remove_tree(slots));
    ASSERT_TRUE(os::atomic_write(slots, "no directory"));
    EXPECT_FALSE(house.try_to_start());
    EXPECT_EQ(house.holder("a"), pid);
    ASSERT_TRUE(os::remove_file(slots));
    ASSERT_TRUE(os::rename_path(slots + ".away", slots));
    ASSERT_TRUE(house.until([&] { return house.table->find("a").ok(); })) << "it is looked at again";
    ASSERT_TRUE(house.reaches("a", State::Ready));
    ASSERT_TRUE(os::rename_path(house.file_path("a"), house.dir / "a"));
    std::filesystem::create_symlink(house.dir / "nowhere", house.file_path("a"));
    house.start();
    EXPECT_TRUE(house.reaches("a", State::Ready));
    EXPECT_EQ(house.status("a").pid, pid);
    EXPECT_EQ(house.recorded("load"), 1);
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

TEST(SlotTable, ASwapToAModelForOtherWorkIsRefused) {
    House house;
    house.model("one");
    house.model("vectors", {}, models::Kind::Embed);
    house.file("a", "model = \"one\"\n");
    house.start();
    ASSERT_TRUE(house.reaches("a", State::Ready));
    auto const swapped =
        house.outcome([&](Done done) { house.table->swap("a", "vectors", std::move(done)); });
    EXPECT_EQ(swapped.error().kind, Errc::Conflict);
    EXPECT_EQ(text_of(house, "a"), "model = \"one\"\n");
    EXPECT_EQ(house.status("a").state, State::Ready);
}

TEST(SlotTable, ARestartWithSettingsThatCantBeStartedLeavesTheWorkerAlone) {
    House house;
    house.model("tiny");
    house.file("a", "model = \"tiny\"\n");
    house.start();
    ASSERT_TRUE(house.reaches("a", State::Ready));
    auto const pid = house.status("a").pid;
    for (auto const* wrong :
         {"model = \"tiny\"\nparallel = 100\n", "model = \"tiny\"\ndevice = \"toaster\"\n"}) {
        house.file("a", wrong);
        ASSERT_TRUE(house.until([&] { return house.status("a").restart_pending; }));
        auto const done = house.outcome([&](Done told) { house.table->restart("a", std::move(told)); });
        EXPECT_FALSE(done.ok());
        EXPECT_EQ(house.status("a").pid, pid);
        EXPECT_EQ(house.status("a").state, State::Ready);
        house.file("a", "model = \"tiny\"\n");
        ASSERT_TRUE(house.until([&] { return !house.status("a").restart_pending; }));
    }
}

// Sync tools and editors' own files: they are nobody's wish, and must not hold up what is.
TEST(SlotTable, AnEditIsSeenHoweverBusyTheDirectoryIs) {
    House house;
    house.model("tiny");
    house.start();
    house.file("late", "model = \"tiny\"\n");
    int touches = 0;
    ASSERT_TRUE(house.until([&] {
        house.file(".late.swp", std::to_string(++touches));
        house.loop->run_once(20ms);
        return house.table->find("late").ok();
    }));
}

TEST(SlotTable, ASwapThatFailsComesBackAndSaysSo) {
    House house;
    house.model("one");
    house.model("bad", {"die-before-ready=1"});
    auto const mine = house.dir / "mine.toml";
    ASSERT_TRUE(os::atomic_write(mine, "model = \"one\"\n", 0600));
    std::filesystem::create_symlink(mine, house.file_path("a"));
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
    EXPECT_TRUE(os::is_symlink(house.file_path("a"))) << "written where it leads";
    EXPECT_EQ(os::status(mine)->mode, 0600U);
}

// The worker that is on its way down still has the old model: no reason to think that the swap failed.
TEST(SlotTable, ASwapWhileTheSlotDrainsChangesTheFileAndLoadsNothing) {
    House house;
    house.model("one");
    house.model("two");
    house.file("a", "model = \"one\"\n");
    house.start();
    ASSERT_TRUE(house.reaches("a", State::Ready));
    house.host->busy = true;
    house.table->unload("a", {});
    auto const swapped = house.outcome([&](Done done) { house.table->swap("a", "two", std::move(done)); });
    ASSERT_TRUE(swapped.ok()) << swapped.error().message;
    EXPECT_EQ(text_of(house, "a"), "model = \"two\"\n");
    EXPECT_EQ(house.status("a").wanted, Wanted::Down);
    house.table->drained("a");
    ASSERT_TRUE(house.reaches("a", State::Offline));
    EXPECT_EQ(house.status("a").model, "two");
    EXPECT_EQ(house.recorded("load"), 1);
}

TEST(SlotTable, ASwapThatWaitsForRequestsCanBeCalledOff) {
    House house;
    house.model("one");
    house.model("two");
    for (auto const* name : {"a", "b"}) {
        house.file(name, "model = \"one\"\n");
        house.start();
        ASSERT_TRUE(house.reaches(name, State::Ready));
        house.host->busy = true;
        std::optional<Result<SlotStatus>> swapped;
        house.table->swap(name, "two", [&](Result<SlotStatus> told) { swapped = std::move(told); });
        auto const load = house.outcome([&](Done done) { house.table->load(name, std::move(done)); });
        EXPECT_EQ(load.error().kind, Errc::Conflict);
        auto const down = house.outcome([&](Done done) {
            if (name == std::string_view{"a"})
                return house.table->unload(name, std::move(done), InFlight::CutOff);
            house.table->remove(name, {});
            house.table->remove(name, std::move(done),
                                InFlight::CutOff);  // asked again: no longer waited for
        });
        ASSERT_TRUE(down.ok()) << down.error().message;
        ASSERT_TRUE(swapped.has_value());
        EXPECT_EQ(swapped->error().kind, Errc::Conflict);
        EXPECT_FALSE(house.holder(name));
    }
    EXPECT_EQ(text_of(house, "a"), "model = \"two\"\n") << "as a swap of a slot that is down";
    EXPECT_FALSE(house.table->find("b").ok());
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

TEST(SlotTable, AnUnloadThatCallsOffTheNextTryTellsTheRequestsThatWaitForIt) {
    House house;
    house.model("tiny");
    house.file("a", "model = \"tiny\"\n");
    house.start();
    ASSERT_TRUE(house.reaches("a", State::Ready));
    ::kill(*house.status("a").pid, SIGKILL);
    ASSERT_TRUE(house.reaches("a", State::Error));
    ASSERT_TRUE(house.table->wake("a").ok()) << "it waits for the restart";
    ASSERT_TRUE(house.outcome([&](Done done) { house.table->unload("a", std::move(done)); }).ok());
    EXPECT_EQ(house.host->count("failed a"), 1);
    EXPECT_TRUE(house.table->wake("a").ok());
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
    EXPECT_EQ(house.status("a").state, State::Unloading);
    auto const removed =
        house.outcome([&](Done done) { house.table->remove("a", std::move(done), InFlight::CutOff); });
    EXPECT_EQ(removed.error().kind, Errc::Unavailable) << "its file stays: it must not be said to be gone";
    EXPECT_TRUE(os::exists(house.file_path("a")));
    ASSERT_TRUE(house.until([&] { return down; }));
    EXPECT_FALSE(house.holder("a"));
    bool again = false;
    house.table->shut_down(100ms, [&again] { again = true; });
    EXPECT_TRUE(again) << "who asks when all is down is told at once";
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
    house.file("b", "model = \"gemma-3-270m\"\n");
    house.start();
    ASSERT_TRUE(house.reaches("a", State::Ready));
    auto const a = join(house.table->explain("a").value(), "\n");
    EXPECT_NE(a.find("--ctx-size 4096"), std::string::npos) << a;
    EXPECT_NE(a.find(format("process {}", *house.status("a").pid)), std::string::npos) << a;
    auto const b = join(house.table->explain("b").value(), "\n");
    EXPECT_NE(b.find("hal0 model pull gemma-3-270m"), std::string::npos) << b;
}

}  // namespace
}  // namespace hal0::slots
