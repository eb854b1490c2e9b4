#include "dispatch/scheduler.hpp"

#include <gtest/gtest.h>

#include <random>
#include <set>

namespace hal0::dispatch {
namespace {

using namespace std::chrono_literals;

Ticket ticket(std::uint32_t n) { return {.loop = 0, .connection = n, .generation = 1}; }
TimePoint at(int second) { return TimePoint{std::chrono::seconds{second}}; }
Wanted wants(std::uint32_t n, std::string slot, Bytes body = Bytes{10}, int deadline = 100) {
    return {ticket(n), std::move(slot), body, at(deadline)};
}

// Each wakes the slot, which takes them for one load: whoever was first may wait for one that was called off.
TEST(Scheduler, EveryColdRequestWakesTheSlotAndAllAreGranted) {
    Scheduler scheduler{{}};
    for (std::uint32_t n = 0; n < 50; ++n)
        EXPECT_EQ(scheduler.on(wants(n, "primary")), (std::vector<Action>{Wake{"primary"}}));
    auto const grants = scheduler.on(SlotUp{"primary"});
    ASSERT_EQ(grants.size(), 50U);
    EXPECT_EQ(grants.front(), Action{Grant{ticket(0)}});
    EXPECT_EQ(grants.back(), Action{Grant{ticket(49)}});
    EXPECT_EQ(scheduler.waiting(), 0U);
    EXPECT_EQ(scheduler.bytes_waiting(), Bytes{});
}

TEST(Scheduler, AFailureReachesTheWaitersOfItsSlotOnly) {
    Scheduler scheduler{{}};
    (void)scheduler.on(wants(1, "primary"));
    (void)scheduler.on(wants(2, "embed"));
    Error const why{Errc::Unavailable, "out of memory"};
    EXPECT_EQ(scheduler.on(SlotFailed{"primary", why}), (std::vector<Action>{Refuse{ticket(1), why}}));
    EXPECT_EQ(scheduler.waiting("embed"), 1U);
}

TEST(Scheduler, CancelledWaitersLeaveNoTrace) {
    Scheduler scheduler{{}};
    (void)scheduler.on(wants(1, "primary"));
    (void)scheduler.on(Cancelled{ticket(1)});
    (void)scheduler.on(Cancelled{ticket(1)});
    EXPECT_EQ(scheduler.waiting(), 0U);
    EXPECT_EQ(scheduler.bytes_waiting(), Bytes{});
    EXPECT_EQ(scheduler.next_deadline(), TimePoint::max());
    EXPECT_TRUE(scheduler.on(SlotUp{"primary"}).empty());
}

TEST(Scheduler, IsBoundedInCountAndInBytesOverAllSlots) {
    Scheduler scheduler{{.waiting_max = 2, .bytes_max = Bytes{100}}};
    (void)scheduler.on(wants(1, "a", Bytes{60}));
    auto const heavy = scheduler.on(wants(2, "b", Bytes{60}));
    ASSERT_EQ(heavy.size(), 1U);
    EXPECT_EQ(std::get<Refuse>(heavy[0]).why.kind, Errc::Busy);
    (void)scheduler.on(wants(3, "b", Bytes{40}));
    auto const third = scheduler.on(wants(4, "c", Bytes{0}));
    EXPECT_EQ(std::get<Refuse>(third.at(0)).why.kind, Errc::Busy);
    EXPECT_EQ(scheduler.waiting(), 2U);
}

TEST(Scheduler, TellsTheLateAtTheirDeadlineAndKeepsTheOthersInOrder) {
    Scheduler scheduler{{}};
    (void)scheduler.on(wants(1, "primary", Bytes{1}, 10));
    (void)scheduler.on(wants(2, "primary", Bytes{1}, 30));
    (void)scheduler.on(wants(3, "primary", Bytes{1}, 20));
    EXPECT_EQ(scheduler.next_deadline(), at(10));
    auto const late = scheduler.on(Tick{at(20)});
    ASSERT_EQ(late.size(), 2U);
    EXPECT_EQ(std::get<Refuse>(late[0]).ticket, ticket(1));
    EXPECT_EQ(std::get<Refuse>(late[0]).why.kind, Errc::Timeout);
    EXPECT_EQ(std::get<Refuse>(late[1]).ticket, ticket(3));
    EXPECT_EQ(scheduler.on(SlotUp{"primary"}), (std::vector<Action>{Grant{ticket(2)}}));
}

// Seeded random life: nobody is lost, nobody is answered twice, the sums never drift.
TEST(Scheduler, AtTheEndNobodyWaitsAndNobodyBegins) {
    Scheduler scheduler{{}};
    (void)scheduler.on(wants(1, "primary"));
    (void)scheduler.on(wants(2, "embed"));
    Error const why{Errc::Unavailable, "hal0 is stopping"};
    auto const told = scheduler.on(Ended{why});
    EXPECT_EQ(told, (std::vector<Action>{Refuse{ticket(2), why}, Refuse{ticket(1), why}}));
    EXPECT_EQ(scheduler.on(wants(3, "primary")), (std::vector<Action>{Refuse{ticket(3), why}}));
    EXPECT_EQ(scheduler.waiting(), 0U);
}

TEST(Scheduler, LosesNobodyWhateverHappens) {
    for (unsigned seed = 1; seed <= 300; ++seed) {
        std::mt19937 random{seed};
        Scheduler scheduler{{.waiting_max = 20, .bytes_max = Bytes{500}}};
        std::set<Ticket> waiting;
        std::uint32_t next = 0;
        auto settle = [&](std::vector<Action> const& actions) {
            for (auto const& action : actions) {
                Ticket const* answered = nullptr;
                if (auto const* grant = std::get_if<Grant>(&action)) answered = &grant->ticket;
                if (auto const* refuse = std::get_if<Refuse>(&action)) answered = &refuse->ticket;
                if (answered != nullptr) {
                    ASSERT_EQ(waiting.erase(*answered), 1U) << seed;
                }
            }
        };
        for (int i = 0; i < 200; ++i) {
            std::string const slot{static_cast<char>('a' + random() % 3)};
            switch (random() % 6) {
                case 0:
                case 1:
                case 2:
                    waiting.insert(ticket(next));
                    settle(scheduler.on(wants(next++, slot, Bytes{static_cast<int>(random() % 50)},
                                              i + static_cast<int>(random() % 40))));
                    break;
                case 3:
                    if (!waiting.empty()) {
                        (void)scheduler.on(Cancelled{*waiting.begin()});
                        waiting.erase(waiting.begin());
                    }
                    break;
                case 4:
                    settle(random() % 2 == 0 ? scheduler.on(SlotUp{slot})
                                             : scheduler.on(SlotFailed{slot, {}}));
                    break;
                default: settle(scheduler.on(Tick{at(i)})); break;
            }
            ASSERT_EQ(scheduler.waiting(), waiting.size()) << "seed " << seed;
        }
        for (auto const* slot : {"a", "b", "c"})
            settle(scheduler.on(SlotUp{slot}));
        EXPECT_TRUE(waiting.empty()) << "seed " << seed;
        EXPECT_EQ(scheduler.bytes_waiting(), Bytes{}) << "seed " << seed;
    }
}

}  // namespace
}  // namespace hal0::dispatch
