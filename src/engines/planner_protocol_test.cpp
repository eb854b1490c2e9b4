#include "engines/planner_protocol.hpp"

#include <gtest/gtest.h>

namespace hal0::engines {
namespace {

constexpr std::string_view answer =
    R"({"context":8192,"context_per_sequence":4096,"output":393216,"buffers":[)"
    R"({"device":"CUDA0","buffer":"CUDA0","model":700,"context":80,"compute":9,"largest":1000},)"
    R"({"device":"Host","buffer":"CPU","model":5,"context":0,"compute":0,"largest":null},)"
    R"({"device":"Host","buffer":"CUDA_Host","model":60,"context":0,"compute":4,"largest":900}]})";

TEST(PlannerProtocol, AQuestionSaysEverythingTheAnswerDependsOn) {
    EXPECT_EQ(
        question({}, Tokens{4096}),
        "context=4096 parallel=1 unified=0 batch=2048 ubatch=512 outputs=1 kv_k=f16 kv_v=f16 flash=auto "
        "gpu_layers=-1 embeddings=0");
    PlanRequest const request{.parallel = 4,
                              .unified_kv = true,
                              .ubatch = {256},
                              .batch = {1024},
                              .kv_type_k = KvType::Q8_0,
                              .kv_type_v = KvType::IQ4_NL,
                              .flash_attention = FlashAttention::On,
                              .gpu_layers = 7};
    EXPECT_EQ(
        settings_line(request),
        "parallel=4 unified=1 batch=1024 ubatch=256 outputs=4 kv_k=q8_0 kv_v=iq4_nl flash=on gpu_layers=7 "
        "embeddings=0");
}

TEST(PlannerProtocol, WhatIsDraftedIsCheckedAtOnce) {
    PlanRequest request{.parallel = 2, .drafter = Drafter::Model};
    auto const line = [&request] { return settings_line(request); };
    EXPECT_NE(line().find(" outputs=8 "), std::string::npos) << line();
    EXPECT_TRUE(line().ends_with(" embeddings=0 outputs_each=4")) << line();
    request.drafter = Drafter::Mtp;
    EXPECT_TRUE(line().ends_with(" outputs_each=4 states=3 load_mtp=1")) << line();
    request.of_mtp = true;
    EXPECT_TRUE(line().ends_with(" outputs_each=4 states=3 load_mtp=1 mtp=1")) << line();
}

// llama-server keeps results for one token of each sequence that generates, but for every token it embeds:
// for bge-m3 and its vocabulary of 250,002 that is 8 GB.
TEST(PlannerProtocol, WhatEmbedsHasOutputsForAWholeBatch) {
    EXPECT_NE(settings_line({.batch = {8192}, .embeddings = true}).find("outputs=8192 "), std::string::npos);
}

TEST(PlannerProtocol, AnAnswerIsBytesByBufferAndByDevice) {
    auto const plan = decode_answer(answer);
    ASSERT_TRUE(plan) << plan.error().message;
    EXPECT_EQ(plan->context, Tokens{8192});
    EXPECT_EQ(plan->context_per_sequence, Tokens{4096});
    EXPECT_EQ(plan->output, Bytes{393216});
    ASSERT_EQ(plan->buffers.size(), 3U);
    EXPECT_EQ(plan->buffers[1],
              (BufferPlan{.device = "Host", .buffer = "CPU", .model = {5}, .context = {}, .compute = {}}));
    EXPECT_EQ(by_device(*plan), (std::vector<DevicePlan>{{"CUDA0", {700}, {80}, {9}, Bytes{1000}},
                                                         {"Host", {65}, {}, {4}, Bytes{900}}}));
    EXPECT_EQ(decode_answer(encode(*plan)).value(), *plan);
}

TEST(PlannerProtocol, UnknownIsNotZero) {
    auto const plan = decode_answer(R"({"context":1,"context_per_sequence":1,"output":null,"buffers":[]})");
    ASSERT_TRUE(plan) << plan.error().message;
    EXPECT_FALSE(plan->output);
}

TEST(PlannerProtocol, ARefusalIsInTheEnginesWords) {
    auto const refused = [](std::string const& kind) {
        return decode_answer(R"({"error":"V cache: no","kind":")" + kind + "\"}").error();
    };
    EXPECT_EQ(refused("settings"),
              (Error{Errc::Unsupported, "the engine does not take these settings: V cache: no"}));
    EXPECT_EQ(refused("model"), (Error{Errc::Corrupt, "the engine can't read it: V cache: no"}));
    EXPECT_EQ(refused("engine").kind, Errc::Unavailable);
    EXPECT_EQ(decode_answer(R"({"error":"no context: std::bad_alloc","kind":"settings"})").error().kind,
              Errc::Unavailable);
    EXPECT_EQ(refused("request").kind, Errc::Internal);
}

TEST(PlannerProtocol, AnAnswerThatIsNoneIsNotAPlan) {
    for (auto const* line :
         {"", "ggml_vulkan: found 1 device", "{}", R"({"context":1})",
          R"({"context":1,"context_per_sequence":1,"output":null,"buffers":[{"device":"Host",)"
          R"("buffer":"CPU","model":-1,"context":0,"compute":0}]})",
          R"({"error":7,"kind":"model"})"}) {
        auto const plan = decode_answer(line);
        ASSERT_FALSE(plan) << line;
        EXPECT_EQ(plan.error().kind, Errc::Internal) << line;
    }
}

}  // namespace
}  // namespace hal0::engines
