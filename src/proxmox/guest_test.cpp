#include "proxmox/guest.hpp"

#include <gtest/gtest.h>

#include "os/test_dir.hpp"

namespace hal0::proxmox {
namespace {

TEST(Guest, AProfileOfProxmoxNamesTheContainer) {
    EXPECT_EQ(vmid_of_profile("lxc-101_</var/lib/lxc> (enforce)"), 101);
    EXPECT_EQ(vmid_of_profile("lxc-4711_</var/lib/lxc>//&:lxc-4711_<-var-lib-lxc>:unconfined"), 4711);
    for (auto const* const other :
         {"unconfined", "lxc-container-default-cgns (enforce)", "lxc-_<", "lxc-7_<x>", ""})
        EXPECT_EQ(vmid_of_profile(other), std::nullopt) << other;
}

TEST(Guest, TheVolumeOfTheRootNamesTheContainer) {
    EXPECT_EQ(vmid_of_root("1 0 0:60 / / rw - zfs rpool/data/subvol-101-disk-0 rw,xattr"), 101);
    EXPECT_EQ(vmid_of_root("1 0 252:5 / / rw,relatime shared:1 - ext4 /dev/mapper/pve-vm--204--disk--0 rw"),
              204);
    EXPECT_EQ(vmid_of_root("1 0 0:44 /images/105/subvol-105-disk-0.subvol / rw - btrfs /dev/sda3 rw"), 105);
    // Another's volume that is mounted in it is not its root; and a root of none has no number.
    EXPECT_EQ(vmid_of_root("1 0 7:0 / / rw - ext4 /dev/loop0 rw\n"
                           "2 1 0:60 / /srv rw - zfs rpool/data/subvol-999-disk-0 rw"),
              std::nullopt);
    EXPECT_EQ(vmid_of_root("1 0 8:1 / / rw - ext4 /dev/mapper/vg-vm-disk-0 rw"), std::nullopt);
    EXPECT_EQ(vmid_of_root("garbage\n\n / /"), std::nullopt);
}

TEST(Guest, OnlyAContainersFilesAreLookedAt) {
    os::TestDir dir;
    ASSERT_TRUE(os::make_directories(dir / "proc/self/attr").ok());
    ASSERT_TRUE(
        os::atomic_write(dir / "proc/self/mountinfo", "1 0 0:60 / / rw - zfs p/subvol-101-disk-0 rw").ok());
    auto const files = os::RootedFiles::open(dir.path()).value();
    EXPECT_EQ(look_at_guest(*files, Guest::Kind::Container).vmid, 101);
    EXPECT_EQ(look_at_guest(*files, Guest::Kind::Machine).vmid, std::nullopt);
    ASSERT_TRUE(os::atomic_write(dir / "proc/self/attr/current", "lxc-102_</var/lib/lxc> (enforce)\n").ok());
    EXPECT_EQ(look_at_guest(*files, Guest::Kind::Container).vmid, 102) << "the profile is made for it alone";
}

TEST(Guest, ItsNumberIsConfiguredOrSeenAndNeverBothWays) {
    Guest const seen{.kind = Guest::Kind::Container, .vmid = 101};
    EXPECT_EQ(vmid_of(seen, std::nullopt).value(), 101);
    EXPECT_EQ(vmid_of(seen, 101).value(), 101);
    EXPECT_EQ(vmid_of({}, 102).value(), 102);
    EXPECT_EQ(vmid_of(seen, 102).error().kind, Errc::Conflict) << "a clone has the file of its original";
    auto const nobody = vmid_of({}, std::nullopt);
    EXPECT_EQ(nobody.error().kind, Errc::Invalid);
    EXPECT_NE(nobody.error().message.find("'pct list'"), std::string::npos);
}

TEST(Guest, ItsKindComesBackByItsName) {
    for (auto const kind : {Guest::Kind::Unknown, Guest::Kind::Container, Guest::Kind::Machine})
        EXPECT_EQ(guest_kind(to_string(kind)), kind);
    EXPECT_EQ(guest_kind("docker"), std::nullopt);
}

}  // namespace
}  // namespace hal0::proxmox
