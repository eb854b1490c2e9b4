#include "hardware/processes.hpp"

#include <gtest/gtest.h>

#include "base/format.hpp"
#include "hardware/memory_use.hpp"
#include "hardware/recorded_machine.hpp"

namespace hal0::hardware {
namespace {

class ProcessesTest : public testing::Test {
  protected:
    void set(std::string const& path, std::string const& text) {
        machine.recorded_files().set(path, {RecordedFile::Kind::Text, text});
    }
    void link(std::string const& path, std::string const& target) {
        machine.recorded_files().set(path, {RecordedFile::Kind::Link, target});
    }
    void fault(std::string const& path, std::string const& name) {
        machine.recorded_files().set(path, {RecordedFile::Kind::Fault, name});
    }
    void process(int pid, std::int64_t start, std::string const& name) {
        set(format("/proc/{}/stat", pid),
            format("{} ({}) S 1 {} {} 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 {} 4096 1\n", pid, name, pid, pid,
                   start));
        set(format("/proc/{}/smaps_rollup", pid),
            "0-1 ---p 0 00:00 0 [rollup]\nPss_Anon: 8 kB\nPss_File: 4 kB\nPss_Shmem: 2 kB\nSwapPss: 1 kB\n");
        link(format("/proc/{}/fd/3", pid), "/dev/dri/renderD128");
    }
    RecordedMachine machine{std::make_unique<RecordedFiles>(), MachineFacts{}};
};

// torvalds/linux amdgpu_fdinfo.c: units differ from value to value, and one key has a space before the tab.
TEST(Fdinfo, UnitsAreEachValuesOwn) {
    auto const client = parse_fdinfo(
        "drm-driver:\tamdgpu\ndrm-client-id:\t30\ndrm-pdev:\t0000:04:00.0\ndrm-memory-gtt: \t20480 KiB\n"
        "drm-memory-vram:\t3 MiB\ndrm-memory-cpu:\t4096\ndrm-shared-vram:\t1 GiB\ndrm-memory-doorbell:\t9 "
        "MiB\n");
    ASSERT_TRUE(client);
    EXPECT_EQ(client->id, "30");
    EXPECT_EQ(client->pci, "0000:04:00.0");
    EXPECT_EQ(client->gtt, 20_MiB);
    EXPECT_EQ(client->vram, 3_MiB);
    EXPECT_EQ(client->system, 4_KiB);
    EXPECT_EQ(client->shared_vram, 3_MiB) << "no more is shared than there is";
}

TEST(Fdinfo, WhatIsResidentCountsOnce) {
    auto const client = parse_fdinfo(
        "drm-driver:\txe\ndrm-client-id:\t5\ndrm-total-vram0:\t9 MiB\ndrm-resident-vram0:\t1 MiB\n"
        "drm-resident-vram1:\t2 MiB\ndrm-resident-gtt:\t0\ndrm-resident-system:\t4 MiB\ndrm-memory-vram0:\t1 "
        "MiB\n");
    ASSERT_TRUE(client);
    EXPECT_EQ(client->vram, 3_MiB);
    EXPECT_EQ(client->gtt, Bytes{});
    EXPECT_EQ(client->system, 4_MiB);
}

TEST(Fdinfo, TheOldFormIsReadAndNonsenseIsNot) {
    auto const old = parse_fdinfo("pdev:\t0000:0b:00.0\npasid:\t32771\nvram mem:\t100 kB\ngtt mem:\t20 kB\n");
    ASSERT_TRUE(old);
    EXPECT_EQ(old->vram, 100_KiB);
    EXPECT_EQ(old->gtt, 20_KiB);
    EXPECT_EQ(old->id, "pasid 32771");
    EXPECT_FALSE(parse_fdinfo("pos:\t0\nflags:\t02\n"));
    EXPECT_FALSE(parse_fdinfo(""));
    auto const wild = parse_fdinfo(
        "drm-driver:\tamdgpu\ndrm-memory-vram:\t18446744073709551615\ndrm-memory-gtt:\t9223372036854775807 "
        "GiB\n"
        "drm-memory-cpu:\t-1\ndrm-memory-\t\n:\n");
    ASSERT_TRUE(wild);
    EXPECT_EQ(wild->vram + wild->gtt + wild->system, Bytes{});
}

TEST_F(ProcessesTest, AClientIsCountedWithWhoStartedFirst) {
    auto const info =
        "drm-driver:\tamdgpu\ndrm-client-id:\t30\ndrm-pdev:\t0000:c5:00.0\ndrm-memory-gtt:\t8 KiB\n";
    for (auto const& [pid, start] : {std::pair{50, 900}, std::pair{60, 100}, std::pair{70, 500}}) {
        process(pid, start, "p");
        set(format("/proc/{}/fdinfo/3", pid), info);
    }
    auto const found = read_processes(machine).all;
    ASSERT_EQ(found.size(), 3U);
    EXPECT_TRUE(found[0].gpu.empty());
    EXPECT_EQ(found[0].gpu_counted_with, std::vector{60});
    ASSERT_EQ(found[1].gpu.size(), 1U);
    EXPECT_EQ(found[1].gpu[0].gtt, 8_KiB);
    EXPECT_TRUE(found[1].gpu_counted_with.empty());
    EXPECT_EQ(found[2].gpu_counted_with, std::vector{60});
}

TEST_F(ProcessesTest, WithoutNumbersOfClientsEachDescriptorIsOne) {
    for (int const pid : {50, 60}) {
        process(pid, 1, "p");
        set(format("/proc/{}/fdinfo/3", pid), "drm-driver:\tnouveau\ndrm-memory-vram:\t8 KiB\n");
    }
    for (auto const& one : read_processes(machine).all)
        EXPECT_EQ(one.gpu.size(), 1U);
}

TEST_F(ProcessesTest, WhatOthersKeepToThemselvesIsABoundOrUnknown) {
    process(50, 1, "closed");
    fault("/proc/50/smaps_rollup", "EACCES");
    fault("/proc/50/fd", "EACCES");
    set("/proc/50/status",
        "Name:\tclosed\nVmRSS:\t 30 kB\nRssAnon:\t 20 kB\nRssFile:\t 10 kB\nVmSwap:\t 3 kB\n");
    fault("/proc/60/stat", "EACCES");
    auto const found = read_processes(machine).all;
    ASSERT_EQ(found.size(), 2U);
    EXPECT_EQ(found[0].sure, ProcessMemory::Sure::Bound);
    EXPECT_EQ(found[0].anonymous, 20_KiB);
    EXPECT_EQ(found[0].file, Bytes{});
    EXPECT_EQ(found[0].swapped, 3_KiB);
    EXPECT_FALSE(found[0].gpu_known);
    EXPECT_EQ(found[1].sure, ProcessMemory::Sure::Unknown);
}

TEST_F(ProcessesTest, WhoHasEndedAndTheKernelsOwnAreNotThere) {
    process(50, 1, "ends");
    machine.recorded_files().all().erase("/proc/50/smaps_rollup");
    set("/proc/2/stat", "2 (kthreadd) S 0 0 0 0 -1 2129984 0 0 0 0 0 0 0 0 20 0 1 0 2 0 0\n");
    set("/proc/51/stat", "garbage");
    set("/proc/52/stat", "52 (cut) S 1");
    process(53, 7, "odd ) (name");
    auto const found = read_processes(machine).all;
    ASSERT_EQ(found.size(), 1U);
    EXPECT_EQ(found[0].name, "odd ) (name");
    EXPECT_EQ(found[0].start, 7);
    EXPECT_EQ(found[0].session, 53);
    EXPECT_EQ(found[0].shared, 2_KiB);
    EXPECT_TRUE(read_processes(machine, {51, 99}).all.empty());
}

TEST_F(ProcessesTest, WhetherThereMayBeOthersIsSaid) {
    process(1, 1, "init");
    link("/proc/self/ns/pid", "pid:[4026531836]");
    EXPECT_EQ(read_processes(machine).unseen, "");
    link("/proc/self/ns/pid", "pid:[4026532801]");
    EXPECT_NE(read_processes(machine).unseen.find("container"), std::string::npos);
    link("/proc/self/ns/pid", "pid:[4026531836]");
    machine.recorded_files().all().erase("/proc/1/stat");
    machine.recorded_files().all().erase("/proc/1/smaps_rollup");
    machine.recorded_files().all().erase("/proc/1/fd/3");
    EXPECT_NE(read_processes(machine).unseen.find("hidepid"), std::string::npos);
}

TEST_F(ProcessesTest, MemoryUseIsInClassesThatDontOverlap) {
    set("/proc/meminfo",
        "MemTotal: 1000 kB\nMemFree: 100 kB\nCached: 300 kB\nBuffers: 20 kB\nShmem: 50 kB\nKernelStack: 7 "
        "kB\n"
        "VmallocUsed: 10 kB\nSReclaimable: 4 kB\nKReclaimable: 6 kB\nSwapCached: -3 kB\n");
    set("/proc/zoneinfo",
        "Node 0\n  pagesets\n    cpu: 0\n              count:    3\n              high: 9\n");
    auto use = read_memory_use(machine);
    EXPECT_EQ(use.cache, 270_KiB);
    EXPECT_EQ(use.vmalloc, 3_KiB) << "the stacks lie in it";
    EXPECT_EQ(use.slab_reclaimable, 6_KiB);
    EXPECT_FALSE(use.swap_cached);
    EXPECT_FALSE(use.page_tables);
    EXPECT_FALSE(use.free_on_cpus) << "how large a page is isn't known";
    machine.facts().system = SystemAnswer{.page_size = 4_KiB};
    EXPECT_EQ(read_memory_use(machine).free_on_cpus, 12_KiB);
}

TEST_F(ProcessesTest, WhatGivesWayAndIsNotInMemAvailableIsTold) {
    set("/proc/meminfo", "MemTotal: 1000 kB\nMemAvailable: 400 kB\nGPUReclaim: 300 kB\n");
    set("/proc/spl/kstat/zfs/arcstats",
        "13 1 0x01 147 39984 4211 99\nname                            type data\n"
        "c_min                           4    1024\nsize                            4    204800\n");
    auto const counters = read_counters(machine, {});
    EXPECT_EQ(counters.gpu_pool, 300_KiB);
    EXPECT_EQ(counters.zfs_cache, 200_KiB);
    set("/proc/meminfo", "MemTotal: 1000 kB\nMemAvailable: 400 kB\nGPUReclaim: 3000 kB\n");
    EXPECT_FALSE(read_counters(machine, {}).gpu_pool) << "more than there is";
}

}  // namespace
}  // namespace hal0::hardware
