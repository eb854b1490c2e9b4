#include "hardware/record.hpp"

#include <gtest/gtest.h>

#include "hardware/conditions.hpp"
#include "hardware/counters.hpp"
#include "hardware/live_machine.hpp"
#include "hardware/probe.hpp"
#include "os/file.hpp"
#include "os/test_dir.hpp"

namespace hal0::hardware {
namespace {

constexpr auto framework = "tests/boxes/halo-128-512m-framework";

TEST(Record, GivesTheSameReportAsTheMachine) {
    os::TestDir const dir;
    auto const machine = std::move(RecordedMachine::open(framework)).value();
    ASSERT_TRUE(record(*machine, dir / "box").ok());
    auto const again = std::move(RecordedMachine::open(dir / "box")).value();
    auto const first = probe(*machine, {});
    auto const second = probe(*again, {});
    EXPECT_EQ(wire::encode(second), wire::encode(first));
    EXPECT_EQ(read_counters(*again, second), read_counters(*machine, first));
    EXPECT_EQ(record(*machine, dir / "box").error().kind, Errc::Exists);
}

// This very machine, whatever it is; who asks its drivers is left out.
TEST(Record, OfThisMachineIsTheSameBox) {
    os::TestDir const dir;
    auto const machine = std::move(LiveMachine::open({})).value();
    ASSERT_TRUE(record(*machine, dir / "box").ok());
    auto const again = std::move(RecordedMachine::open(dir / "box")).value();
    auto const live = probe(*machine, {});
    auto const recorded = probe(*again, {});
    EXPECT_EQ(wire::encode(recorded.cpu), wire::encode(live.cpu));
    EXPECT_EQ(wire::encode(recorded.platform), wire::encode(live.platform));
    EXPECT_EQ(wire::encode(recorded.software), wire::encode(live.software));
    EXPECT_EQ(recorded.memory.total, live.memory.total);
    EXPECT_TRUE(live.memory.total.has_value());
    EXPECT_EQ(live.vulkan.state, "unknown");
}

TEST(Record, LeavesOutWhatIsNobodysBusiness) {
    os::TestDir const dir;
    auto const machine = std::move(RecordedMachine::open(framework)).value();
    auto& files = machine->recorded_files();
    auto const set = [&files](std::string const& path, std::string text) {
        files.set(path, {RecordedFile::Kind::Text, std::move(text)});
    };
    set("/proc/cmdline", "root=UUID=SECRET-1 amd_iommu=off hostname=SECRET-2\n");
    set("/proc/1/environ", std::string{"HOME=/home/SECRET-3\0container=lxc\0", 34});
    set("/proc/self/mountinfo", "1 2 3:4 / /home/SECRET-4 rw - ext4 /dev/x rw\n");
    set("/proc/self/cgroup", "0::/user.slice/SECRET-5.scope\n");
    set("/sys/fs/cgroup/user.slice/SECRET-5.scope/memory.max", "8589934592\n");
    set("/sys/firmware/dmi/entries/17-0/raw",
        std::string{"\x11\x28", 2} + std::string(0x26, '\1') + std::string{"SECRET-6\0\0", 10});
    set("/sys/class/dmi/id/product_uuid", "SECRET-7\n");
    set("/usr/share/libdrm/amdgpu.ids", "1586,\tC1,\tAMD Radeon 8060S Graphics\n15BF,\tC1,\tSECRET-8\n");
    set("/proc/self/environ", std::string{"TOKEN=SECRET-9\0HSA_OVERRIDE_GFX_VERSION=11.0.0\0", 47});
    set("/etc/group", "render:x:992:ann-SECRET-10,hal0\nann-SECRET-10:x:1000:\nvideo:x:44:\n");
    set("/etc/passwd", "ann-SECRET-10:x:1000:1000::/home:/bin/sh\nhal0:x:990:990::/:/bin/false\n");
    set("/etc/modprobe.d/SECRET-11.conf", "options other key=SECRET-12\n");
    set("/etc/modprobe.d/ttm.conf", "# SECRET-13\noptions ttm pages_limit=28311552\n");
    set("/sys/class/power_supply/hid-SECRET-14/type", "Battery\n");
    set("/sys/class/power_supply/AC0/type", "Mains\n");
    set("/sys/class/power_supply/AC0/online", "0\n");
    auto const before = probe(*machine, {});
    auto const conditions = read_conditions(*machine, before);
    ASSERT_EQ(before.memory.limit, 8_GiB);
    ASSERT_TRUE(record(*machine, dir / "box").ok());
    auto const text = os::read_file(dir / "box/files.txt", 1_MiB).value();
    EXPECT_EQ(text.find("SECRET"), std::string::npos) << text;
    auto const again = std::move(RecordedMachine::open(dir / "box")).value();
    EXPECT_EQ(wire::encode(probe(*again, {})), wire::encode(before));
    EXPECT_EQ(wire::encode(read_conditions(*again, before)), wire::encode(conditions));
    EXPECT_EQ(conditions.variable("HSA_OVERRIDE_GFX_VERSION"), "11.0.0");
    EXPECT_TRUE(conditions.service_user && conditions.group("render")->has_service_user);
    EXPECT_EQ(conditions.on_mains, false);
    ASSERT_EQ(conditions.module_options.size(), 1U);
    EXPECT_EQ(conditions.module_options[0].line, "options ttm pages_limit=28311552");
}

TEST(Record, TellsOfSwapWhetherItIsZramAndNotWhereAFileLies) {
    EXPECT_EQ(scrubbed("/proc/swaps",
                       "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n"
                       "/dev/zram0                              partition\t8388604\t\t0\t\t100\n"
                       "/home/ann/swap                          file\t\t8388604\t\t0\t\t-2\n",
                       {}),
              "/dev/zram0 partition 8388604 0 100\n/swapfile file 8388604 0 -2\n");
    EXPECT_EQ(scrubbed("/proc/swaps", "none  virtual\t8388604\t0\t0\n", {}), "");
}

TEST(Modprobe, WordsStandApartByAnyBlanks) {
    EXPECT_TRUE(matters_of_modprobe("  blacklist\t amdgpu"));
    EXPECT_FALSE(matters_of_modprobe("blacklist"));
    EXPECT_EQ(words_of_line(" options  ttm\tpages_limit=1 "),
              (std::vector<std::string>{"options", "ttm", "pages_limit=1"}));
}

// The child is any program that writes such an answer; here a shell that reads it from a file.
class DriverChildTest : public testing::Test {
  protected:
    std::unique_ptr<LiveMachine> machine(std::string const& script,
                                         Duration patience = std::chrono::seconds{10}) {
        return std::move(LiveMachine::open({{"/bin/sh", "-c", script}, patience})).value();
    }
    os::TestDir dir_;
};

TEST_F(DriverChildTest, IsAskedByItsRole) {
    NvmlAnswer const answer{.state = "ok", .driver_version = "590.48.01"};
    ASSERT_TRUE(os::atomic_write(dir_ / "nvml", wire::encode(answer)).ok());
    auto const asked = machine("echo a driver says hello; cat " + dir_.path() + "/$0");
    asked->expect_nvml();
    EXPECT_EQ(asked->nvml(), answer);
    EXPECT_EQ(asked->nvml(), answer);  // asked anew
}

TEST_F(DriverChildTest, IsUnknownWhenItHangsCrashesOrTalksNonsense) {
    auto const fault = [this](std::string const& script, Duration patience) {
        auto const answer = machine(script, patience)->vulkan();
        EXPECT_EQ(answer.state, "unknown") << script;
        return answer.fault.value_or("");
    };
    EXPECT_EQ(fault("exec tail -f /dev/null", std::chrono::milliseconds{100}), "it didn't answer in time");
    EXPECT_NE(fault("kill -SEGV $$", std::chrono::seconds{10}).find("killed by SIGSEGV"), std::string::npos);
    EXPECT_NE(fault("echo nonsense", std::chrono::seconds{10}).find("not JSON"), std::string::npos);
    EXPECT_NE(fault("true", std::chrono::seconds{10}), "");
}

TEST(Report, OfANewerHal0IsRefused) {
    auto const machine = std::move(RecordedMachine::open(framework)).value();
    auto const text = wire::encode(probe(*machine, {}));
    EXPECT_TRUE(decode_report(text).ok());
    EXPECT_EQ(decode_report(R"({"schema":2,"other":true})").error().kind, Errc::Unsupported);
    EXPECT_EQ(decode_report(R"({"schema":0})").error().kind, Errc::Corrupt);
    EXPECT_EQ(decode_report(R"({"schema":1})").error().kind, Errc::Corrupt);
    EXPECT_EQ(decode_report("[]").error().kind, Errc::Corrupt);
    EXPECT_EQ(decode_report(text.substr(0, text.size() / 2)).error().kind, Errc::Corrupt);
}

}  // namespace
}  // namespace hal0::hardware
