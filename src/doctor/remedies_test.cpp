#include "doctor/remedies.hpp"

#include <gtest/gtest.h>

#include "doctor/gtt.hpp"
#include "doctor/subjects.hpp"
#include "os/child.hpp"
#include "os/file.hpp"
#include "os/test_dir.hpp"

namespace hal0::doctor {
namespace {

Facts on(std::string id, std::vector<std::string> boot = {}) {
    Facts facts;
    facts.report.software.distribution_id = std::move(id);
    facts.conditions.boot = std::move(boot);
    return facts;
}

TEST(Remedies, KnowTheDistributionByWhatItIsMadeOf) {
    auto facts = on("cachyos");
    EXPECT_EQ(family_of(facts.report.software), Family::Unknown);
    facts.report.software.distribution_like = "arch";
    EXPECT_EQ(family_of(facts.report.software), Family::Arch);
    facts.report.software.distribution_id = "rocky";
    facts.report.software.distribution_like = "rhel centos fedora";
    EXPECT_EQ(family_of(facts.report.software), Family::Fedora);
}

// Mint and Pop!_OS have Ubuntu's packages, and versions of their own.
TEST(Remedies, OfWhatIsMadeOfUbuntuAreUbuntus) {
    constexpr Package firmware{.debian = "firmware-amd-graphics", .ubuntu = "linux-firmware"};
    auto facts = on("linuxmint");
    facts.report.software.distribution_like = "ubuntu debian";
    facts.report.software.distribution_version = "22";
    EXPECT_EQ(Remedies{facts}.newer_kernel(),
              Lines{"# install the newest kernel of the distribution, and start again"});
    EXPECT_EQ(Remedies{facts}.newer_firmware(firmware),
              (Lines{"sudo apt update", "sudo apt install --only-upgrade linux-firmware", "sudo reboot"}));
    EXPECT_EQ(Remedies{facts}.install({firmware}), Lines{"sudo apt install linux-firmware"});
    facts.report.software.distribution_like = "debian";
    EXPECT_EQ(Remedies{facts}.install({firmware}), Lines{"sudo apt install firmware-amd-graphics"});
    EXPECT_EQ(Remedies{on("ubuntu")}.install({firmware}), Lines{"sudo apt install linux-firmware"});
}

TEST(Remedies, UpgradeAsTheDistributionDoes) {
    constexpr Package mesa{.debian = "mesa-deb", .fedora = "mesa-rpm", .arch = "mesa-arch"};
    auto const of = [&mesa](Facts const& facts) { return Remedies{facts}.upgrade(mesa); };
    EXPECT_EQ(of(on("ubuntu")), (Lines{"sudo apt update", "sudo apt install --only-upgrade mesa-deb"}));
    EXPECT_EQ(of(on("debian")).back(),
              "sudo apt install -t \"$(. /etc/os-release; echo $VERSION_CODENAME)-backports\" mesa-deb");
    EXPECT_EQ(of(on("fedora")), Lines{"sudo dnf upgrade --refresh mesa-rpm"});
    EXPECT_EQ(of(on("arch")), Lines{"sudo pacman -Syu mesa-arch"});
    EXPECT_EQ(of(on("nixos")), Lines{"# install the newest of what Debian calls mesa-deb, by this "
                                     "distribution's package manager"});
}

// Bazzite and Silverblue say that they are Fedora, and have no dnf that changes them.
TEST(Remedies, ChangeAnImageByRpmOstree) {
    constexpr Package package{.debian = "a", .fedora = "amdvlk", .arch = "a"};
    auto const facts = on("fedora", {"ostree", "grub"});
    Remedies const remedies{facts};
    Lines const upgrade{"sudo rpm-ostree upgrade", "sudo reboot"};
    EXPECT_EQ(remedies.upgrade(package), upgrade);
    EXPECT_EQ(remedies.newer_firmware(package), upgrade);
    EXPECT_EQ(remedies.newer_kernel(), upgrade);
    EXPECT_EQ(
        remedies.remove(package),
        (Lines{
            "sudo rpm-ostree uninstall amdvlk  # part of the image: sudo rpm-ostree override remove amdvlk",
            "sudo reboot"}));
    EXPECT_EQ(remedies.rebuild_initramfs(),
              Lines{"sudo rpm-ostree initramfs-etc --force-sync --track=/etc/modprobe.d"});
}

TEST(Remedies, OfAProxmoxHostHaveItsFirmwareAndNoSudo) {
    constexpr Package firmware{.debian = "firmware-amd-graphics"};
    auto facts = on("debian");
    facts.report.platform.container = "lxc";
    facts.report.platform.proxmox_kernel = true;
    EXPECT_EQ(Remedies{facts}.newer_firmware(firmware),
              (Lines{"# on the Proxmox host, not in this container:", "apt update",
                     "apt install --only-upgrade pve-firmware", "reboot"}));
    EXPECT_EQ(
        Remedies{facts}.newer_kernel(),
        (Lines{"# on the Proxmox host, not in this container:", "apt update && apt full-upgrade", "reboot"}));
    EXPECT_EQ(Remedies{facts}.install({firmware}), Lines{"sudo apt install firmware-amd-graphics"})
        << "of the container itself";
}

TEST(Remedies, SetKernelParametersAsTheBoxBoots) {
    auto const last_but_one = [](Facts const& facts) {
        auto const lines = Remedies{facts}.kernel_parameters("ttm.pages_limit=1", {"amdgpu.gttsize"});
        return lines.size() < 2 ? std::string{} : lines[lines.size() - 2];
    };
    EXPECT_EQ(last_but_one(on("debian", {"grub"})), "sudo update-grub");
    EXPECT_EQ(last_but_one(on("debian", {"proxmox-boot", "kernel-cmdline"})),
              "sudo proxmox-boot-tool refresh");
    EXPECT_EQ(last_but_one(on("arch", {"grub"})), "sudo grub-mkconfig -o /boot/grub/grub.cfg");
    EXPECT_EQ(last_but_one(on("arch", {"kernel-cmdline"})), "sudo mkinitcpio -P");
    EXPECT_EQ(
        last_but_one(on("fedora")),
        "sudo grubby --update-kernel=ALL --remove-args=\"amdgpu.gttsize\" --args=\"ttm.pages_limit=1\"");
    EXPECT_EQ(
        last_but_one(on("fedora", {"ostree"})),
        "sudo rpm-ostree kargs --delete-if-present=amdgpu.gttsize --append-if-missing=ttm.pages_limit=1");
    EXPECT_EQ(last_but_one(on("nixos")), "# add to the kernel's command line: ttm.pages_limit=1");
}

// What GRUB's file says nobody reads there. The word that goes must be the one that stands there.
TEST(Remedies, SetKernelParametersOfPopByKernelstub) {
    auto const lines = [](Facts const& facts) {
        return Remedies{facts}.kernel_parameters("ttm.pages_limit=2", {"ttm.pages_limit", "amdgpu.gttsize"});
    };
    auto facts = on("pop");
    facts.report.software.distribution_like = "ubuntu debian";
    EXPECT_EQ(lines(facts), (Lines{"sudo kernelstub -a \"ttm.pages_limit=2\"", "sudo reboot"}));
    facts.report.software.kernel_parameters = {"ttm.pages_limit=1", "amd_iommu=off", "amdgpu.gttsize=-1"};
    EXPECT_EQ(lines(facts), (Lines{"sudo kernelstub -d \"ttm.pages_limit=1 amdgpu.gttsize=-1\"",
                                   "sudo kernelstub -a \"ttm.pages_limit=2\"", "sudo reboot"}));
    EXPECT_EQ(Remedies{facts}.kernel_parameters("", {"amd_iommu"}),
              (Lines{"sudo kernelstub -d \"amd_iommu=off\"", "sudo reboot"}));
    facts.report.software.kernel_parameters = {"ttm.pages_limit=$(id)"};
    EXPECT_EQ(lines(facts), (Lines{"sudo kernelstub -a \"ttm.pages_limit=2\"", "sudo reboot"}));
    facts.conditions.boot = {"grub"};  // an old one without UEFI
    EXPECT_EQ(lines(facts).at(1), "sudo update-grub");
    facts.conditions.boot = {"kernelstub", "grub"};
    EXPECT_EQ(lines(facts).at(0), "sudo kernelstub -a \"ttm.pages_limit=2\"");
    EXPECT_EQ(lines(facts).at(3), "sudo update-grub");
}

TEST(Remedies, OfAContainerBelongOnItsHost) {
    auto facts = on("debian");
    facts.report.platform.container = "docker";
    EXPECT_EQ(Remedies{facts}.kernel_parameters("a=1", {}).front(), "# on the host, not in this container:");
    EXPECT_EQ(
        Remedies{facts}.pass_devices({"/dev/kfd"}).front(),
        "# start the container with --device /dev/kfd --group-add \"$(getent group render | cut -d: -f3)\"");
    facts.report.platform.proxmox_kernel = true;
    EXPECT_EQ(Remedies{facts}.kernel_parameters("a=1", {}).front(),
              "# on the Proxmox host, not in this container:");
}

// The edit of a boot loader's file is run as it is printed, but for sudo, on a file of our own.
std::string edited(std::string const& line, std::string const& before,
                   std::string const& path = "/etc/default/grub") {
    os::TestDir const dir;
    auto const file = os::join_path(dir.path(), "grub");
    EXPECT_TRUE(os::atomic_write(file, before).ok());
    auto command = line;
    command.replace(command.find("sudo "), 5, "");
    auto const name = command.rfind(path);
    command.replace(name, path.size(), file);
    auto child = os::AskedProgram::start({.argv = {"/bin/sh", "-c", command}});
    EXPECT_TRUE(child.ok());
    EXPECT_TRUE(child.value()->answer(Clock::now() + std::chrono::seconds{20}).ok());
    return os::read_file(file, 64_KiB).value_or("");
}

// The files are found by root's shell: the user's may not look into /boot.
TEST(Remedies, EditEntriesOfSystemdBootAsRoot) {
    auto const facts = on("arch");
    auto const line = Remedies{facts}.kernel_parameters("ttm.pages_limit=2", {"ttm.pages_limit"}).at(1);
    EXPECT_TRUE(line.starts_with("sudo sh -c '") && line.ends_with("/boot/loader/entries/*.conf'")) << line;
    EXPECT_EQ(edited(line, "title ttm.pages_limit=1\noptions quiet ttm.pages_limit=1 rw\n",
                     "/boot/loader/entries/*.conf"),
              "title ttm.pages_limit=1\noptions quiet rw ttm.pages_limit=2\n");
}

TEST(Remedies, ReplaceWhatTheBootLoaderSaid) {
    auto const facts = on("debian", {"grub"});
    auto const line =
        Remedies{facts}.kernel_parameters("ttm.pages_limit=2", {"ttm.pages_limit", "amdgpu.gttsize"})[0];
    EXPECT_EQ(
        edited(line,
               "GRUB_CMDLINE_LINUX_DEFAULT=\"quiet ttm.pages_limit=1 amdgpu.gttsize=-1\"\nGRUB_TIMEOUT=5\n"),
        "GRUB_CMDLINE_LINUX_DEFAULT=\"ttm.pages_limit=2 quiet\"\nGRUB_TIMEOUT=5\n");
    EXPECT_EQ(edited(line, "GRUB_CMDLINE_LINUX_DEFAULT='quiet ttm.pages_limit=1'\n"),
              "GRUB_CMDLINE_LINUX_DEFAULT='ttm.pages_limit=2 quiet'\n");
    EXPECT_EQ(edited(line, "GRUB_CMDLINE_LINUX_DEFAULT=quiet\n"),
              "GRUB_CMDLINE_LINUX_DEFAULT=\"ttm.pages_limit=2 quiet\"\n");
    EXPECT_EQ(edited(line, "GRUB_CMDLINE_LINUX_DEFAULT=quiet # mine\n"),
              "GRUB_CMDLINE_LINUX_DEFAULT=\"ttm.pages_limit=2 quiet\"\n");
    EXPECT_EQ(edited(line, "GRUB_CMDLINE_LINUX_DEFAULT=$EXTRA\n"), "GRUB_CMDLINE_LINUX_DEFAULT=$EXTRA\n")
        << "what can't be told apart is left alone";
    EXPECT_EQ(edited(line, "GRUB_CMDLINE_LINUX_DEFAULT=\n"),
              "GRUB_CMDLINE_LINUX_DEFAULT=\"ttm.pages_limit=2 \"\n");
    auto const removal = Remedies{facts}.kernel_parameters("", {"amd_iommu"})[0];
    EXPECT_EQ(edited(removal, "GRUB_CMDLINE_LINUX=\"amd_iommu=off quiet\"\n"),
              "GRUB_CMDLINE_LINUX=\" quiet\"\n");
}

TEST(Gtt, AdvisesACapThatLeavesRoom) {
    EXPECT_EQ(advised_cap(Bytes{134150619136}), 108_GiB);  // 128 GB, carve-out 512 MB
    EXPECT_EQ(pages_of(108_GiB), 108 * 262144);
    EXPECT_EQ(advised_cap(Bytes{102649298944}), 80_GiB);  // carve-out 32 GB
    EXPECT_EQ(advised_cap(Bytes{64961380352}), 52_GiB);   // 64 GB
    EXPECT_EQ(advised_cap(8_GiB), 4_GiB);                 // never under Linux's own half
    EXPECT_EQ(advised_cap(15_GiB), 7_GiB + 512_MiB);      // the same: 16 GB
}

TEST(Version, ComparesNumbersNotText) {
    EXPECT_EQ(version_of("6.17.9-arch1-1"), (Version{{6, 17, 9}}));
    EXPECT_LT(*version_of("0.6.0"), *version_of("0.10"));
    EXPECT_LT(*version_of("1.0.0.63"), *version_of("1.1"));
    EXPECT_EQ(version_of("nonsense"), std::nullopt);
    EXPECT_EQ(version_of(""), std::nullopt);
}

}  // namespace
}  // namespace hal0::doctor
