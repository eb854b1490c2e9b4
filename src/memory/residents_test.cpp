#include "memory/residents.hpp"

#include <gtest/gtest.h>

namespace hal0::memory {
namespace {

Holder slot(std::string name, Bytes anonymous, std::vector<GpuShare> gpus = {}) {
    return {.kind = Holder::Kind::Slot,
            .name = std::move(name),
            .anonymous = anonymous,
            .file = 5_GiB,  // mapped by whoever, and no model
            .gpus = std::move(gpus)};
}

hardware::HardwareReport two_gpus() {
    hardware::HardwareReport report;
    report.gpus.push_back({.id = "gpu0", .pci = "0000:c5:00.0"});
    report.gpus.push_back({.id = "gpu1", .pci = "0000:01:00.0"});
    return report;
}

TEST(Residents, GoLargestFirstAndCompanionsLast) {
    Holders const who{.all = {slot("embed", 3_GiB),
                              slot("small", 1_GiB),
                              slot("empty", {}),
                              slot("big", 2_GiB),
                              {.kind = Holder::Kind::Process, .name = "firefox", .anonymous = 9_GiB}}};
    EXPECT_EQ(residents(who, two_gpus(), {}, {"embed"}),
              (std::vector<Resident>{{.name = "big", .holds = {.host = 2_GiB}},
                                     {.name = "small", .holds = {.host = 1_GiB}},
                                     {.name = "embed", .holds = {.host = 3_GiB}, .companion = true}}));
}

TEST(Residents, HoldOfTheTargetsGpuAndOfTheHost) {
    Holders const who{.all = {slot("a", 1_GiB,
                                   {{.pci = "0000:c5:00.0", .vram = 10_GiB, .gtt = 4_GiB},
                                    {.pci = "0000:01:00.0", .vram = 20_GiB, .gtt = 2_GiB}})}};
    EXPECT_EQ(residents(who, two_gpus(), {.device = "gpu0"}, {}).at(0).holds,
              (Holding{.host = 1_GiB, .pages = 6_GiB, .own = 10_GiB}));
    EXPECT_EQ(residents(who, two_gpus(), {.device = "gpu1"}, {}).at(0).holds,
              (Holding{.host = 1_GiB, .pages = 6_GiB, .own = 20_GiB}));
}

TEST(Residents, GiveBackTheModelThatTheyMap) {
    auto mapping = slot("mapping", 1_GiB);
    mapping.mapped = 6_GiB;  // of which five are in memory
    auto copying = slot("copying", 4_GiB);
    copying.mapped = 1_GiB;  // of the 5 GiB that are there: the others were copied (CPU_REPACK)
    Holders const who{.all = {mapping, copying}};
    auto const found = residents(who, two_gpus(), {}, {});
    ASSERT_EQ(found.size(), 2U);
    EXPECT_EQ(found.at(0).holds, (Holding{.host = 6_GiB}));
    EXPECT_EQ(found.at(1).holds, (Holding{.host = 5_GiB}));
}

TEST(Residents, AModelThatIsMappedIsNotFree) {
    auto mapping = slot("mapping", 1_GiB);
    mapping.mapped = 6_GiB;
    PoolPart const system{.device = "host", .total = 16_GiB, .used = 3_GiB, .free = 13_GiB};
    Pool const pool{.parts = {system}, .limit = ProcessorLimit{8_GiB, 4_GiB}};
    auto const left = with_mapped({pool}, {.all = {mapping}}).front();
    EXPECT_EQ(left.free(), 8_GiB);
    EXPECT_EQ(left.used(), 8_GiB);
    EXPECT_EQ(left.limit->left, Bytes{}) << "never under nothing";
    EXPECT_EQ(with_mapped({pool}, {.all = {slot("copied", 1_GiB)}}).front(), pool);
    EXPECT_FALSE(with_mapped({Pool{.parts = {PoolPart{}}}}, {.all = {mapping}}).front().free().has_value());
}

}  // namespace
}  // namespace hal0::memory
