#include "memory/verdict.hpp"

#include <gtest/gtest.h>

namespace hal0::memory {
namespace {

// A box of 128 GB with a carve-out of 32, idle, as Vulkan sees it.
Pool unified(Bytes used_of_carve_out = {}) {
    return {.kind = Pool::Kind::Unified,
            .id = "unified",
            .devices = {"host", "gpu0"},
            .parts = {{.device = "host", .total = 96_GiB, .used = 4_GiB, .reserved = Bytes{}, .free = 92_GiB},
                      {.kind = PoolPart::Kind::CarveOut,
                       .device = "gpu0",
                       .total = 32_GiB,
                       .used = used_of_carve_out,
                       .reserved = Bytes{},
                       .free = 32_GiB - used_of_carve_out}},
            .caps = {{"gpu0", 48_GiB, Bytes{}, 48_GiB}}};
}
Target const vulkan{.device = "gpu0"};
Target const rocm{.device = "gpu0", .api = GpuApi::Rocm};

Verdict verdict(Demand const& demand, Target const& target = vulkan, Pool const& pool = unified()) {
    return judge(demand, {pool}, target).verdict;
}

TEST(Verdict, VulkanHasBothPartsAndRocmTheLarger) {
    EXPECT_EQ(verdict({.gpu = 70_GiB}), Verdict::Fits);
    EXPECT_EQ(verdict({.gpu = 78_GiB}), Verdict::Tight);
    EXPECT_EQ(verdict({.gpu = 81_GiB}), Verdict::Never);  // over carve-out and cap together
    EXPECT_EQ(verdict({.gpu = 44_GiB}, rocm), Verdict::Fits);
    EXPECT_EQ(verdict({.gpu = 49_GiB}, rocm), Verdict::Never);
    auto small_cap = unified();
    small_cap.caps.front() = {"gpu0", 16_GiB, Bytes{}, 16_GiB};
    EXPECT_EQ(verdict({.gpu = 27_GiB}, rocm, small_cap), Verdict::Fits);  // the carve-out alone
    EXPECT_EQ(verdict({.gpu = 33_GiB}, rocm, small_cap), Verdict::Never);
    small_cap.caps.front().gtt_size = 100_GiB;  // which TTM gives 16 of: the driver takes it all the same
    EXPECT_EQ(verdict({.gpu = 14_GiB}, rocm, small_cap), Verdict::Tight);
    EXPECT_EQ(verdict({.gpu = 27_GiB}, rocm, small_cap), Verdict::Never);
}

TEST(Verdict, TheCapIsInsideTheSystemsMemory) {
    // 60 on the processor leave 32 of the system's, and the carve-out: 48 under the cap are not there too.
    auto const judgement = judge({.host = 60_GiB, .gpu = 66_GiB}, {unified()}, vulkan);
    EXPECT_EQ(judgement.verdict, Verdict::Pages);
    EXPECT_EQ(judgement.decisive->limit, Limit::Pool);
    EXPECT_EQ(*judgement.headroom, Bytes{} - 2_GiB);
}

TEST(Verdict, NamesWhoHasToGoAndNoMoreThanThat) {
    auto const pool = unified(30_GiB);
    std::vector<Resident> const residents{
        {"embed", {.own = 1_GiB}}, {"coder", {.own = 20_GiB}}, {"voice", {.own = 9_GiB}}};
    auto const judgement = judge({.gpu = 60_GiB}, {pool}, vulkan, residents);
    EXPECT_EQ(judgement.verdict, Verdict::NeedsEviction);
    EXPECT_EQ(judgement.evicted, std::vector<std::string>{"coder"});
    EXPECT_EQ(judgement.stays, (std::vector<std::string>{"embed", "voice"}));
    EXPECT_EQ(*judgement.headroom, 10_GiB);
    EXPECT_EQ(judge({.gpu = 75_GiB}, {pool}, vulkan, residents).evicted,
              (std::vector<std::string>{"coder", "voice"}));  // 5 GiB short with the coder's alone
    EXPECT_EQ(judge({.gpu = 60_GiB}, {pool}, vulkan).verdict, Verdict::Pages);  // others hold it
}

// Each bound gets back what lies under it, and nothing else.
TEST(Verdict, WhatGoesComesBackWhereItLay) {
    Pool const system{.id = "system", .devices = {"host"}, .parts = {unified().parts.front()}};
    Pool const card{
        .kind = Pool::Kind::Device,
        .id = "gpu0",
        .devices = {"gpu0"},
        .parts = {{.kind = PoolPart::Kind::Vram, .device = "gpu0", .total = 24_GiB, .free = 12_GiB}}};
    std::vector<Resident> const a{{"a", {.pages = 6_GiB, .own = 10_GiB}}};
    EXPECT_EQ(judge({.gpu = 22_GiB}, {system, card}, vulkan, a).verdict, Verdict::NeedsEviction);
    EXPECT_EQ(judge({.gpu = 23_GiB}, {system, card}, vulkan, a).verdict, Verdict::Pages);

    // A model in GPU pages fills the system's memory: with it gone the host's part has room too.
    auto full = unified(32_GiB);
    full.parts.front().free = 1_GiB;
    full.caps.front().left = 0_GiB;
    std::vector<Resident> const coder{{"coder", {.pages = 48_GiB, .own = 32_GiB}}};
    EXPECT_EQ(judge({.host = 2_GiB, .gpu = 40_GiB}, {full}, vulkan, coder).verdict, Verdict::NeedsEviction);
    // ROCm has GTT alone on this box: what the carve-out gets back is of no use to it.
    std::vector<Resident> const carved{{"carved", {.own = 32_GiB}}};
    EXPECT_EQ(judge({.gpu = 10_GiB}, {full}, rocm, carved).verdict, Verdict::Pages);
}

TEST(Verdict, SlotsThatWouldGoMakeNoVerdictWhereTheRestIsUnknown) {
    auto pool = unified(32_GiB);
    pool.caps.front().left = 0_GiB;
    pool.host_known = false;
    pool.parts.front() = {.device = "host"};
    auto const judgement = judge({.gpu = 10_GiB}, {pool}, vulkan, {{"coder", {.pages = 20_GiB}}});
    EXPECT_EQ(judgement.verdict, Verdict::Unknown);
    EXPECT_EQ(judgement.headroom, std::nullopt);
}

TEST(Verdict, AContainerBoundsTheProcessorAndKnowsNoMore) {
    auto pool = unified();
    pool.host_known = false;
    pool.parts.front() = {.device = "host"};
    pool.limit = ProcessorLimit{8_GiB, 6_GiB};
    auto const unknown = judge({.host = 1_GiB, .gpu = 40_GiB}, {pool}, vulkan);
    EXPECT_EQ(unknown.verdict, Verdict::Unknown);
    EXPECT_EQ(unknown.decisive->need, 41_GiB) << "all of it, not the host's part";
    EXPECT_EQ(verdict({.host = 9_GiB, .gpu = 40_GiB}, vulkan, pool), Verdict::Never);
    auto const judgement = judge({.host = 7_GiB, .gpu = 40_GiB}, {pool}, vulkan);
    EXPECT_EQ(judgement.verdict, Verdict::Pages);
    EXPECT_EQ(judgement.decisive->limit, Limit::Processor);
}

TEST(Verdict, ATensorOverWhatTheDriverGivesAtATimeNeverLoads) {
    Target const radv{.device = "gpu0", .allocation_max = 4_GiB};
    auto const judgement = judge({.gpu = 20_GiB, .largest = 5_GiB}, {unified()}, radv);
    EXPECT_EQ(judgement.verdict, Verdict::Never);
    EXPECT_EQ(judgement.decisive->limit, Limit::Allocation);
    EXPECT_EQ(verdict({.gpu = 20_GiB, .largest = 3_GiB}, radv), Verdict::Fits);
}

TEST(Verdict, ACardHasItsOwnMemory) {
    Pool const system{.id = "system", .devices = {"host"}, .parts = {unified().parts.front()}};
    Pool const card{
        .kind = Pool::Kind::Device,
        .id = "gpu0",
        .devices = {"gpu0"},
        .parts = {{.kind = PoolPart::Kind::Vram, .device = "gpu0", .total = 24_GiB, .free = 23_GiB}}};
    EXPECT_EQ(judge({.host = 1_GiB, .gpu = 20_GiB}, {system, card}, vulkan).verdict, Verdict::Fits);
    EXPECT_EQ(judge({.host = 1_GiB, .gpu = 25_GiB}, {system, card}, vulkan).verdict, Verdict::Never);
    EXPECT_EQ(judge({.host = 1_GiB, .gpu = 25_GiB}, {system, card}, {}).verdict, Verdict::Fits);
}

TEST(Verdict, WhatADriverKeepsOfACardIsForNoModel) {
    Pool const system{.id = "system", .devices = {"host"}, .parts = {unified().parts.front()}};
    Pool const card{.kind = Pool::Kind::Device,
                    .id = "gpu0",
                    .devices = {"gpu0"},
                    .parts = {{.kind = PoolPart::Kind::Vram,
                               .device = "gpu0",
                               .total = 24_GiB,
                               .reserved = 1_GiB,
                               .free = 20_GiB}}};
    EXPECT_EQ(judge({.gpu = 23_GiB}, {system, card}, vulkan).verdict, Verdict::Pages);
    EXPECT_EQ(judge({.gpu = 24_GiB}, {system, card}, vulkan).verdict, Verdict::Never);
}

TEST(Verdict, SaysItInASentence) {
    auto const never = judge({.gpu = 133_GiB}, {unified()}, vulkan);
    EXPECT_EQ(sentence(never, vulkan),
              "It never fits here: 133 GiB needed in the unified pool, which has 127 GiB for models.");
    auto const fits = judge({.gpu = 60_GiB}, {unified()}, vulkan);
    EXPECT_EQ(sentence(fits, vulkan),
              "It fits: 60.0 GiB needed in what gpu0 may take (its carve-out and GTT cap), 20.0 GiB left "
              "there.");
    auto const both = judge({.host = 2_GiB, .gpu = 60_GiB}, {unified()}, vulkan);
    EXPECT_EQ(sentence(both, vulkan),
              "It fits: 62.0 GiB needed, 60.0 GiB of it in what gpu0 may take (its carve-out and GTT cap), "
              "20.0 GiB left there.");
}

TEST(Verdict, SaysOfAnEvictionTooWhenLittleIsLeftThen) {
    auto const pool = unified(30_GiB);  // which has a margin of 4 GiB
    std::vector<Resident> const coder{{"coder", {.own = 20_GiB}}};
    auto const roomy = judge({.gpu = 60_GiB}, {pool}, vulkan, coder);
    EXPECT_EQ(sentence(roomy, vulkan),
              "It fits when coder goes: 60.0 GiB needed in what gpu0 may take (its carve-out and GTT cap), "
              "10.0 GiB left there then.");
    auto const tight = judge({.gpu = 68_GiB}, {pool}, vulkan, coder);
    EXPECT_EQ(tight.verdict, Verdict::NeedsEviction);
    EXPECT_EQ(
        sentence(tight, vulkan),
        "It fits when coder goes, but tightly: 68.0 GiB needed in what gpu0 may take (its carve-out and "
        "GTT cap), 2.0 GiB left there then.");
}

}  // namespace
}  // namespace hal0::memory
