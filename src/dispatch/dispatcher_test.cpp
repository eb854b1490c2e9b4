#include "dispatch/dispatcher.hpp"

#include <gtest/gtest.h>

#include <set>

namespace hal0::dispatch {
namespace {

using namespace std::chrono_literals;

// A loop that reads what it is told at once, on the same thread.
class FakeLoop final : public LoopPort {
  public:
    void publish(RouteTable const& table, std::uint64_t version) override {
        table_ = &table;
        version_ = version;
    }
    void grant(Ticket ticket) override { granted.push_back(ticket.connection); }
    void refuse(Ticket ticket, Error why) override {
        refused.emplace_back(ticket.connection, std::move(why));
    }
    void forget_worker(os::Address) override { ++forgotten; }

    RouteTable const* table_{nullptr};
    std::uint64_t version_{0};
    std::vector<std::uint32_t> granted{};
    std::vector<std::pair<std::uint32_t, Error>> refused{};
    int forgotten{0};
};

class FakeSlots final : public SlotWaker {
  public:
    Result<void> wake(std::string const& slot) override {
        woken.push_back(slot);
        if (refuse_with) return *refuse_with;
        return {};
    }
    void drained(std::string const& slot) override { drained_slots.push_back(slot); }
    std::vector<std::string> woken{}, drained_slots{};
    std::optional<Error> refuse_with{};
};

struct Dispatching : testing::Test {
    std::unique_ptr<os::Loop> loop = os::Loop::make().value();
    std::unique_ptr<os::Inbox> inbox = os::Inbox::make(*loop).value();
    FakeSlots slots;
    FakeLoop data;
    Dispatcher dispatcher{*loop, *inbox, slots, {.queue = {}, .wait_max = 50ms}};

    void SetUp() override {
        dispatcher.add_loop(data);
        dispatcher.upsert({.slot = "primary", .model = "m"});
    }
    void turn() { loop->run_once(0s); }
    static Ticket ticket(std::uint32_t n) { return {.loop = 0, .connection = n, .generation = 1}; }
    void want(std::uint32_t n) { dispatcher.wanted(ticket(n), "primary", Bytes{1}); }
};

TEST_F(Dispatching, ColdRequestsWakeTheSlotAndAreGrantedWhenItOpens) {
    for (std::uint32_t n = 0; n < 50; ++n)
        want(n);
    turn();
    EXPECT_EQ(slots.woken, std::vector<std::string>(50, "primary"));
    EXPECT_EQ(dispatcher.waiting("primary"), 50U);
    dispatcher.open("primary", os::UnixAddress{"/w"}, "key");
    EXPECT_EQ(data.granted.size(), 50U);
    auto const* route = data.table_->find("primary");
    EXPECT_EQ(route->worker, os::Address{os::UnixAddress{"/w"}});
    EXPECT_EQ(route->key, "key");
    EXPECT_TRUE(route->gate->is_open());
}

TEST_F(Dispatching, ARequestThatCrossesTheOpeningIsGrantedNotLeftWaiting) {
    want(1);  // posted, not yet handled
    dispatcher.open("primary", os::UnixAddress{"/w"}, "key");
    turn();
    EXPECT_EQ(data.granted, (std::vector<std::uint32_t>{1}));
    EXPECT_TRUE(slots.woken.empty());
}

TEST_F(Dispatching, ARefusedWakeRefusesAllWaiters) {
    slots.refuse_with = Error{Errc::NotFound, "no model"};
    want(1);
    turn();
    ASSERT_EQ(data.refused.size(), 1U);
    EXPECT_EQ(data.refused[0].second.message, "no model");
    EXPECT_EQ(dispatcher.waiting("primary"), 0U);
}

TEST_F(Dispatching, TheLateAreToldAtTheirDeadline) {
    want(1);
    turn();
    while (data.refused.empty())
        loop->run_once(1s);
    EXPECT_EQ(data.refused[0].second.kind, Errc::Timeout);
}

TEST_F(Dispatching, ClosingDrainsAndForgetsTheWorker) {
    dispatcher.open("primary", os::UnixAddress{"/w"}, "key");
    auto lease = Lease::take(*data.table_->find("primary")->gate);
    dispatcher.close("primary");
    turn();
    EXPECT_TRUE(slots.drained_slots.empty());
    EXPECT_EQ(data.forgotten, 1);
    lease.release();
    turn();
    EXPECT_EQ(slots.drained_slots, (std::vector<std::string>{"primary"}));
}

// What a loop makes of a table once (its /v1/models) tells which slots are open.
TEST_F(Dispatching, EveryOpeningAndClosingIsPublished) {
    auto const before = data.version_;
    dispatcher.open("primary", os::UnixAddress{"/w"}, "key");
    EXPECT_EQ(data.version_, before + 1);
    dispatcher.close("primary");
    EXPECT_EQ(data.version_, before + 2);
    EXPECT_FALSE(data.table_->find("primary")->gate->is_open());
    dispatcher.close("primary");
    EXPECT_EQ(data.version_, before + 2) << "nothing has changed";
}

TEST_F(Dispatching, ARemovedSlotsWaitersAreToldAndItsLateLeaseIsHarmless) {
    dispatcher.open("primary", os::UnixAddress{"/w"}, "key");
    auto lease = Lease::take(*data.table_->find("primary")->gate);
    dispatcher.close("primary");
    want(7);
    turn();
    dispatcher.remove("primary");
    ASSERT_EQ(data.refused.size(), 1U);
    EXPECT_EQ(data.table_->find("primary"), nullptr);
    dispatcher.table_seen(0, data.version_);
    turn();
    lease.release();
    turn();
}

TEST_F(Dispatching, OldTablesStandUntilEveryLoopHasSeenANewer) {
    FakeLoop behind;
    dispatcher.add_loop(behind);
    auto const* old_table = data.table_;
    dispatcher.upsert({.slot = "embed", .model = "e", .kind = models::Kind::Embed});
    dispatcher.table_seen(0, data.version_);
    turn();
    EXPECT_EQ(old_table->routes().size(), 1U);  // readable still: ASan would say otherwise
    dispatcher.table_seen(1, behind.version_);
    turn();
    EXPECT_EQ(data.table_->routes().size(), 2U);
}

}  // namespace
}  // namespace hal0::dispatch
