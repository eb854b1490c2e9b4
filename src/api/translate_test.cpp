#include "api/translate.hpp"

#include <gtest/gtest.h>

namespace hal0::api {
namespace {

TEST(Translate, ASlot) {
    slots::SlotStatus slot;
    slot.name = "primary";
    EXPECT_EQ(view_of(slot, {}).kind, std::nullopt);
    slot.kind = models::Kind::Chat;
    slot.state = slots::State::Ready;
    slot.wanted = slots::Wanted::Up;
    slot.engine = "llama.cpp";
    slot.memory = 5_MiB;
    slot.since = WallTime{std::chrono::seconds{1'738'315'800}};
    auto const view = view_of(slot, {.in_flight = 2, .waiting = 3, .address = os::UnixAddress{"/run/w"}});
    EXPECT_EQ(view.state, "ready");
    EXPECT_EQ(view.wanted, "up");
    EXPECT_EQ(view.kind, "chat");
    EXPECT_EQ(view.provider, "llama.cpp");
    EXPECT_EQ(view.memory, 5 << 20);
    EXPECT_EQ(view.pid, std::nullopt);
    EXPECT_EQ(view.since, "2025-01-31T09:30:00Z");
    EXPECT_EQ(view.in_flight, 2);
    EXPECT_EQ(view.waiting, 3);
    EXPECT_EQ(view.address, "unix:/run/w");
}

TEST(Translate, ASlotToMakeHasDefaultsWhereNothingIsSaid) {
    auto const plain = config_of({.name = "a", .model = "m"}).value();
    EXPECT_EQ(plain, (slots::SlotConfig{.name = "a", .model = "m"}));
    auto const config =
        config_of({.name = "a", .model = "m", .kind = "embed", .enabled = false, .parallel = 4});
    EXPECT_EQ(config->kind, models::Kind::Embed);
    EXPECT_FALSE(config->enabled);
    EXPECT_EQ(config->parallel, 4);
    EXPECT_EQ(config_of({.name = "a", .model = "m", .kind = "talk"}).error().message,
              "kind is one of chat, embed, rerank, stt, tts, image, not 'talk'");
}

TEST(Translate, TheWordsForKindsAreThoseOfTheModels) {
    EXPECT_EQ(wire::kind_doc, "the work it does: " + models::kind_list("`"));
}

TEST(Translate, AJobThatFailed) {
    jobs::Job job;
    job.state = jobs::State::Failed;
    job.error = Error{Errc::NoSpace, "full"};
    job.notes = {"one", "two"};
    auto const view = view_of(job);
    EXPECT_EQ(view.state, "failed");
    EXPECT_EQ(view.code, "no_space");
    EXPECT_EQ(view.notes.size(), 2u);
    EXPECT_EQ(view.ended, std::nullopt);
}

TEST(Translate, AnEventWithoutDataHasNull) {
    EXPECT_EQ(view_of(history::Event{.id = {7, 3}}).data.text, "null");
    EXPECT_EQ(view_of(history::Event{.id = {7, 3}}).id, "7-3");
}

}  // namespace
}  // namespace hal0::api
