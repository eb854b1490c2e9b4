#include "memory/closed_form.hpp"

#include <gtest/gtest.h>

#include <map>

#include "memory/context.hpp"
#include "memory/weights.hpp"

namespace hal0::memory {
namespace {

using engines::KvType;
using engines::PlanRequest;
using models::GgufArray;
using models::GgufModel;

// A model's keys without a file. Names are those after the architecture's.
GgufModel keys(std::string const& architecture, std::map<std::string, models::GgufValue> const& values) {
    GgufModel model;
    model.metadata.add("general.architecture", architecture);
    for (auto const& [key, value] : values)
        model.metadata.add(architecture + "." + key, value);
    return model;
}
models::GgufValue number(std::int64_t value) { return value; }
models::GgufValue list(std::vector<std::int64_t> values) {
    auto const count = values.size();
    return GgufArray{.count = count, .numbers = std::move(values)};
}

ModelShape shape_of(GgufModel const& model) { return model_shape(model).value(); }

Bytes context_of(ModelShape const& shape, PlanRequest const& request) {
    Bytes sum{};
    for (auto const layer : context_by_layer(shape, context_plan(shape, request)))
        sum += layer;
    return sum;
}

PlanRequest at(std::int64_t context, KvType type = KvType::F16) {
    return {.context = {context}, .kv_type_k = type, .kv_type_v = type};
}

GgufModel gemma3_4b() {
    return keys("gemma3", {{"block_count", number(34)},
                           {"embedding_length", number(2560)},
                           {"attention.head_count", number(8)},
                           {"attention.head_count_kv", number(4)},
                           {"attention.key_length", number(256)},
                           {"attention.value_length", number(256)},
                           {"attention.sliding_window", number(1024)},
                           {"context_length", number(131072)}});
}

GgufModel qwen35_27b() {
    return keys("qwen35", {{"block_count", number(64)},
                           {"embedding_length", number(5120)},
                           {"attention.head_count", number(24)},
                           {"attention.head_count_kv", number(4)},
                           {"attention.key_length", number(256)},
                           {"attention.value_length", number(256)},
                           {"full_attention_interval", number(4)},
                           {"ssm.conv_kernel", number(4)},
                           {"ssm.inner_size", number(6144)},
                           {"ssm.state_size", number(128)},
                           {"ssm.group_count", number(16)}});
}

GgufModel mistral_small() {
    return keys("llama", {{"block_count", number(56)},
                          {"embedding_length", number(6144)},
                          {"attention.head_count", number(48)},
                          {"attention.head_count_kv", number(8)},
                          {"context_length", number(32768)}});
}

GgufModel gemma4_12b() {
    std::vector<std::int64_t> kv_heads, slides;
    for (int i = 0; i < 48; ++i) {
        slides.push_back(i % 6 != 5);
        kv_heads.push_back(slides.back() != 0 ? 8 : 1);
    }
    return keys("gemma4", {{"block_count", number(48)},
                           {"embedding_length", number(3840)},
                           {"attention.head_count", number(16)},
                           {"attention.head_count_kv", list(kv_heads)},
                           {"attention.key_length", number(512)},
                           {"attention.value_length", number(512)},
                           {"attention.key_length_swa", number(256)},
                           {"attention.value_length_swa", number(256)},
                           {"attention.sliding_window", number(1024)},
                           {"attention.sliding_window_pattern", list(slides)}});
}

GgufModel lfm2() {
    return keys("lfm2", {{"block_count", number(16)},
                         {"embedding_length", number(2048)},
                         {"attention.head_count", number(32)},
                         {"attention.head_count_kv", list({0, 0, 8, 0, 0, 8, 0, 0, 8, 0, 8, 0, 8, 0, 8, 0})},
                         {"shortconv.l_cache", number(3)}});
}

GgufModel deepseek_v2_lite() {
    return keys("deepseek2", {{"block_count", number(27)},
                              {"embedding_length", number(2048)},
                              {"attention.head_count", number(16)},
                              {"attention.head_count_kv", number(1)},
                              {"attention.key_length", number(576)},
                              {"attention.value_length", number(512)},
                              {"attention.key_length_mla", number(192)},
                              {"attention.value_length_mla", number(128)}});
}

// Figures that llama.cpp has logged, or that are published; the last two are the formulas' own.
TEST(Context, IsThatOfTheGoldenVectors) {
    EXPECT_EQ(context_of(shape_of(gemma3_4b()), at(32768)), 814_MiB);
    auto const qwen = shape_of(qwen35_27b());
    auto states = at(262144);
    states.parallel = 4;
    states.unified_kv = true;
    EXPECT_EQ(context_of(qwen, states) - 16384_MiB, (Bytes{627'572'736}));  // 598.5 MiB of states
    EXPECT_EQ(context_of(shape_of(mistral_small()), at(49152, KvType::Q8_0)), 5712_MiB);
    EXPECT_EQ(context_of(shape_of(gemma4_12b()), at(262144, KvType::Q8_0)), 2176_MiB + 255_MiB);
    EXPECT_EQ(context_of(shape_of(lfm2()), at(32768)) - 384_MiB, (Bytes{10 * 2048 * 2 * 4}));
    EXPECT_EQ(context_of(shape_of(deepseek_v2_lite()), at(32768)), (Bytes{32768 * 31104}));
}

TEST(Context, GrowsWithItsLengthWhereEverythingIsLookedAt) {
    auto const model = shape_of(mistral_small());
    auto const once = context_of(model, at(8192)).count;
    EXPECT_EQ(context_of(model, at(4 * 8192)).count, 4 * once);
    EXPECT_EQ(context_of(model, at(8191)).count, once);  // to whole 256 cells
    auto const gemma = shape_of(gemma3_4b());
    auto const slope = context_of(gemma, at(20480)) - context_of(gemma, at(16384));
    EXPECT_EQ(slope.count, 4096 * 5 * 4096);  // its five global layers alone
}

TEST(Context, StatesDoNotGrowWithIt) {
    auto const mamba = shape_of(keys("mamba2", {{"block_count", number(2)},
                                                {"embedding_length", number(1024)},
                                                {"ssm.conv_kernel", number(4)},
                                                {"ssm.inner_size", number(2048)},
                                                {"ssm.state_size", number(128)},
                                                {"ssm.group_count", number(1)}}));
    auto const one = context_of(mamba, at(4096));
    EXPECT_EQ(one.count, 2 * 4 * (3 * (2048 + 2 * 128) + 128 * 2048));
    EXPECT_EQ(context_of(mamba, at(1 << 20, KvType::Q4_0)), one);
    auto four = at(4096);
    four.parallel = 4;
    EXPECT_EQ(context_of(mamba, four).count, 4 * one.count);
}

TEST(Context, TypesWeighWhatTheirBlocksDo) {
    auto const model = shape_of(mistral_small());
    auto const half = context_of(model, at(8192)).count;
    EXPECT_EQ(context_of(model, at(8192, KvType::F32)).count, 2 * half);
    EXPECT_EQ(context_of(model, at(8192, KvType::BF16)).count, half);
    EXPECT_EQ(context_of(model, at(8192, KvType::Q8_0)).count, half / 32 * 17);  // 0.53125
    EXPECT_EQ(context_of(model, at(8192, KvType::Q5_1)).count, half / 32 * 12);
    EXPECT_EQ(context_of(model, at(8192, KvType::Q5_0)).count, half / 32 * 11);
    EXPECT_EQ(context_of(model, at(8192, KvType::Q4_1)).count, half / 32 * 10);
    EXPECT_EQ(context_of(model, at(8192, KvType::Q4_0)).count, half / 32 * 9);
    EXPECT_EQ(context_of(model, at(8192, KvType::IQ4_NL)).count, half / 32 * 9);
    auto mixed = at(8192, KvType::Q8_0);
    mixed.kv_type_v = KvType::F32;
    EXPECT_EQ(context_of(model, mixed).count, half / 64 * 17 + half);
}

TEST(Context, SequencesShareOneCacheOrHaveTheirPart) {
    auto const model = shape_of(mistral_small());
    auto four = at(8192);
    four.parallel = 4;
    auto const apart = context_of(model, four);
    four.unified_kv = true;
    EXPECT_EQ(context_of(model, four), context_of(model, at(8192)));
    EXPECT_EQ(apart, context_of(model, at(8192)));
    auto three = at(1000);
    three.parallel = 3;  // 1024 / 3, each to 512
    EXPECT_EQ(context_of(model, three), context_of(model, at(3 * 512)));
}

TEST(Context, WithoutFlashAttentionValuesAreAsWideAsTheWidest) {
    auto request = at(8192);
    auto const model = shape_of(gemma4_12b());
    auto const with = context_of(model, request);
    request.flash_attention = engines::FlashAttention::Off;
    EXPECT_EQ((context_of(model, request) - with).count, 8 * 8192 * (2048 - 512) * 2);
    EXPECT_EQ(context_of(shape_of(deepseek_v2_lite()), request),
              context_of(shape_of(deepseek_v2_lite()), at(8192)));
}

models::GgufTensor tensor(std::string name, std::int64_t size) {
    return {.name = std::move(name), .size = Bytes{size}};
}

models::GgufTensors const tensors{tensor("token_embd.weight", 1024),  tensor("blk.0.attn_q.weight", 64),
                                  tensor("blk.1.attn_q.weight", 128), tensor("blk.1.attn_q.bias", 4),
                                  tensor("output_norm.weight", 32),   tensor("output.weight", 512)};

TEST(Weights, LieWhereTheirLayerDoes) {
    auto const all = weights(tensors, placement(2, -1)).value();
    EXPECT_EQ(all.embeddings.count, 1024);
    EXPECT_EQ(all.host.count, 0);
    EXPECT_EQ(all.gpu.count, 64 + 128 + 32 + 32 + 512);          // each to whole 32 bytes
    auto const two = weights(tensors, placement(2, 2)).value();  // the output and the last layer
    EXPECT_EQ(two.host.count, 64);
    EXPECT_EQ(two.gpu.count, 128 + 32 + 32 + 512);
    auto const none = weights(tensors, placement(2, 0)).value();
    EXPECT_EQ(none.gpu.count, 0);
    EXPECT_EQ(none.host.count, 64 + 128 + 32 + 32 + 512);
}

TEST(Weights, ATableThatIsTheOutputTooIsThereTwice) {
    auto tied = tensors;
    tied.pop_back();
    EXPECT_EQ(weights(tied, placement(2, -1)).value().gpu.count, 64 + 128 + 32 + 32 + 1024);
    EXPECT_EQ(weights(tied, all_on_host).value().gpu.count, 0);
}

TEST(Weights, AnEncodersTableIsNoOutput) {
    auto tied = tensors;
    tied.pop_back();
    EXPECT_EQ(weights(tied, placement(2, -1), Output::None)->gpu.count, 64 + 128 + 32 + 32);
}

TEST(Weights, ATypeOfUnknownSizeIsNoGuess) {
    auto unknown = tensors;
    unknown.push_back({.name = "blk.1.x.weight", .type = 99});
    EXPECT_EQ(weights(unknown, all_on_host).error().kind, Errc::Unsupported);
}

TEST(ClosedForm, SplitsTheContextByLayer) {
    auto request = at(8192);
    request.gpu_layers = 15;  // the output, and 14 of 56 layers
    auto const estimate = closed_form(shape_of(mistral_small()), tensors, request, "gpu0").value();
    ASSERT_EQ(estimate.shares.size(), 2U);
    auto const context = [&](std::size_t share) {
        for (auto const& term : estimate.shares[share].terms) {
            if (term.name == context_term) return term.bytes.count;
        }
        return std::int64_t{0};
    };
    EXPECT_EQ(estimate.shares[1].device, "gpu0");
    EXPECT_EQ(context(0), 3 * context(1));
    EXPECT_EQ(estimate.exactness, Exactness::Exact);
}

// What hal0-planner says of tests/archs' minimax-m3 with a third layer that drafts: the whole cache over
// again.
TEST(ClosedForm, WhereNoFilterAsksForThemAllLayersAreInTheContextThatDrafts) {
    auto const model = keys("minimax-m3", {{"block_count", number(3)},
                                           {"nextn_predict_layers", number(1)},
                                           {"leading_dense_block_count", number(1)},
                                           {"embedding_length", number(256)},
                                           {"attention.head_count", number(2)},
                                           {"attention.head_count_kv", number(2)},
                                           {"attention.key_length", number(128)},
                                           {"attention.value_length", number(128)},
                                           {"attention.indexer.head_count", number(2)},
                                           {"attention.indexer.key_length", number(128)}});
    auto const layers = closed_form_of_mtp(shape_of(model), at(8192)).value();
    EXPECT_EQ(layers.of(context_term), Bytes{33'554'432});
}

// Qwen3.5's 65th block is one of full attention that drafts.
TEST(ClosedForm, LayersThatDraftHaveAContextOfTheirOwn) {
    auto model = qwen35_27b();
    EXPECT_EQ(closed_form_of_mtp(shape_of(model), at(8192)).error().kind, Errc::Unsupported);
    model.metadata.add("qwen35.nextn_predict_layers", number(1));
    auto const shape = shape_of(model);
    ASSERT_EQ(shape.drafting.size(), 1U);
    auto request = at(8192, KvType::Q8_0);
    request.drafter = engines::Drafter::Mtp;
    auto const layers = closed_form_of_mtp(shape, request, "gpu0").value();
    EXPECT_EQ(layers.of(context_term), Bytes{std::int64_t{8192} * 4 * (256 + 256) * 2}) << "f16 always";
    EXPECT_EQ(layers.exactness, Exactness::Bound);
    EXPECT_EQ(layers.shares.back().device, "gpu0");
    auto const kept = [&shape](PlanRequest const& asked) {
        return closed_form(shape, {}, asked).value().of(context_term);
    };
    auto const plain = kept(at(8192, KvType::Q8_0));
    request.drafted = 0;
    EXPECT_EQ(kept(request), plain);
    request.drafted = 3;
    EXPECT_GT(kept(request), plain) << "states are kept for each token that may be taken back";
    EXPECT_EQ(closed_form(shape, {}, request)->exactness, Exactness::Bound);
    request.drafter = engines::Drafter::Model;
    EXPECT_EQ(kept(request), plain);
    EXPECT_EQ(closed_form(shape, {}, request)->exactness, Exactness::Exact);
}

TEST(ClosedForm, TheLargestContextIsThatWhichFits) {
    auto const shape = shape_of(gemma3_4b());
    for (auto const room : {1_GiB, 1500_MiB, 2_GiB, 64_GiB}) {
        auto const fits = [room](MemoryEstimate const& estimate) { return estimate.total() <= room; };
        auto request = at(0, KvType::Q8_0);
        auto const found = largest_context(shape, tensors, request, std::nullopt, fits).value();
        EXPECT_GT(found.count, 0);
        request.context = found;
        EXPECT_TRUE(fits(closed_form(shape, tensors, request).value()));
        if (found == shape.context_trained) continue;
        request.context = {found.count + 256};
        EXPECT_FALSE(fits(closed_form(shape, tensors, request).value()));
    }
    auto const never = [](MemoryEstimate const&) { return false; };
    EXPECT_EQ(largest_context(shape, tensors, {}, std::nullopt, never).value().count, 0);
}

TEST(Shape, WhatAModelDoesNotSayIsAnError) {
    EXPECT_EQ(model_shape(GgufModel{}).error().kind, Errc::Corrupt);
    EXPECT_EQ(model_shape(keys("clip", {})).error().kind, Errc::Unsupported);
    EXPECT_EQ(model_shape(keys("llama", {{"block_count", number(513)}, {"embedding_length", number(1)}}))
                  .error()
                  .kind,
              Errc::Corrupt);
    EXPECT_EQ(model_shape(keys("llama", {{"block_count", number(1)},
                                         {"embedding_length", number(4096)},
                                         {"attention.head_count", number(1 << 30)},
                                         {"attention.key_length", number(1 << 30)}}))
                  .error()
                  .kind,
              Errc::Corrupt);
}

TEST(Shape, AnArrayOfTheWrongLengthGivesItsLargest) {
    auto const shape = shape_of(keys("llama", {{"block_count", number(3)},
                                               {"embedding_length", number(64)},
                                               {"attention.head_count", number(8)},
                                               {"attention.head_count_kv", list({1, 4})}}));
    for (auto const& layer : shape.layers)
        EXPECT_EQ(layer.key_row, 4 * 8);
}

}  // namespace
}  // namespace hal0::memory
