#include "cli/memory_command.hpp"

#include <gtest/gtest.h>

#include "cli/test_house.hpp"

namespace hal0::cli {
namespace {

wire::MemoryView some_memory() {
    wire::PoolView pool{.id = "unified",
                        .total = 100_GiB,
                        .free = 40_GiB,
                        .unexplained = Bytes{} - 512_MiB,
                        .parts = {{.kind = "system memory", .device = "host", .total = 99_GiB},
                                  {.kind = "carve-out", .device = "gpu0", .total = 1_GiB}},
                        .caps = {{.device = "gpu0", .total = 62_GiB, .used = 25_GiB}}};
    pool.holders = {{.kind = "slot",
                     .name = "primary",
                     .bytes = 50_GiB,
                     .gives_way = 2_GiB,
                     .gpu = 25_GiB,
                     .swapped = 1_GiB,
                     .processes = 2},
                    {.kind = "process",
                     .name = "chrome\x1b[2J",
                     .bytes = 10_GiB,
                     .processes = 30,
                     .exact = false,
                     .notes = {"it shares"}},
                    {.kind = "kernel", .name = "slabs", .bytes = 512_MiB}};
    return {.time = "2026-01-02T03:04:05.000Z",
            .pools = {pool},
            .swap_total = 8_GiB,
            .swap_used = 1_GiB,
            .warnings = {"1.0 GiB of the slot 'primary' are in swap"}};
}

constexpr std::string_view shown =
    R"(unified: 100 GiB (system memory 99.0 GiB, carve-out 1.0 GiB); gpu0 takes at most 62.0 GiB of the system's (GTT)
HOLDER              MEMORY       GPU  GIVES WAY  IN SWAP
slot primary      50.0 GiB  25.0 GiB    2.0 GiB  1.0 GiB  ██████████
chrome[2J (30)  ≤ 10.0 GiB                                ██
kernel: slabs      512 MiB                                ▏
unexplained       -512 MiB
free              40.0 GiB                                ████████
chrome[2J (30): it shares

swap: 1.0 GiB of 8.0 GiB in use
warning: 1.0 GiB of the slot 'primary' are in swap
)";

TEST(Memory, IsShownAsTheDaemonTellsIt) {
    TestHouse house;
    house.serve([](Request const& request, Connection const& to) {
        if (request.line == "GET /api/memory") return to.answer(200, wire::encode(some_memory()));
        to.answer(200, "{}");
    });
    EXPECT_EQ(house.type({"memory"}), 0);
    EXPECT_EQ(house.terminal.said, shown);
    EXPECT_EQ(house.type({"memory", "--json"}), 0);
    EXPECT_EQ(house.terminal.said, wire::encode(some_memory()) + "\n");
}

TEST(Memory, IsReadHereWhereNoDaemonRuns) {
    TestHouse house;
    house.program.offline.memory = []() -> Result<wire::MemoryView> {
        auto view = some_memory();
        view.pools.at(0).total.reset();
        view.pools.at(0).free.reset();
        view.pools.at(0).unexplained.reset();
        return view;
    };
    EXPECT_EQ(house.type({"memory"}), 0);
    EXPECT_TRUE(has(house.terminal.said, "unified: unknown (")) << house.terminal.said;
    EXPECT_TRUE(has(house.terminal.said, "carve-out of gpu0: unknown of 1.0 GiB free, unknown unexplained"));
    EXPECT_FALSE(has(house.terminal.said, "\nunexplained"));
}

constexpr std::string_view node_shown =
    R"(node pve2 (Proxmox): 125 GiB, 85.0 GiB in use; 1 guest stopped
TENANT                       MEMORY                LIMIT
VM 200 win[2J              12.0 GiB  8.0 GiB of 16.0 GiB  █▉
container 101 hal0 (this)   6.0 GiB              8.0 GiB  █
VM 201                      unknown              2.0 GiB
GPU pages (GTT)            47.0 GiB                       ███████▌
ZFS cache                  16.0 GiB                       ██▌
unexplained                -512 MiB
free                       40.0 GiB                       ██████▍
an older Proxmox
)";

TEST(Memory, TheNodeUnderneathIsShownWithItsTenants) {
    TestHouse house;
    house.program.offline.memory = []() -> Result<wire::MemoryView> {
        auto view = some_memory();
        wire::HostView host{.node = "pve2",
                            .vmid = 101,
                            .total = 125_GiB,
                            .used = 85_GiB,
                            .free = 40_GiB,
                            .gpu_pages = 47_GiB,
                            .arc = 16_GiB,
                            .unexplained = Bytes{} - 512_MiB,
                            .notes = {"an older Proxmox"}};
        host.tenants = {{.vmid = 200,
                         .kind = "qemu",
                         .name = "win\x1b[2J",
                         .running = true,
                         .memory = 7_GiB,
                         .memory_on_node = 12_GiB,
                         .memory_max = 16_GiB,
                         .balloon = 8_GiB},
                        {.vmid = 101,
                         .kind = "lxc",
                         .name = "hal0",
                         .running = true,
                         .self = true,
                         .memory = 6_GiB,
                         .memory_max = 8_GiB},
                        {.vmid = 201, .kind = "qemu", .memory_max = 2_GiB},
                        {.vmid = 102, .kind = "lxc", .running = false, .memory = Bytes{}}};
        view.host = std::move(host);
        return view;
    };
    EXPECT_EQ(house.type({"memory"}), 0);
    auto const at = house.terminal.said.find("node pve2");
    ASSERT_NE(at, std::string::npos) << house.terminal.said;
    EXPECT_EQ(house.terminal.said.substr(at, house.terminal.said.find("\nswap:") - at), node_shown);
}

}  // namespace
}  // namespace hal0::cli
