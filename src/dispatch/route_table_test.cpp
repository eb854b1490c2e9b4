#include "dispatch/route_table.hpp"

#include <gtest/gtest.h>

#include <array>

namespace hal0::dispatch {
namespace {

using models::Kind;

struct Routing : testing::Test {
    std::array<SlotGate, 4> gates{SlotGate{[] {}}, SlotGate{[] {}}, SlotGate{[] {}}, SlotGate{[] {}}};
    RouteTable table{{
        {.slot = "primary", .model = "smollm2", .kind = Kind::Chat, .gate = &gates[0]},
        {.slot = "embed", .model = "minilm", .kind = Kind::Embed, .gate = &gates[1]},
        {.slot = "coder-a", .model = "qwen:7b", .kind = Kind::Chat, .gate = &gates[2]},
        {.slot = "coder-b", .model = "qwen:7b", .kind = Kind::Chat, .gate = &gates[3]},
    }};
    std::string slot_for(std::string_view model, Work work) {
        auto const route = table.resolve(model, work);
        return route ? route.value()->slot : "error: " + route.error().message;
    }
};

TEST_F(Routing, ASlotsNameAndItsPrefixedNameAreIt) {
    EXPECT_EQ(slot_for("primary", Work::Chat), "primary");
    EXPECT_EQ(slot_for("hal0/embed", Work::Embed), "embed");
}

TEST_F(Routing, AModelIdIsItsSlotEvenWithAColon) {
    EXPECT_EQ(slot_for("smollm2", Work::Chat), "primary");
    EXPECT_EQ(slot_for("qwen:7b", Work::Chat), "coder-a");
}

TEST_F(Routing, AmongSeveralTheOpenOneThenTheLeastBusy) {
    gates[3].open();
    EXPECT_EQ(slot_for("qwen:7b", Work::Chat), "coder-b");
    gates[2].open();
    EXPECT_EQ(slot_for("qwen:7b", Work::Chat), "coder-a");
    auto const lease = Lease::take(gates[2]);
    EXPECT_EQ(slot_for("qwen:7b", Work::Chat), "coder-b");
}

TEST_F(Routing, NothingNamedIsTheSlotOfThatWork) {
    EXPECT_EQ(slot_for("", Work::Chat), "primary");
    EXPECT_EQ(slot_for("", Work::Embed), "embed");
    EXPECT_EQ(slot_for("", Work::Rerank), "embed");
    EXPECT_EQ(slot_for("", Work::Text), "primary");
}

TEST_F(Routing, TheUnknownIsNeverAnsweredByAnother) {
    auto const route = table.resolve("gpt-4o", Work::Chat);
    ASSERT_FALSE(route.ok());
    EXPECT_EQ(route.error().kind, Errc::NotFound);
    EXPECT_NE(route.error().message.find("primary (smollm2)"), std::string::npos);
    EXPECT_EQ(route.error().message.find("minilm"), std::string::npos);
    EXPECT_NE(table.resolve("primry", Work::Chat).error().message.find("did you mean 'primary'"),
              std::string::npos);
    EXPECT_FALSE(table.resolve("hal0/smollm2", Work::Chat).ok());
}

// Its file or its model can't be read: waking it says what is wrong, and nobody else is sent to it.
TEST_F(Routing, ASlotOfAnUnknownKindAnswersForItselfOnly) {
    RouteTable const broken{{
        {.slot = "aaa", .model = "gone", .gate = &gates[0]},
        {.slot = "embed", .model = "", .gate = &gates[1]},
        {.slot = "coder", .model = "qwen", .kind = Kind::Chat, .gate = &gates[2]},
    }};
    EXPECT_EQ(broken.resolve("embed", Work::Embed).value()->slot, "embed");
    EXPECT_EQ(broken.resolve("", Work::Embed).value()->slot, "embed") << "its usual name";
    EXPECT_EQ(broken.resolve("gone", Work::Rerank).value()->slot, "aaa");
    EXPECT_EQ(broken.resolve("", Work::Chat).value()->slot, "coder");
}

TEST_F(Routing, AWrongKindIsSaidWithTheRightSlot) {
    auto const route = table.resolve("primary", Work::Embed);
    ASSERT_FALSE(route.ok());
    EXPECT_EQ(route.error().kind, Errc::Invalid);
    EXPECT_NE(route.error().message.find("'embed' can"), std::string::npos);
    EXPECT_EQ(table.resolve("minilm", Work::Chat).error().kind, Errc::Invalid);
}

TEST(RouteTable, AnEmptyOneSaysWhatToDo) {
    EXPECT_NE(RouteTable{{}}.resolve("", Work::Chat).error().message.find("hal0 slot create"),
              std::string::npos);
}

}  // namespace
}  // namespace hal0::dispatch
