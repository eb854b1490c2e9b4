#include "hardware/footprint.hpp"

#include <gtest/gtest.h>

#include "base/format.hpp"
#include "hardware/processes.hpp"
#include "hardware/recorded_machine.hpp"

namespace hal0::hardware {
namespace {

// As llama-server had it with a model mapped, a page of it written to, and memory on its heap and in a memfd.
constexpr auto smaps =
    R"(55c88bd12000-55c88c000000 r-xp 00000000 fe:00 1234                       /opt/llama server
Rss:                7000 kB
Pss:                3500 kB
Anonymous:            12 kB
Swap:                  0 kB
VmFlags: rd ex mr mw me sd
7f0000000000-7f0006000000 r--s 00000000 fe:00 99                         /models/m-00001-of-00002.gguf
Rss:               94000 kB
Anonymous:             4 kB
Swap:                  0 kB
THPeligible:           0
7f1000000000-7f1010000000 rw-p 00000000 00:00 0 
Rss:              113000 kB
Anonymous:        113000 kB
Swap:               1000 kB
7f2000000000-7f2010000000 rw-s 00000000 00:01 8                          /memfd:pool (deleted)
Rss:                 500 kB
Anonymous:             0 kB
Swap:                  0 kB
)";

TEST(Footprint, AMappedModelIsToldApart) {
    auto const found = parse_smaps(smaps, {"m-00001-of-00002.gguf", "m-00002-of-00002.gguf"});
    EXPECT_EQ(found.own, 7000_KiB + 4_KiB + 113000_KiB + 1000_KiB + 500_KiB);
    EXPECT_EQ(found.mapped, 94000_KiB - 4_KiB);
    EXPECT_TRUE(found.maps_model);
    auto const other = parse_smaps(smaps, {"other.gguf"});
    EXPECT_EQ(other.own, 7000_KiB + 94000_KiB + 113000_KiB + 1000_KiB + 500_KiB);
    EXPECT_FALSE(other.maps_model);
    EXPECT_EQ(parse_smaps("", {}), Footprint{});
    EXPECT_EQ(parse_smaps("\n\nRss: x kB\nRss:\n-", {}), Footprint{});
}

class FootprintTest : public testing::Test {
  protected:
    void set(std::string const& path, std::string const& text) {
        machine.recorded_files().set(path, {RecordedFile::Kind::Text, text});
    }
    void process(int pid, int parent, int session) {
        set(format("/proc/{}/stat", pid),
            format("{} (a b) S {} {} {} 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 7 4096 1\n", pid, parent, session,
                   session));
        set(format("/proc/{}/smaps", pid), smaps);
        set(format("/proc/{}/smaps_rollup", pid), "Pss_Anon: 8 kB\nPss_File: 4 kB\nPss_Shmem: 2 kB\n");
    }
    RecordedMachine machine{std::make_unique<RecordedFiles>(), MachineFacts{}};
};

TEST_F(FootprintTest, AFamilyIsWhatDescendsAndWhatIsOfTheSession) {
    process(10, 1, 10);
    process(20, 1, 20);   // the worker
    process(30, 20, 30);  // its child, with a session of its own
    process(40, 30, 30);
    process(50, 1, 20);  // its parent has ended
    EXPECT_EQ(family_of(machine, 20), (std::vector{20, 30, 50, 40}));
    EXPECT_EQ(family_of(machine, 99), std::vector<int>{});
    EXPECT_EQ(read_footprint(machine, {20, 30}, {})->own, Bytes{2 * parse_smaps(smaps, {}).own.count});
    EXPECT_EQ(read_footprint(machine, {}, {}).error().kind, Errc::NotFound);
    EXPECT_EQ(read_footprint(machine, {99}, {}).error().kind, Errc::NotFound);
    machine.recorded_files().set("/proc/20/smaps", {RecordedFile::Kind::Fault, "EACCES"});
    EXPECT_EQ(read_footprint(machine, {20, 30}, {}).error().kind, Errc::Forbidden);
}

TEST_F(FootprintTest, GpuMemoryIsOfThatCardOrUnknown) {
    process(20, 1, 20);
    machine.recorded_files().set("/proc/20/fd/3", {RecordedFile::Kind::Link, "/dev/dri/renderD128"});
    set("/proc/20/fdinfo/3",
        "drm-driver:\tamdgpu\ndrm-client-id:\t30\ndrm-pdev:\t0000:c5:00.0\ndrm-memory-vram:\t3 "
        "MiB\ndrm-memory-gtt:\t8 "
        "MiB\n");
    EXPECT_EQ(read_gpu_footprint(machine, {20}, "0000:c5:00.0"), 11_MiB);
    EXPECT_EQ(read_gpu_footprint(machine, {20}, "0000:01:00.0"), std::nullopt);
    machine.facts().nvml =
        NvmlAnswer{.state = "ok",
                   .devices = {{.pci = "0000:01:00.0",
                                .processes = {{{.pid = 20, .memory = 5_GiB}, {.pid = 9, .memory = 1_GiB}}}},
                               {.pci = "0000:02:00.0"}}};
    EXPECT_EQ(read_gpu_footprint(machine, {20}, "0000:01:00.0"), 5_GiB);
    EXPECT_EQ(read_gpu_footprint(machine, {20}, "0000:02:00.0"), std::nullopt);
    EXPECT_EQ(read_gpu_footprint(machine, {21}, "0000:01:00.0"), std::nullopt);
}

}  // namespace
}  // namespace hal0::hardware
