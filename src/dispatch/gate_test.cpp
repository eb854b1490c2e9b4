#include "dispatch/gate.hpp"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

namespace hal0::dispatch {
namespace {

TEST(SlotGate, IsBornClosed) {
    SlotGate gate{[] {}};
    EXPECT_FALSE(gate.is_open());
    EXPECT_FALSE(Lease::take(gate).held());
}

TEST(SlotGate, TheLastToLeaveAClosedGateTellsOnce) {
    int told = 0;
    SlotGate gate{[&told] { ++told; }};
    gate.open();
    auto first = Lease::take(gate);
    auto second = Lease::take(gate);
    EXPECT_EQ(gate.in_flight(), 2U);
    gate.close();
    gate.close();
    EXPECT_EQ(told, 0);
    first.release();
    EXPECT_EQ(told, 0);
    second.release();
    EXPECT_EQ(told, 1);
}

TEST(SlotGate, ClosingAnEmptyGateTellsAtOnceAndOnlyOnce) {
    int told = 0;
    SlotGate gate{[&told] { ++told; }};
    gate.open();
    gate.close();
    gate.close();
    EXPECT_EQ(told, 1);
}

TEST(SlotGate, AMovedLeaseLeavesOnce) {
    SlotGate gate{[] {}};
    gate.open();
    {
        auto lease = Lease::take(gate);
        Lease other{std::move(lease)};
        EXPECT_EQ(gate.in_flight(), 1U);
    }
    EXPECT_EQ(gate.in_flight(), 0U);
}

// Threads enter and leave while the gate is closed: whatever the interleaving, it tells once and nobody is
// inside.
TEST(SlotGate, DrainsOnceUnderContention) {
    for (int round = 0; round < 200; ++round) {
        std::atomic<int> told{0};
        SlotGate gate{[&told] { ++told; }};
        gate.open();
        std::vector<std::thread> users;
        for (int t = 0; t < 3; ++t) {
            users.emplace_back([&gate] {
                for (int i = 0; i < 50; ++i) {
                    auto const lease = Lease::take(gate);
                    if (!lease.held()) return;
                }
            });
        }
        gate.close();
        for (auto& user : users)
            user.join();
        EXPECT_EQ(told.load(), 1);
        EXPECT_EQ(gate.in_flight(), 0U);
    }
}

TEST(SlotGate, ClosesWhereNobodyIsInItAndNotElse) {
    int told = 0;
    SlotGate gate{[&told] { ++told; }};
    EXPECT_FALSE(gate.close_if_empty()) << "closed already";
    gate.open();
    {
        auto const lease = Lease::take(gate);
        EXPECT_EQ(gate.idle_since(), std::nullopt);
        EXPECT_FALSE(gate.close_if_empty());
        EXPECT_TRUE(gate.is_open());
    }
    EXPECT_LE(gate.idle_since(), Clock::now());
    EXPECT_TRUE(gate.close_if_empty());
    EXPECT_EQ(told, 1);
    gate.close();
    EXPECT_EQ(told, 1) << "once for each closing";
}

}  // namespace
}  // namespace hal0::dispatch
