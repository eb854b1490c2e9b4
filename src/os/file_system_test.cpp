#include "os/file_system.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "os/device_node.hpp"
#include "os/system_info.hpp"
#include "os/test_dir.hpp"

namespace hal0::os {
namespace {

class RootedFilesTest : public testing::Test {
  protected:
    void SetUp() override {
        EXPECT_TRUE(make_directories(dir_ / "root/sys/class").ok());
        EXPECT_TRUE(make_directories(dir_ / "root/sys/devices/card").ok());
        EXPECT_TRUE(atomic_write(dir_ / "root/sys/devices/card/vendor", "0x1002\n").ok());
        EXPECT_TRUE(atomic_write(dir_ / "outside", "secret").ok());
        files_ = std::move(RootedFiles::open(dir_ / "root")).value();
    }
    void link(std::string const& target, std::string_view name) {
        ASSERT_EQ(::symlink(target.c_str(), (dir_ / name).c_str()), 0);
    }
    TestDir dir_;
    std::unique_ptr<RootedFiles> files_;
};

TEST_F(RootedFilesTest, AbsoluteLinksStayInside) {
    link("/sys/devices/card", "root/sys/class/card0");
    EXPECT_EQ(files_->read("/sys/class/card0/vendor", 1_KiB).value(), "0x1002\n");
    EXPECT_EQ(files_->link("/sys/class/card0"), "/sys/devices/card");
    EXPECT_EQ(files_->list("/sys/class/card0").value(), std::vector<std::string>{"vendor"});
}

TEST_F(RootedFilesTest, NothingLeadsOut) {
    link(dir_ / "outside", "root/absolute");
    link("../outside", "root/relative");
    EXPECT_EQ(files_->read("/absolute", 1_KiB).error().kind, Errc::NotFound);
    EXPECT_EQ(files_->read("/relative", 1_KiB).error().kind, Errc::NotFound);
    EXPECT_FALSE(files_->exists("/../outside"));
}

TEST_F(RootedFilesTest, SaysWhatItCannotRead) {
    EXPECT_EQ(files_->read("/sys/none", 1_KiB).error().kind, Errc::NotFound);
    EXPECT_EQ(files_->read("/sys", 1_KiB).error().kind, Errc::Invalid);  // a directory
    EXPECT_EQ(files_->read("/sys/devices/card/vendor", Bytes{6}).error().kind, Errc::TooLarge);
    EXPECT_EQ(files_->list("/sys/devices/card/vendor").error().kind, Errc::NotFound);
    EXPECT_EQ(files_->link("/sys/devices/card/vendor"), std::nullopt);
    EXPECT_FALSE(RootedFiles::open(dir_ / "none").ok());
}

// A pipe that nobody writes to has nothing to say; it is not waited for.
TEST_F(RootedFilesTest, APipeHoldsNobodyUp) {
    ASSERT_EQ(::mkfifo((dir_ / "root/pipe").c_str(), 0600), 0);
    EXPECT_EQ(files_->read("/pipe", 1_KiB).value(), "");
}

TEST(RootedFiles, TheMachinesOwnAreThere) {
    auto const files = std::move(RootedFiles::open("/")).value();
    EXPECT_TRUE(files->read("/proc/meminfo", kernel_file_bytes_max)->starts_with("MemTotal:"));
    EXPECT_TRUE(files->link("/proc/self").has_value());
}

TEST(DeviceNode, OpeningItIsTheVerdict) {
    auto const null = try_node("/dev/null");
    EXPECT_EQ(null.verdict, "ok");
    EXPECT_EQ(null.major, 1U);
    EXPECT_EQ(null.minor, 3U);
    auto const none = try_node("/dev/dri/renderD999");
    EXPECT_EQ(none.verdict, "ENOENT");
    EXPECT_EQ(none.mode, std::nullopt);
    EXPECT_FALSE(ask_drm("/dev/null").has_value());
}

TEST(SystemInfo, IsThisProcesss) {
    auto const info = system_info();
    EXPECT_FALSE(info.kernel.empty());
    EXPECT_GE(info.allowed_cpus.value_or(0), 1);
    EXPECT_EQ(info.user, ::geteuid());
    auto const space = file_system_space("/proc");
    ASSERT_TRUE(space.ok());
    EXPECT_EQ(space->type, "0x9fa0");  // not one that models are kept on
}

}  // namespace
}  // namespace hal0::os
