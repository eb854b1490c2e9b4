#include "models/projector_width.hpp"

#include <gtest/gtest.h>

#include <utility>

namespace hal0::models {
namespace {

using Shape = std::array<std::uint64_t, 4>;

GgufModel projector(std::string kind, std::vector<std::pair<std::string, Shape>> const& tensors) {
    GgufModel model;
    model.metadata.add("general.architecture", std::string{"clip"});
    model.metadata.add("clip.has_vision_encoder", true);
    model.metadata.add("clip.projector_type", std::move(kind));
    for (auto const& [name, shape] : tensors)
        model.tensors.push_back({.name = name, .shape = shape});
    return model;
}

// The figures of models that people have: Qwen2.5-VL 7B, Gemma 3 4B, LLaVA 1.5 7B, SmolVLM, Qwen3-VL 8B.
TEST(ProjectorWidth, IsReadWhereTheEngineReadsIt) {
    EXPECT_EQ(projector_width(projector("qwen2.5vl_merger", {{"mm.2.bias", {3584, 1, 1, 1}}})), 3584);
    EXPECT_EQ(projector_width(projector("gemma3", {{"mm.input_projection.weight", {2560, 1152, 1, 1}}})),
              2560);
    EXPECT_EQ(projector_width(projector(
                  "mlp", {{"mm.0.weight", {1024, 4096, 1, 1}}, {"mm.2.weight", {4096, 4096, 1, 1}}})),
              4096);
    EXPECT_EQ(projector_width(projector("idefics3", {{"mm.model.fc.weight", {12288, 576, 1, 1}}})), 576);
    EXPECT_EQ(projector_width(projector("qwen3vl_merger", {{"mm.2.bias", {4096, 1, 1, 1}},
                                                           {"v.deepstack.8.fc1.weight", {1, 1, 1, 1}},
                                                           {"v.deepstack.8.fc2.weight", {1, 1, 1, 1}},
                                                           {"v.deepstack.16.fc1.weight", {1, 1, 1, 1}},
                                                           {"v.deepstack.24.fc1.weight", {1, 1, 1, 1}}})),
              4 * 4096);
}

TEST(ProjectorWidth, OfTwoEncodersTheOneThatSeesCounts) {
    auto both = projector("", {{"mm.2.bias", {2048, 1, 1, 1}}, {"mm.a.mlp.2.weight", {7, 9, 1, 1}}});
    both.metadata.add("clip.has_audio_encoder", true);
    both.metadata.add("clip.vision.projector_type", std::string{"qwen2vl_merger"});
    both.metadata.add("clip.audio.projector_type", std::string{"voxtral"});
    EXPECT_EQ(projector_width(both), 2048);
    auto omni = projector("qwen2.5o", {{"mm.2.bias", {3584, 1, 1, 1}}});
    EXPECT_EQ(projector_width(omni), 3584);
    // Yi's calls itself as LLaVA's does.
    auto const yi = projector(
        "mlp",
        {{"mm.2.weight", {1, 1024, 1, 1}}, {"mm.3.weight", {1, 1, 1, 1}}, {"mm.3.bias", {4096, 1, 1, 1}}});
    EXPECT_EQ(projector_width(yi), 4096);
}

TEST(ProjectorWidth, WhatIsNotKnownIsNotGuessed) {
    EXPECT_EQ(projector_width(projector("of_tomorrow", {{"mm.2.weight", {1, 64, 1, 1}}})), std::nullopt);
    EXPECT_EQ(projector_width(projector("mlp", {{"mm.0.weight", {1, 64, 1, 1}}})), std::nullopt);
    EXPECT_EQ(projector_width(projector("qwen2vl_merger", {{"mm.2.bias", {~0ULL, 1, 1, 1}}})), std::nullopt);
    EXPECT_EQ(projector_width({}), std::nullopt);
}

TEST(ProjectorWidth, AModelTakesItsEmbeddingsWidthAndThatOfItsDeepstack) {
    GgufModel model;
    model.metadata.add("general.architecture", std::string{"qwen3vl"});
    model.metadata.add("qwen3vl.embedding_length", std::int64_t{4096});
    EXPECT_EQ(input_width(model), 4096);
    model.metadata.add("qwen3vl.n_deepstack_layers", std::int64_t{3});
    EXPECT_EQ(input_width(model), 4 * 4096);
    GgufModel granite;
    granite.metadata.add("general.architecture", std::string{"granite"});
    granite.metadata.add("granite.embedding_length", std::int64_t{2048});
    EXPECT_EQ(input_width(granite), std::nullopt);
    EXPECT_EQ(input_width({}), std::nullopt);
}

}  // namespace
}  // namespace hal0::models
