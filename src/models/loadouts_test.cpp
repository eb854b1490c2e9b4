#include "models/loadouts.hpp"

#include <gtest/gtest.h>

namespace hal0::models {
namespace {

TEST(Loadouts, AreTheEightOfTheMission) {
    std::vector<std::string> ids;
    for (auto const& loadout : loadouts().loadouts)
        ids.push_back(loadout.id);
    EXPECT_EQ(ids, (std::vector<std::string>{"coding", "chat", "voice", "writing", "private", "research",
                                             "agents", "max"}));
}

TEST(Loadouts, AModelIsSizedWithoutItsFile) {
    auto const* const scout = loadouts().model("llama-4-scout-17b-16e-instruct-q4_k_m");
    ASSERT_NE(scout, nullptr);
    EXPECT_EQ(scout->stated.count, 50'000'000'000);  // the page's; its note says why the next is another
    EXPECT_EQ(scout->size().count, 65'087'275'520);
    EXPECT_FALSE(scout->note.empty());
    auto const model = header_model(*scout);
    Bytes sum{};
    for (auto const& tensor : model.tensors)
        sum += tensor.size.value();
    EXPECT_EQ(sum, scout->size());
    EXPECT_EQ(model.metadata.integer("llama4.block_count"), 48);
}

TEST(Loadouts, WhatIsMistypedIsSaid) {
    EXPECT_NE(find_loadout("codng").error().message.find("did you mean 'coding'?"), std::string::npos);
    auto const bad = R"({"schema":1,"models":[],"loadouts":[{"id":"a","title":"A","about":"",)"
                     R"("tiers":[{"id":"small","slots":[{"slot":"primary","model":"x"}]}]}]})";
    EXPECT_EQ(decode_loadouts(bad).error().message, "a.small names the model x, which is not there");
}

}  // namespace
}  // namespace hal0::models
