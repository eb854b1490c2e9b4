// One slot's life with true workers, whoever keeps them.
#include "slots/test_house.hpp"

namespace hal0::slots {
namespace {

using namespace std::chrono_literals;

class SlotLife : public testing::TestWithParam<Keeper> {
  protected:
    void SetUp() override {
        if (GetParam() == Keeper::Systemd && !test_manager().lacking().empty())
            GTEST_SKIP() << test_manager().lacking();
    }
};
INSTANTIATE_TEST_SUITE_P(KeptBy, SlotLife, testing::Values(Keeper::Process, Keeper::Systemd),
                         [](auto const& kept) {
                             return kept.param == Keeper::Process ? "Nobody" : "Systemd";
                         });

bool says(SlotStatus const& status, std::string const& words) {
    return status.cause.find(words) != std::string::npos;
}

TEST_P(SlotLife, ComesUpAndIsReady) {
    House house{"home", GetParam()};
    house.model("tiny", {"ready-after-ms=700"});
    house.file("primary", "model = \"tiny\"\n");
    house.start();
    EXPECT_EQ(house.status("primary").state, State::Starting);
    ASSERT_TRUE(house.reaches("primary", State::Ready));
    auto const status = house.status("primary");
    EXPECT_EQ(status.pid, house.holder("primary"));
    EXPECT_TRUE(status.program.ends_with("/bin/llama-server")) << status.program;
    EXPECT_EQ(status.model, "tiny");
    EXPECT_EQ(status.context, 4096);
    EXPECT_GT(status.memory->count, 0);
    EXPECT_TRUE(says(status, "loaded in")) << status.cause;
    EXPECT_EQ(house.host->address, os::Address{os::UnixAddress{run_dir(house.places, "primary").socket}});
    EXPECT_EQ(house.host->heard, (std::vector<std::string>{"starting primary", "loading primary",
                                                           "ready primary", "open primary"}));
}

TEST_P(SlotLife, WorkersComeUpSideBySide) {
    House house{"home", GetParam()};
    house.model("tiny");
    house.file("a", "model = \"tiny\"\n");
    house.file("b", "model = \"tiny\"\n");
    house.start();
    // Before a single turn of the loop: neither has waited for the other.
    for (auto const* name : {"a", "b"}) {
        EXPECT_EQ(house.status(name).state, State::Starting);
        EXPECT_EQ(house.status(name).pid.has_value(), GetParam() == Keeper::Process)
            << "systemd tells it later";
    }
    EXPECT_TRUE(house.reaches("a", State::Ready));
    EXPECT_TRUE(house.reaches("b", State::Ready));
}

TEST_P(SlotLife, AKilledWorkerIsReplaced) {
    House house{"home", GetParam()};
    house.model("tiny");
    house.file("primary", "model = \"tiny\"\n");
    house.start();
    ASSERT_TRUE(house.reaches("primary", State::Ready));
    auto const first = *house.status("primary").pid;
    ::kill(first, SIGKILL);
    ASSERT_TRUE(house.reaches("primary", State::Error));
    EXPECT_TRUE(says(house.status("primary"), "killed by SIGKILL (9) while serving"));
    EXPECT_EQ(house.host->count("lost primary"), 1);
    EXPECT_TRUE(house.table->wake("primary").ok()) << "a request waits for the restart";
    EXPECT_EQ(house.status("primary").state, State::Error) << "and doesn't hurry it";
    ASSERT_TRUE(house.reaches("primary", State::Ready));
    EXPECT_NE(house.status("primary").pid, first);
    EXPECT_EQ(house.status("primary").restarts, 1);
    EXPECT_EQ(house.status("primary").loads, 2);
}

// The promise of the house: the daemon owns no model.
TEST_P(SlotLife, TheNextDaemonAdoptsItsWorkerTwiceInARow) {
    House house{"home", GetParam()};
    house.model("tiny");
    house.file("primary", "model = \"tiny\"\n");
    house.start();
    ASSERT_TRUE(house.reaches("primary", State::Ready));
    auto const pid = *house.status("primary").pid;
    auto const started = os::start_ticks(pid);
    for (int i = 0; i < 2; ++i) {
        house.start();
        ASSERT_TRUE(house.reaches("primary", State::Ready));
        EXPECT_EQ(house.status("primary").pid, pid);
        EXPECT_EQ(os::start_ticks(pid), started);
        EXPECT_TRUE(house.status("primary").adopted);
        EXPECT_FALSE(house.status("primary").restart_pending);
        EXPECT_EQ(house.status("primary").loads, 0);
    }
    EXPECT_EQ(house.recorded("load tiny"), 1);
    auto const down = house.outcome([&](Done done) { house.table->unload("primary", std::move(done)); });
    EXPECT_EQ(down->state, State::Offline);
    EXPECT_FALSE(house.holder("primary"));
}

TEST_P(SlotLife, AnAdoptedWorkersEndIsSeenAndHowWhereItIsKnown) {
    House house{"home", GetParam()};
    house.model("tiny");
    house.file("primary", "model = \"tiny\"\n");
    house.start();
    ASSERT_TRUE(house.reaches("primary", State::Ready));
    house.start();
    ASSERT_TRUE(house.reaches("primary", State::Ready));
    ::kill(*house.status("primary").pid, SIGKILL);
    ASSERT_TRUE(house.reaches("primary", State::Error));
    auto const* const how = GetParam() == Keeper::Systemd ? "killed by SIGKILL (9)" : "status is unknown";
    EXPECT_TRUE(says(house.status("primary"), how)) << house.status("primary").cause;
    EXPECT_TRUE(house.reaches("primary", State::Ready));
}

TEST_P(SlotLife, AWorkerWhoseSpecIsGoneMakesWayForAnother) {
    House house{"home", GetParam()};
    house.model("tiny");
    house.file("primary", "model = \"tiny\"\n");
    house.start();
    ASSERT_TRUE(house.reaches("primary", State::Ready));
    auto const first = house.status("primary").pid;
    ASSERT_TRUE(os::remove_file(run_dir(house.places, "primary").spec));
    house.start();
    ASSERT_TRUE(house.reaches("primary", State::Ready));
    EXPECT_NE(house.status("primary").pid, first);
}

// Known by the worker's end, not by a time-out; in its own words.
TEST_P(SlotLife, ALoadThatFailsIsAnErrorAtOnceWithTheWorkersWords) {
    House house{"home", GetParam()};
    house.model("bad", {"die-before-ready=1"});
    house.file("primary", "model = \"bad\"\nenabled = false\n");
    house.start();
    EXPECT_EQ(house.status("primary").state, State::Offline);
    EXPECT_TRUE(house.table->wake("primary").ok());
    ASSERT_TRUE(house.reaches("primary", State::Error));
    auto const status = house.status("primary");
    EXPECT_TRUE(says(status, "exited with code 1 while loading: E srv    load_model: failed to load model"))
        << status.cause;
    EXPECT_EQ(house.host->count("failed primary"), 1);
    EXPECT_NE(house.host->failure.message.find("failed to load model"), std::string::npos);
    auto const again = house.table->wake("primary");  // no crash loop by clients
    ASSERT_FALSE(again.ok());
    EXPECT_EQ(again.error().kind, Errc::Unavailable);
    EXPECT_EQ(house.recorded("load bad"), 1);
    auto const asked = house.outcome([&](Done done) { house.table->load("primary", std::move(done)); });
    EXPECT_FALSE(asked.ok());
    EXPECT_EQ(house.recorded("load bad"), 2) << "who asks is not held up by the pause";
}

TEST_P(SlotLife, AWorkerThatIgnoresSigtermIsKilled) {
    House house{"home", GetParam()};
    house.model("deaf", {"ignore-term"});
    house.file("primary", "model = \"deaf\"\n");
    house.start();
    ASSERT_TRUE(house.reaches("primary", State::Ready));
    auto const down = house.outcome([&](Done done) { house.table->unload("primary", std::move(done)); });
    ASSERT_TRUE(down.ok());
    EXPECT_EQ(down->state, State::Offline);
    EXPECT_EQ(house.recorded("signal Terminated"), 1);
    EXPECT_FALSE(house.holder("primary"));
    EXPECT_FALSE(os::exists(run_dir(house.places, "primary").directory)) << "socket, key, spec and lock";
    EXPECT_TRUE(says(house.status("primary"), "asked to unload"));
}

TEST_P(SlotLife, AnUnloadWaitsForTheRequestsInFlight) {
    House house{"home", GetParam()};
    house.model("tiny");
    house.file("primary", "model = \"tiny\"\n");
    house.start();
    ASSERT_TRUE(house.reaches("primary", State::Ready));
    house.host->busy = true;
    bool done = false;
    house.table->unload("primary", [&done](Result<SlotStatus> const&) { done = true; });
    EXPECT_EQ(house.host->count("close primary"), 1);
    for (int i = 0; i < 5; ++i)
        house.loop->run_once(10ms);
    EXPECT_EQ(house.status("primary").state, State::Unloading);
    EXPECT_EQ(house.recorded("signal"), 0);
    house.table->drained("primary");
    EXPECT_TRUE(house.until([&] { return done; }));
    EXPECT_EQ(house.status("primary").state, State::Offline);
}

TEST_P(SlotLife, AModelThatComesDuringAnUnloadIsNotLoadedByItself) {
    House house{"home", GetParam()};
    house.model("tiny");
    house.file("primary", "model = \"tiny\"\n");
    house.start();
    ASSERT_TRUE(house.reaches("primary", State::Ready));
    house.file("primary", "model = \"later\"\n");
    ASSERT_TRUE(house.until([&] { return !house.status("primary").warnings.empty(); }));
    house.host->busy = true;
    bool done = false;
    house.table->unload("primary", [&done](Result<SlotStatus> const& outcome) { done = outcome.ok(); });
    house.model("later");
    house.table->supplies_changed();
    house.table->drained("primary");
    EXPECT_TRUE(house.until([&] { return done; }));
    EXPECT_EQ(house.status("primary").state, State::Offline);
    EXPECT_EQ(house.status("primary").wanted, Wanted::Down);
}

TEST_P(SlotLife, ARequestThatDoesntEndHoldsUpAnUnloadOnlySoLong) {
    House house{"home", GetParam()};
    house.model("tiny");
    house.file("primary", "model = \"tiny\"\ndrain_timeout_s = 1\n");
    house.start();
    ASSERT_TRUE(house.reaches("primary", State::Ready));
    house.host->busy = true;
    EXPECT_TRUE(house.outcome([&](Done done) { house.table->unload("primary", std::move(done)); }).ok());
    EXPECT_EQ(house.recorded("signal Terminated"), 1);
    EXPECT_FALSE(house.holder("primary"));
}

TEST_P(SlotLife, WhoAsksForItCutsTheRequestsOff) {
    House house{"home", GetParam()};
    house.model("tiny");
    house.file("primary", "model = \"tiny\"\n");
    house.start();
    ASSERT_TRUE(house.reaches("primary", State::Ready));
    house.host->busy = true;
    std::optional<Result<SlotStatus>> first;
    house.table->restart("primary", [&](Result<SlotStatus> told) { first = std::move(told); });
    auto const again =
        house.outcome([&](Done done) { house.table->restart("primary", std::move(done), InFlight::CutOff); });
    ASSERT_TRUE(again.ok()) << again.error().message;
    EXPECT_EQ(again->loads, 2);
    EXPECT_TRUE(first && first->ok());
}

// What is cut off needs no time to finish: a worker that takes it is killed.
TEST_P(SlotLife, OneThatCutsRequestsOffDoesNotWaitForTheWorker) {
    House house{"home", GetParam()};
    house.patience.stop = 1h;
    house.patience.cut_off = 10ms;
    house.model("deaf", {"ignore-term"});
    house.file("primary", "model = \"deaf\"\n");
    house.start();
    ASSERT_TRUE(house.reaches("primary", State::Ready));
    house.host->busy = true;
    EXPECT_TRUE(
        house.outcome([&](Done done) { house.table->unload("primary", std::move(done), InFlight::CutOff); })
            .ok());
    EXPECT_FALSE(house.holder("primary"));
}

TEST_P(SlotLife, AnUnloadBreaksOffALoadAndTellsWhoWaits) {
    House house{"home", GetParam()};
    house.model("slow", {"ready-after-ms=60000"});
    house.file("primary", "model = \"slow\"\n");
    house.start();
    ASSERT_TRUE(house.reaches("primary", State::Loading));
    std::optional<Result<SlotStatus>> load;
    house.table->load("primary", [&](Result<SlotStatus> told) { load = std::move(told); });
    EXPECT_TRUE(house.outcome([&](Done done) { house.table->unload("primary", std::move(done)); }).ok());
    EXPECT_EQ(house.host->count("failed primary"), 1);
    ASSERT_TRUE(load.has_value());
    EXPECT_EQ(load->error().kind, Errc::Conflict);
    EXPECT_FALSE(house.holder("primary"));
}

TEST_P(SlotLife, ALoadThatTakesForEverIsGivenUp) {
    House house{"home", GetParam()};
    house.model("hung", {"listen-after-ms=60000"});
    house.file("primary", "model = \"hung\"\nenabled = false\nload_timeout_s = 1\n");
    house.start();
    auto const load = house.outcome([&](Done done) { house.table->load("primary", std::move(done)); });
    ASSERT_FALSE(load.ok());
    EXPECT_NE(load.error().message.find("not ready within 1 s and was killed"), std::string::npos)
        << load.error().message;
    EXPECT_FALSE(house.holder("primary"));
}

TEST_P(SlotLife, WhatAWorkerLeavesInItsGroupIsKilled) {
    House house{"home", GetParam()};
    house.model("parent", {"grandchild-holds-stdout=1000"});
    house.file("primary", "model = \"parent\"\n");
    house.start();
    ASSERT_TRUE(house.reaches("primary", State::Ready));
    auto const group = *house.status("primary").pid;
    ::kill(group, SIGKILL);
    ASSERT_TRUE(house.reaches("primary", State::Error));
    EXPECT_TRUE(house.until([&] { return ::kill(-group, 0) != 0; })) << "the grandchild lives";
}

TEST_P(SlotLife, WithoutItsModelItSaysHowToGetIt) {
    House house{"home", GetParam()};
    house.file("primary", "model = \"tiny\"\n");
    house.start();
    auto const status = house.status("primary");
    EXPECT_EQ(status.state, State::Error);
    EXPECT_EQ(status.wanted, Wanted::Up);
    EXPECT_TRUE(says(status, "'hal0 model list' shows")) << status.cause;
    house.model("tiny");
    house.table->supplies_changed();
    EXPECT_TRUE(house.reaches("primary", State::Ready));
}

// Clients ask on and on: that is no reason to tell everybody each time.
TEST_P(SlotLife, RequestsForOneWithoutItsModelAreRefusedInSilence) {
    House house{"home", GetParam()};
    house.file("primary", "model = \"tiny\"\nenabled = false\n");
    house.start();
    EXPECT_FALSE(house.table->wake("primary").ok());
    EXPECT_EQ(house.host->count("failed primary"), 1);
    auto const heard = house.host->heard;
    auto const later = house.loop->now() + 1500ms;  // also past the time for which it isn't looked for
    ASSERT_TRUE(house.until([&] {
        auto const refused = house.table->wake("primary");
        EXPECT_NE(refused.ok() ? "" : refused.error().message, "");
        return house.loop->now() > later;
    }));
    EXPECT_EQ(house.host->heard, heard);
    house.model("tiny");
    EXPECT_TRUE(house.until([&] { return house.table->wake("primary").ok(); }));
    EXPECT_TRUE(house.reaches("primary", State::Ready));
}

// Said before a worker is started, which would only crash on it.
TEST_P(SlotLife, AModelFileThatIsNoneIsRefusedWithItsName) {
    House house{"home", GetParam()};
    house.model("tiny");
    auto const path = house.places.data + "/models/tiny/m.gguf";
    auto const size = static_cast<std::size_t>(os::status(path)->size.count);
    ASSERT_TRUE(os::atomic_write(path, std::string(size, 'x')));
    house.file("primary", "model = \"tiny\"\n");
    house.start();
    auto const status = house.status("primary");
    EXPECT_EQ(status.state, State::Error);
    EXPECT_TRUE(says(status, path)) << status.cause;
    EXPECT_TRUE(says(status, "it isn't a GGUF file")) << status.cause;
    EXPECT_EQ(house.recorded("load"), 0);
}

TEST_P(SlotLife, LivesInAHomeWithSpacesAndOneTooLongForSockets) {
    for (std::string const& place : {std::string{"my home/of 'things'"}, std::string(90, 'x')}) {
        House house{place, GetParam()};
        house.model("tiny");
        house.file("primary", "model = \"tiny\"\n");
        house.start();
        EXPECT_TRUE(house.reaches("primary", State::Ready));
    }
}

TEST_P(SlotLife, OneThatNobodyAsksGoesAndComesBackWhenAsked) {
    House house{"home", GetParam()};
    house.model("tiny");
    house.file("primary", "model = \"tiny\"\nidle_unload_s = 1\n");
    house.start();
    house.host->idle = 400ms;  // of the one second: it is looked at again when it could be over
    ASSERT_TRUE(house.reaches("primary", State::Ready));
    auto const began = Clock::now();
    EXPECT_TRUE(house.until([&] { return Clock::now() - began > 1200ms; }));
    EXPECT_EQ(house.status("primary").state, State::Ready);
    house.host->idle = 1s;
    house.host->comes_just_then = true;
    auto const then = Clock::now();
    EXPECT_TRUE(house.until([&] { return Clock::now() - then > 1200ms; }));
    EXPECT_EQ(house.status("primary").state, State::Ready);
    house.host->comes_just_then = false;
    ASSERT_TRUE(house.reaches("primary", State::Offline));
    EXPECT_TRUE(says(house.status("primary"), "nobody asked it for 1 s")) << house.status("primary").cause;
    house.model("other");
    auto const swapped =
        house.outcome([&](Done done) { house.table->swap("primary", "other", std::move(done)); });
    ASSERT_TRUE(swapped.ok()) << swapped.error().message;
    EXPECT_EQ(swapped->state, State::Ready) << "who swaps wants to know whether it loads";
    ASSERT_TRUE(house.reaches("primary", State::Offline));
    EXPECT_TRUE(house.table->wake("primary").ok());
    ASSERT_TRUE(house.reaches("primary", State::Ready));
    house.host->busy = true;
    auto const busy = Clock::now();
    EXPECT_TRUE(house.until([&] { return Clock::now() - busy > 1500ms; }));
    EXPECT_EQ(house.status("primary").state, State::Ready) << "nothing goes while it serves";
    house.host->busy = false;
    house.file("primary", "model = \"other\"\n");
    EXPECT_TRUE(
        house.until([&] { return house.table->find("primary").ok() && Clock::now() - busy > 3500ms; }));
    EXPECT_EQ(house.status("primary").state, State::Ready) << "its file wants it no more";
}

// ---- its output is looked at

struct Garbage {
    models::Kind kind{};
    std::string fault{};
    std::string words{};
};

TEST_P(SlotLife, ServesGarbageOnlyWithAWordOfWarning) {
    using enum models::Kind;
    std::vector<Garbage> const cases{
        {Chat, "chunks=8", ""},
        {Chat, "garbage=same", "it repeats one token"},
        {Chat, "garbage=random", "it doesn't think of 10"},
        {Chat, "garbage=nan", "no numbers (NaN)"},
        {Chat, "chunks=0", "it writes nothing"},
        {Chat, "status=500", "answers with status 500"},
        {Chat, "close-without-answer", "it breaks off when asked something small"},
        {Chat, "never-answer", "it doesn't answer a small question within 1 s"},
        {Embed, "dims=384", ""},
        {Embed, "garbage=same", "the same for every text"},
        {Embed, "garbage=random", "as near to strangers"},
        {Embed, "garbage=nan", "no numbers (NaN)"},
        {Rerank, "dims=384", ""},
        {Rerank, "garbage=same", "the same score"},
        {Rerank, "garbage=nan", "no numbers (NaN)"}};
    House house{"home", GetParam()};
    house.patience.check = 1s;
    for (std::size_t i = 0; i < cases.size(); ++i) {
        auto const name = "s" + std::to_string(i);
        house.model(name, {cases[i].fault}, cases[i].kind);
        house.file(name, "model = \"" + name + "\"\n");
    }
    house.start();
    for (std::size_t i = 0; i < cases.size(); ++i) {
        SCOPED_TRACE(std::string{to_string(cases[i].kind)} + " " + cases[i].fault);
        auto const name = "s" + std::to_string(i);
        ASSERT_TRUE(house.reaches(name, State::Ready));
        auto const status = house.status(name);
        if (cases[i].words.empty()) {
            EXPECT_EQ(status.suspicious, "");
        } else {
            EXPECT_NE(status.suspicious.find(cases[i].words), std::string::npos) << status.suspicious;
            EXPECT_TRUE(says(status, "; output suspicious: ")) << status.cause;
        }
    }
}

TEST_P(SlotLife, WhatWasFoundOfAWorkerIsKnownToTheNextDaemon) {
    House house{"home", GetParam()};
    house.patience.check = 5s;
    house.model("tiny", {"garbage=same"});
    house.file("primary", "model = \"tiny\"\n");
    house.file("unasked", "model = \"tiny\"\ncheck_output = false\n");
    house.start();
    ASSERT_TRUE(house.reaches("primary", State::Ready));
    ASSERT_TRUE(house.reaches("unasked", State::Ready));
    EXPECT_EQ(house.status("unasked").suspicious, "");
    EXPECT_EQ(house.recorded("request"), 1);
    house.start();
    ASSERT_TRUE(house.reaches("primary", State::Ready));
    EXPECT_EQ(house.status("primary").suspicious, "it repeats one token");
    EXPECT_EQ(house.recorded("request"), 1) << "asked again of a worker that serves";
    house.model("tiny");
    EXPECT_TRUE(house.outcome([&](Done done) { house.table->restart("primary", std::move(done)); }));
    EXPECT_EQ(house.status("primary").suspicious, "");
}

TEST_P(SlotLife, AWorkerThatDiesOfTheQuestionHasNotComeUp) {
    House house{"home", GetParam()};
    house.patience.check = 5s;
    house.model("tiny", {"die-on-request=1", "die-how=SIGSEGV"});
    house.file("primary", "model = \"tiny\"\nenabled = false\n");
    house.start();
    auto const outcome = house.outcome([&](Done done) { house.table->load("primary", std::move(done)); });
    ASSERT_FALSE(outcome);
    EXPECT_NE(outcome.error().message.find("SIGSEGV"), std::string::npos) << outcome.error().message;
    EXPECT_EQ(house.host->count("open primary"), 0);
}

}  // namespace
}  // namespace hal0::slots
