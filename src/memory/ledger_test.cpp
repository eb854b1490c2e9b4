// Each folder of tests/ledgers is a test: a recorded box with its processes, and who holds what of its
// memory, written by people from the figures in files.txt.
#include "memory/ledger.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>

#include "base/format.hpp"
#include "hardware/probe.hpp"
#include "hardware/recorded_machine.hpp"
#include "hardware/test_expected.hpp"
#include "json/value.hpp"
#include "os/file.hpp"

namespace hal0::memory {
namespace {

using hardware::RecordedMachine;

constexpr char const* cases = "tests/ledgers";

std::vector<std::string> case_names() {
    std::vector<std::string> names;
    for (auto& name : os::list_directory(cases).value_or({})) {
        if (os::exists(format("{}/{}/expected.json", cases, name))) names.push_back(std::move(name));
    }
    return names;
}

struct Expected {
    static constexpr wire::BodyTitle title{"Expected", "Of a case, whose workers run."};
    struct Slot {
        static constexpr wire::BodyTitle title{"Slot", "A worker."};
        std::string slot{};
        std::int64_t pid{0};
        template <class Self, class F> static void fields(Self& self, F& f) {
            f("slot", self.slot, "its slot");
            f("pid", self.pid, "its number");
        }
    };
    std::vector<Slot> slots{};
    template <class Self, class F> static void fields(Self& self, F& f) { f("slots", self.slots, "all"); }
};

wire::MemoryView view_of(RecordedMachine& machine, std::vector<SlotProcess> const& slots) {
    auto const report = hardware::probe(machine, {});
    return ledger(report, read_ledger_facts(machine, report), slots, WallTime{});
}

// Where a total is known, the lines make it, to the byte.
void expect_sums(wire::PoolView const& pool) {
    Bytes held{}, part_held{};
    for (auto const& holder : pool.holders)
        held += holder.bytes;
    for (auto const& part : pool.parts) {
        part_held += part.held.value_or(Bytes{});
        if (!part.total) continue;
        EXPECT_EQ(*part.held + *part.free + *part.unexplained, *part.total) << pool.id << " " << part.kind;
        EXPECT_LE(std::abs(part.unexplained->count), part.total->count / 50) << pool.id << " " << part.kind;
    }
    EXPECT_EQ(held, part_held) << pool.id;
    if (!pool.total) return;
    EXPECT_EQ(held + *pool.free + *pool.unexplained, *pool.total) << pool.id;
}

class RecordedLedger : public testing::TestWithParam<std::string> {};

TEST_P(RecordedLedger, SaysWhoHoldsWhat) {
    auto const directory = format("{}/{}", cases, GetParam());
    auto const machine = RecordedMachine::open(directory);
    ASSERT_TRUE(machine.ok()) << machine.error().message;
    auto const text = os::read_file(directory + "/expected.json", 1_MiB).value();
    std::vector<SlotProcess> slots;
    auto const given = wire::decode<Expected>(text).value();
    for (auto const& slot : given.slots)
        slots.push_back({slot.slot, static_cast<int>(slot.pid)});
    auto const view = view_of(**machine, slots);
    auto const expected = json::parse(text).value();
    hardware::expect_holds(json::parse(wire::encode(view)).value(), *expected.find("view"), "view");
    for (auto const& pool : view.pools)
        expect_sums(pool);
    EXPECT_EQ(wire::decode<wire::MemoryView>(wire::encode(view)).value(), view);
}

std::string test_name(testing::TestParamInfo<std::string> const& name) {
    auto text = name.param;
    std::replace(text.begin(), text.end(), '-', '_');
    return text;
}
INSTANTIATE_TEST_SUITE_P(Cases, RecordedLedger, testing::ValuesIn(case_names()), test_name);

TEST(RecordedLedgers, AreAllThere) { EXPECT_GE(case_names().size(), 5U); }

class LedgerTest : public testing::Test {
  protected:
    LedgerTest() { machine = RecordedMachine::open("tests/ledgers/halo-shared-clients").value(); }
    void set(std::string const& path, std::string const& text) {
        machine->recorded_files().set(path, {hardware::RecordedFile::Kind::Text, text});
    }
    wire::PoolView pool() { return view_of(*machine, {{"primary", 1000}}).pools.at(0); }
    std::unique_ptr<RecordedMachine> machine{};
};

wire::HolderView const* find(wire::PoolView const& pool, std::string_view kind) {
    auto const found = std::find_if(pool.holders.begin(), pool.holders.end(),
                                    [kind](wire::HolderView const& holder) { return holder.kind == kind; });
    return found == pool.holders.end() ? nullptr : &*found;
}

TEST_F(LedgerTest, WhatIsCountedTwiceIsSaidAndTheSumStillCloses) {
    // A counter that lags behind what processes say: 600,000 KiB more are claimed than are in use.
    set("/sys/bus/pci/devices/0000:bd:00.0/mem_info_gtt_used",
        std::to_string((25'578'480LL - 600'000) * 1024));
    auto const now = pool();
    expect_sums(now);
    EXPECT_EQ(now.unexplained, Bytes{(192'464LL + 21'520) * 1024});
    EXPECT_EQ(find(now, "slot")->gpu, Bytes{25'263'348LL * 1024});
}

TEST_F(LedgerTest, ZfsCacheIsALineAndNoMoreThanIsUnexplained) {
    set("/proc/spl/kstat/zfs/arcstats", "size 4 104857600\n");
    auto now = pool();
    expect_sums(now);
    EXPECT_EQ(now.unexplained, Bytes{(192'464LL - 102'400) * 1024});
    set("/proc/spl/kstat/zfs/arcstats", "size 4 1048576000\n");
    now = pool();
    expect_sums(now);
    EXPECT_EQ(now.unexplained, Bytes{}) << "the rest of it lies in slabs, which are counted";
}

TEST_F(LedgerTest, WhatIsUnknownIsNoNumber) {
    machine->recorded_files().all().erase("/proc/meminfo");
    auto const now = pool();
    EXPECT_FALSE(now.total);
    EXPECT_FALSE(now.unexplained);
    EXPECT_EQ(find(now, "slot")->anonymous, Bytes{1'000'000LL * 1024}) << "what is known stays";
    set("/proc/1000/smaps_rollup", "Pss_Anon: 18446744073709551615 kB\nPss_File: 1 kB\nPss_Shmem: x kB\n");
    set("/proc/1000/status", "RssAnon: 7 kB\n");
    EXPECT_FALSE(find(pool(), "slot")->exact) << "nonsense counts as not told";
    EXPECT_EQ(find(pool(), "slot")->anonymous, Bytes{100'007LL * 1024});
}

TEST_F(LedgerTest, AProcessWhoseParentHasEndedBelongsToItsSlotBySession) {
    auto& files = machine->recorded_files().all();
    auto& stat = files.at("/proc/1001/stat").text;
    stat.replace(stat.find(" S 1000 "), 8, " S 1 ");
    EXPECT_EQ(find(pool(), "slot")->processes, 2);
    stat.replace(stat.find(" S 1 1000 1000 "), 15, " S 1 1001 1001 ");
    EXPECT_EQ(find(pool(), "slot")->processes, 1);
}

TEST_F(LedgerTest, InAContainerOthersMayHoldWhatNobodyHere) {
    auto& files = machine->recorded_files();
    files.set("/proc/self/ns/pid", {hardware::RecordedFile::Kind::Link, "pid:[4026532999]"});
    auto const now = pool();
    expect_sums(now);
    ASSERT_NE(find(now, "nobody"), nullptr);
    EXPECT_NE(find(now, "nobody")->notes.at(0).find("processes elsewhere"), std::string::npos);
    EXPECT_EQ(find(now, "driver"), nullptr) << "how small it is says nothing here";
}

TEST_F(LedgerTest, OnlyTheLargestProcessesHaveALineOfTheirOwn) {
    for (int pid = 5000; pid < 5020; ++pid) {
        set(format("/proc/{}/stat", pid),
            format("{} (p{}) S 1 {} {} 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 9 4096 1\n", pid, pid, pid, pid));
        set(format("/proc/{}/smaps_rollup", pid), "Pss_Anon: 1024 kB\nPss_File: 0 kB\nPss_Shmem: 0 kB\n");
    }
    auto const now = pool();
    expect_sums(now);
    auto const* const rest = find(now, "processes");
    ASSERT_NE(rest, nullptr);
    EXPECT_EQ(rest->processes, 20 + 2 - 10);
    EXPECT_EQ(rest->bytes, 12_MiB);
    EXPECT_EQ(now.unexplained, Bytes{192'464LL * 1024} - 20_MiB) << "they are in no class of meminfo here";
}

// DGX Spark: NVML tells of processes, and of no memory of the GPU's own.
TEST(UnifiedNvidia, WhatNvmlTellsOfProcessesIsOfTheSystemsMemory) {
    auto const machine = RecordedMachine::open("tests/boxes/dgx-spark-gb10").value();
    auto& files = machine->recorded_files();
    auto const set = [&files](std::string const& path, std::string const& text) {
        files.set(path, {hardware::RecordedFile::Kind::Text, text});
    };
    set("/proc/1000/stat", "1000 (w) S 1 1000 1000 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 9 4096 1\n");
    set("/proc/1000/smaps_rollup", "Pss_Anon: 1024 kB\nPss_File: 0 kB\nPss_Shmem: 0 kB\n");
    machine->facts().nvml->devices.at(0).processes = {{.pid = 1000, .memory = 40_GiB}};
    auto const view = view_of(*machine, {{"primary", 1000}});
    ASSERT_EQ(view.pools.size(), 1U);
    auto const* const slot = find(view.pools[0], "slot");
    ASSERT_NE(slot, nullptr);
    EXPECT_EQ(slot->gpu, 40_GiB);
    EXPECT_EQ(slot->bytes, 40_GiB + 1_MiB);
}

TEST(GttUnattributed, IsTheLeakAndNothingWhereNobodyWasLookedAt) {
    auto const lost = [](std::string const& box) {
        auto const machine = RecordedMachine::open(box).value();
        auto const report = hardware::probe(*machine, {});
        return gtt_unattributed(report, read_ledger_facts(*machine, report));
    };
    EXPECT_EQ(lost("tests/ledgers/halo-leak"), (GttUnattributed{40_GiB, true}));
    EXPECT_EQ(lost("tests/boxes/halo-128-512m-framework"), std::nullopt);
    EXPECT_EQ(lost("tests/boxes/cpu-only-firecracker"), std::nullopt);
}

}  // namespace
}  // namespace hal0::memory
