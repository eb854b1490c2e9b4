#include "slots/state.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <utility>
#include <vector>

namespace hal0::slots {
namespace {

using namespace std::chrono_literals;

constexpr TimePoint t0{1h};

// A slot led through events, one second apart.
struct Life {
    SlotState state{};
    TimePoint at{t0};
    std::vector<Action> last{};

    Life& on(Event event) {
        at += 1s;
        auto const next = step(state, event, at);
        state = next.state;
        last.assign(next.actions.begin(), next.actions.end());
        return *this;
    }
    [[nodiscard]] bool did(Action action) const {
        return std::find(last.begin(), last.end(), action) != last.end();
    }
};

Life ready(bool enabled = false) {
    Life life;
    life.state.enabled = enabled;
    life.on(Event::Load).on(Event::AnswersLoading).on(Event::AnswersReady);
    EXPECT_EQ(life.state.phase, Phase::Ready);
    return life;
}

TEST(SlotState, ALoadLaunchesOnceAndOpensWhenReady) {
    Life life;
    EXPECT_TRUE(life.on(Event::Load).did(Action::Launch));
    EXPECT_TRUE(life.on(Event::Wake).last.empty());
    EXPECT_TRUE(life.on(Event::AnswersLoading).last.empty());
    EXPECT_TRUE(life.on(Event::Load).last.empty());
    EXPECT_TRUE(life.on(Event::AnswersReady).did(Action::OpenGate));
}

TEST(SlotState, ItsOutputIsLookedAtBeforeItServes) {
    Life life;
    life.state.checks = true;
    life.on(Event::Load).on(Event::AnswersLoading);
    EXPECT_EQ(life.on(Event::AnswersReady).last, std::vector{Action::Check});
    EXPECT_TRUE(life.on(Event::AnswersReady).last.empty());
    EXPECT_EQ(life.on(Event::AnswersLoading).state.phase, Phase::Checking);
    EXPECT_EQ(state_of(life.state.phase), State::Loading);
    EXPECT_TRUE(step(life.state, Event::LoadTimeout, life.at).actions == Actions{}) << "it has loaded";
    EXPECT_TRUE(step(life.state, Event::Unload, life.at).state.phase == Phase::Stopping);
    EXPECT_TRUE(step(life.state, Event::WorkerEnded, life.at).state.phase == Phase::Failed);
    EXPECT_TRUE(life.on(Event::Checked).did(Action::OpenGate));
    EXPECT_TRUE(life.on(Event::Checked).last.empty());
}

TEST(SlotState, AnUnloadDrainsThenStopsThenKills) {
    auto life = ready();
    EXPECT_TRUE(life.on(Event::Unload).did(Action::CloseGate));
    EXPECT_TRUE(life.on(Event::StopTimeout).last.empty());  // no clock runs while requests are finished
    EXPECT_TRUE(life.on(Event::Drained).did(Action::Terminate));
    EXPECT_TRUE(life.on(Event::StopTimeout).did(Action::Kill));
    EXPECT_EQ(life.on(Event::WorkerEnded).state.phase, Phase::Offline);
    EXPECT_EQ(life.state.wanted, Wanted::Down);
}

TEST(SlotState, RequestsThatDontEndAreCutOff) {
    auto life = ready();
    EXPECT_TRUE(life.on(Event::CutOff).last.empty()) << "only of a closed slot";
    EXPECT_TRUE(life.on(Event::Unload).on(Event::CutOff).did(Action::Terminate));
    EXPECT_TRUE(life.on(Event::Drained).last.empty());  // their connections have ended
    EXPECT_EQ(life.on(Event::WorkerEnded).state.phase, Phase::Offline);
    life = ready();
    EXPECT_TRUE(life.on(Event::Restart).on(Event::WorkerEnded).on(Event::CutOff).did(Action::Launch));
}

TEST(SlotState, ALoadWhileItGoesDownBringsItUpAgain) {
    auto life = ready();
    life.on(Event::Unload).on(Event::Load).on(Event::Drained);
    EXPECT_EQ(life.state.phase, Phase::Stopping);
    EXPECT_TRUE(life.on(Event::WorkerEnded).did(Action::Launch));
    life.on(Event::Unload);
    EXPECT_TRUE(life.did(Action::Terminate));
    EXPECT_TRUE(life.did(Action::TellFailed));  // whoever waits for this load
}

// Its requests must leave before the next worker opens the slot to new ones.
TEST(SlotState, AWorkerThatDiesWhileDrainingIsNotReplacedBeforeTheLastRequestLeft) {
    auto life = ready();
    EXPECT_TRUE(life.on(Event::Restart).did(Action::CloseGate));
    EXPECT_TRUE(life.on(Event::WorkerEnded).last.empty());
    EXPECT_TRUE(life.on(Event::Drained).did(Action::Launch));
}

TEST(SlotState, AWorkerLostWhileReadyComesBackAfterAPause) {
    auto life = ready();
    life.on(Event::WorkerEnded);
    EXPECT_TRUE(life.did(Action::TellLost));
    EXPECT_TRUE(life.did(Action::ArmRetry));
    EXPECT_EQ(life.state.back_off.until, life.at + 1s);
    EXPECT_TRUE(life.on(Event::Wake).last.empty());  // no client can hurry it
    EXPECT_TRUE(life.on(Event::RetryDue).did(Action::Launch));
}

// A request may wait for the try that is called off; the next one must not run into its pause.
TEST(SlotState, AnUnloadDuringThePauseTellsWhoWaitsAndForgivesTheFailure) {
    auto life = ready();
    life.on(Event::WorkerEnded).on(Event::Wake);
    ASSERT_EQ(life.state.phase, Phase::Waiting);
    life.on(Event::Unload);
    EXPECT_EQ(life.last, std::vector{Action::TellFailed});
    EXPECT_EQ(life.state.phase, Phase::Offline);
    EXPECT_TRUE(step(life.state, Event::Wake, life.at).state.phase == Phase::Starting);
}

TEST(SlotState, AFailedLoadIsTriedAgainOnlyWhereTheFileWantsItUp) {
    Life on_demand;
    EXPECT_EQ(on_demand.on(Event::Wake).on(Event::WorkerEnded).state.phase, Phase::Failed);
    EXPECT_TRUE(on_demand.did(Action::TellFailed));
    Life enabled;
    enabled.state.enabled = true;
    EXPECT_EQ(enabled.on(Event::Load).on(Event::WorkerEnded).state.phase, Phase::Waiting);
    EXPECT_TRUE(enabled.did(Action::TellFailed));
}

TEST(SlotState, ARequestMayTryAgainOnceThePauseIsOver) {
    Life life;
    life.on(Event::Wake).on(Event::WorkerEnded);
    EXPECT_FALSE(step(life.state, Event::Wake, life.at + 999ms).state.phase == Phase::Starting);
    EXPECT_TRUE(step(life.state, Event::Wake, life.at + 1s).state.phase == Phase::Starting);
}

TEST(SlotState, AfterFiveFailuresInTenMinutesItStaysDownUntilAsked) {
    auto life = ready(true);
    std::vector<Duration> pauses;
    life.on(Event::WorkerEnded);
    while (life.state.phase == Phase::Waiting) {
        pauses.push_back(life.state.back_off.until - life.at);
        life.on(Event::RetryDue).on(Event::WorkerEnded);
    }
    EXPECT_EQ(pauses, (std::vector<Duration>{1s, 2s, 4s, 8s}));
    EXPECT_EQ(life.state.phase, Phase::Failed);
    EXPECT_TRUE(life.on(Event::Load).did(Action::Launch));
    life.on(Event::WorkerEnded);
    EXPECT_EQ(life.state.back_off.until - life.at, 1s) << "asking forgives";
}

TEST(SlotState, SlowFailuresPauseUpToAMinuteAndQuietOnesAreForgotten) {
    BackOff back_off;
    auto at = t0;
    for (int i = 0; i < 9; ++i)
        back_off.failed(at += 3min);
    EXPECT_FALSE(back_off.given_up);
    EXPECT_EQ(back_off.until - at, 60s);
    back_off.failed(at += 11min);
    EXPECT_EQ(back_off.until - at, 1s);
}

TEST(SlotState, WhatCantBeLaunchedIsLookedAtAgainAtOnceWhenWanted) {
    Life life;
    life.state.enabled = true;
    EXPECT_EQ(life.on(Event::Load).on(Event::CannotLaunch).state.phase, Phase::Lacking);
    EXPECT_TRUE(life.on(Event::Wake).did(Action::Launch));
}

TEST(SlotState, ALoadThatTakesTooLongIsKilledAndCountsAsAFailure) {
    Life life;
    EXPECT_TRUE(life.on(Event::Load).on(Event::LoadTimeout).did(Action::Kill));
    EXPECT_EQ(life.on(Event::WorkerEnded).state.phase, Phase::Failed);
}

TEST(SlotState, AnAdoptedWorkerIsAskedNotStarted) {
    Life life;
    life.on(Event::Adopted);
    EXPECT_EQ(life.last, std::vector{Action::Probe});
    EXPECT_TRUE(life.on(Event::AnswersReady).did(Action::OpenGate));
}

// Whatever happens in whatever order: never two workers, never an open slot that is being stopped, never a
// request that waits for nothing.
TEST(SlotState, AnyOrderOfEventsKeepsOneWorkerAndClosesBeforeItStops) {
    for (unsigned seed = 0; seed < 200; ++seed) {
        SCOPED_TRACE(testing::Message() << "seed " << seed);
        std::mt19937 random{seed};
        Life life;
        life.state.checks = seed % 2 == 0;
        bool worker = false;
        bool open = false;
        for (int i = 0; i < 200; ++i) {
            auto const event = static_cast<Event>(random() % (static_cast<unsigned>(Event::RetryDue) + 1));
            bool const of_worker = event == Event::WorkerEnded || event == Event::AnswersReady ||
                                   event == Event::AnswersLoading || event == Event::Checked;
            bool const of_launch = event == Event::SpawnFailed || event == Event::CannotLaunch;
            if (of_worker && !worker) continue;
            if (event == Event::Adopted && worker) continue;
            if (of_launch && life.state.phase != Phase::Starting) continue;
            if (event == Event::WorkerEnded || of_launch) worker = false;
            if (event == Event::Adopted && life.on(event).did(Action::Probe)) worker = true;
            if (event != Event::Adopted) life.on(event);
            for (auto const action : life.last) {
                bool const closes = action == Action::CloseGate || action == Action::TellLost;
                ASSERT_FALSE(action == Action::Launch && std::exchange(worker, true));
                ASSERT_FALSE(action == Action::Terminate && (open || !worker));
                ASSERT_FALSE(action == Action::OpenGate && std::exchange(open, true));
                ASSERT_FALSE(closes && !std::exchange(open, false));
            }
            ASSERT_EQ(life.state.worker, worker);
            if (event == Event::Wake) {
                ASSERT_NE(life.state.phase, Phase::Offline) << "a request that nobody answers";
            }
        }
    }
}

}  // namespace
}  // namespace hal0::slots
