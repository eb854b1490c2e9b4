// Pools of recorded boxes (tests/boxes); sizes are worked out from what their files.txt says.
#include "memory/pools.hpp"

#include <gtest/gtest.h>

#include <ostream>

#include "base/format.hpp"
#include "hardware/probe.hpp"
#include "hardware/recorded_machine.hpp"

namespace hal0::memory {
namespace {

std::vector<Pool> pools_of(std::string const& box, HostMemory const& host = {}) {
    auto const machine = hardware::RecordedMachine::open("tests/boxes/" + box).value();
    auto const report = hardware::probe(*machine, {});
    return pools(report, hardware::read_counters(*machine, report), host);
}

constexpr std::int64_t unknown = -1;
std::int64_t count(std::optional<Bytes> size) { return size ? size->count : unknown; }

struct Case {
    std::string box{};
    std::string id{};
    std::int64_t total{unknown};
    std::int64_t free{unknown};
    std::int64_t cap_left{unknown};
};
std::ostream& operator<<(std::ostream& out, Case const& row) { return out << row.box; }

class PoolOfBox : public testing::TestWithParam<Case> {};

TEST_P(PoolOfBox, IsCountedOnce) {
    auto const& row = GetParam();
    auto const found = pools_of(row.box);
    auto const* const pool = pool_of(found, row.id == "system" || row.id == "unified" ? "host" : row.id);
    ASSERT_NE(pool, nullptr);
    EXPECT_EQ(pool->id, row.id);
    EXPECT_EQ(count(pool->total()), row.total);
    EXPECT_EQ(count(pool->free()), row.free);
    auto const* const cap = pool->caps.empty() ? nullptr : &pool->caps.front();
    EXPECT_EQ(cap == nullptr ? unknown : count(cap->left), row.cap_left);
    if (auto const total = pool->total(); total && pool->free() && pool->used()) {
        EXPECT_EQ(*pool->used() + *pool->reserved() + *pool->free(), *total);
    }
}

constexpr std::int64_t kib = 1024;
constexpr std::int64_t gib = kib * kib * kib;
INSTANTIATE_TEST_SUITE_P(
    Boxes, PoolOfBox,
    testing::Values(
        // MemTotal 131006464 kB + 512 MiB; MemAvailable 120000000 kB + 256 MiB; the cap of 62 GiB is in them
        Case{"halo-128-512m-framework", "unified", 131006464 * kib + gib / 2, 120000000 * kib + gib / 4,
             67075309568 - 20971520},
        // amdgpu.gttsize=110000 beside ttm.pages_limit=26856000: TTM swaps out what is over the latter
        Case{"halo-gtt-pair", "unified", 131006464 * kib + gib / 2, 120000000 * kib + gib / 4,
             26856000 * 4 * kib - 20971520},
        // 32 GiB carved out, 20 of them used
        Case{"halo-128-32g", "unified", 100243456 * kib + 32 * gib, 60000000 * kib + 12 * gib,
             51324649472 - 1048576000},
        Case{"radeon-7900xtx", "system", 65011712 * kib, 50000000 * kib},
        Case{"radeon-7900xtx", "gpu0", 25753026560, 25753026560 - gib, unknown},
        Case{"nvidia-3090", "gpu0", 24 * gib, 23 * gib - 402653184, unknown},
        // Of the machine behind a container nothing is known but what its GPU says.
        Case{"lxc-privileged", "unified", unknown, unknown, 103079215104 - 50465865728},
        Case{"dgx-spark-gb10", "unified", 125529088 * kib, 110000000 * kib, unknown}));

TEST(Pools, AContainerLimitsTheProcessorAlone) {
    auto const lxc = pools_of("lxc-privileged").front();
    EXPECT_FALSE(lxc.host_known);
    ASSERT_TRUE(lxc.limit.has_value());
    EXPECT_EQ(lxc.limit->total, 8_GiB);
    EXPECT_EQ(lxc.limit->left, 6_GiB);
    auto const docker = pools_of("docker-limited").front();
    EXPECT_TRUE(docker.host_known);
    ASSERT_TRUE(docker.limit.has_value());
    EXPECT_EQ(docker.limit->total, 16_GiB);
}

// MemTotal of the box behind lxc-privileged's 8 GiB, and what its node has left.
constexpr HostMemory of_node{.total = Bytes{131006464 * kib}, .free = Bytes{60 * gib}};

TEST(Pools, WhatTheHostOfAContainerTellsIsWhatTheMachineHasLeft) {
    auto const lxc = pools_of("lxc-privileged", of_node).front();
    EXPECT_TRUE(lxc.host_known);
    auto const* const system = lxc.part(PoolPart::Kind::System, host_device);
    EXPECT_EQ(system->total, of_node.total);
    EXPECT_EQ(system->free, of_node.free);
    EXPECT_EQ(system->used, *of_node.total - *of_node.free);
    ASSERT_TRUE(lxc.limit.has_value());
    EXPECT_EQ(lxc.limit->total, 8_GiB) << "the container's own limit stands";
    auto const half = pools_of("lxc-privileged", {.total = of_node.total}).front();
    EXPECT_FALSE(half.host_known) << "a total alone says nothing of what is left";
    EXPECT_EQ(pools_of("halo-128-32g", of_node), pools_of("halo-128-32g"))
        << "where the counters speak for the machine, nobody else does";
}

TEST(Pools, ALimitFromBeforeTheLastStartIsNone) {
    auto const machine = hardware::RecordedMachine::open("tests/boxes/halo-gtt-pair").value();
    auto report = hardware::probe(*machine, {});
    auto const counters = hardware::read_counters(*machine, report);
    report.software.ttm_pages_limit = 1000;  // a hardware.json that nobody has written anew
    auto const cap = pools(report, counters).front().caps.front();
    EXPECT_EQ(cap.total, Bytes{26856000 * 4 * kib});
    EXPECT_EQ(cap.gtt_size, Bytes{115343360000});
}

TEST(Pools, WhatIsKeptForTheNextGpuBufferIsFree) {
    hardware::MemoryCounters counters{
        .total = 100_GiB, .available = 30_GiB, .gpu_pool = 60_GiB, .host_known = true};
    EXPECT_EQ(pools({}, counters).front().free(), 90_GiB);
    counters.gpu_pool = 80_GiB;
    EXPECT_EQ(pools({}, counters).front().free(), 100_GiB) << "some of it is in MemAvailable too, then";
}

TEST(Pools, WhatADriverDoesNotTellIsNotMadeUp) {
    auto const pool = pools_of("halo-amdgpu-not-loaded").front();
    EXPECT_EQ(pool.kind, Pool::Kind::Unified);
    EXPECT_TRUE(pool.part(PoolPart::Kind::System, host_device)->free.has_value());
    EXPECT_FALSE(pool.total().has_value());
}

}  // namespace
}  // namespace hal0::memory
