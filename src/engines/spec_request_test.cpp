#include "engines/spec_request.hpp"

#include <gtest/gtest.h>

#include "engines/llama_server.hpp"

namespace hal0::engines {
namespace {

WorkerSpec spec_of(models::Kind kind, std::vector<std::string> extra) {
    models::ModelRecord const record{.id = "m", .context_max = 8192, .files = {{.name = "m.gguf"}}};
    return render({.id = "llama.cpp", .directory = "/e"}, {.model = {.record = record, .directory = "/m"},
                                                           .kind = kind,
                                                           .context = 2048,
                                                           .parallel = 4,
                                                           .cache_ram_mib = 64,
                                                           .device = "cpu",
                                                           .extra_args = std::move(extra),
                                                           .socket = "/s",
                                                           .key_file = "/k"})
        .value();
}

TEST(SpecRequest, WhatHal0RendersIsWhatItPlans) {
    EXPECT_EQ(plan_request_of(spec_of(models::Kind::Chat, {})),
              (PlanRequest{
                  .context = {8192}, .parallel = 4, .cache_ram = 64_MiB, .checkpoints = checkpoints_wanted}));
    EXPECT_EQ(plan_request_of(spec_of(models::Kind::Embed, {})),
              (PlanRequest{.context = {8192},
                           .parallel = 4,
                           .ubatch = {2048},
                           .batch = {2048},
                           .cache_ram = 64_MiB,
                           .checkpoints = checkpoints_wanted,
                           .embeddings = true}));
}

TEST(SpecRequest, ExtraArgumentsCountWhereTheyAreKnown) {
    auto const request = plan_request_of(
        spec_of(models::Kind::Chat, {"-ctk", "q8_0", "--cache-type-v", "q4_0", "-fa", "on", "-ub", "256",
                                     "-b", "1024", "-kvu", "-ngl", "12", "--jinja", "--temp", "0.2"}));
    EXPECT_EQ(request, (PlanRequest{.context = {8192},
                                    .parallel = 4,
                                    .unified_kv = true,
                                    .ubatch = {256},
                                    .batch = {1024},
                                    .kv_type_k = KvType::Q8_0,
                                    .kv_type_v = KvType::Q4_0,
                                    .flash_attention = FlashAttention::On,
                                    .gpu_layers = 12,
                                    .cache_ram = 64_MiB,
                                    .checkpoints = checkpoints_wanted}));
}

TEST(SpecRequest, WhatMayTakeMemoryThatNoPlanHasIsNotGuessed) {
    for (auto const& extra : std::vector<std::vector<std::string>>{{"--mmproj", "/p.gguf"},
                                                                   {"--swa-full"},
                                                                   {"-md", "/draft.gguf"},
                                                                   {"-ctk", "q9"},
                                                                   {"-fa", "perhaps"},
                                                                   {"-ub", "many"},
                                                                   {"-ngl", "most"}})
        EXPECT_EQ(plan_request_of(spec_of(models::Kind::Chat, extra)), std::nullopt) << extra.front();
    EXPECT_EQ(plan_request_of({.argv = {"/e/llama-server", "-ub"}}), std::nullopt) << "cut off";
}

TEST(SpecRequest, AllLayersOnTheGpuAreThoseOfThePlan) {
    for (auto const* layers : {"all", "auto", "-1"})
        EXPECT_EQ(plan_request_of(spec_of(models::Kind::Chat, {"-ngl", layers}))->gpu_layers, all_gpu_layers);
}

}  // namespace
}  // namespace hal0::engines
