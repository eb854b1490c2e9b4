#include "doctor/examine.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <set>

#include "base/format.hpp"
#include "doctor/remedies.hpp"
#include "doctor/rules.hpp"
#include "doctor/test_boxes.hpp"
#include "hardware/access.hpp"

namespace hal0::doctor {
namespace {

using hardware::RecordedFile;
using hardware::RecordedMachine;

std::vector<std::string> found_in(Facts const& facts) {
    std::vector<std::string> found;
    for (auto const& finding : examine(facts))
        found.push_back(in_short(finding));
    return found;
}

Facts facts_of_box(std::string const& name) {
    auto const machine = recorded_box(name);
    return facts_of(*machine);
}

void set_file(RecordedMachine& machine, std::string const& path, std::string text) {
    machine.recorded_files().set(path, {RecordedFile::Kind::Text, std::move(text)});
}

// A recorded box with one thing changed, and the finding that comes of it.
struct Change {
    std::string finding;
    std::string box;
    std::function<void(RecordedMachine&)> change;
};

constexpr auto halo_gpu = "/sys/bus/pci/devices/0000:bd:00.0";

std::vector<Change> changes() {
    auto const halo = "halo-128-tuned";
    return {
        {"warning kernel-old", halo, [](auto& box) { box.facts().system->kernel = "6.10.2-arch1-1"; }},
        {"error vulkan-failed", halo, [](auto& box) { box.facts().vulkan->state = "failed"; }},
        {"warning amdvlk", halo,
         [](auto& box) {
             auto other = box.facts().vulkan->devices.at(0);
             other.driver = "amdvlk";
             box.facts().vulkan->devices.push_back(other);
         }},
        {"info gttsize-deprecated", halo,
         [](auto& box) { set_file(box, "/sys/module/amdgpu/parameters/gttsize", "110592\n"); }},
        {"warning gtt-cap-over-half", halo,
         [](auto& box) {
             set_file(box, std::string{halo_gpu} + "/mem_info_gtt_total", "128849018880\n");
             set_file(box, "/sys/module/ttm/parameters/pages_limit", "31457280\n");
         }},
        {"info rocm-one-pool", "halo-128-4g-z13",
         [](auto& box) { set_file(box, "/opt/rocm/.info/version", "7.2.0\n"); }},
        {"warning kfd-closed", halo,
         [](auto& box) {
             set_file(box, "/opt/rocm/.info/version", "7.2.0\n");
             box.facts().nodes.at(1).verdict = "EACCES";
         }},
        {"info rocm-gfx-forced", halo,
         [](auto& box) {
             set_file(box, "/proc/self/environ", std::string{"HSA_OVERRIDE_GFX_VERSION=11.5.1\0", 32});
         }},
        {"info gpu-clock-high", halo,
         [](auto& box) {
             set_file(box, std::string{halo_gpu} + "/pp_dpm_sclk", "0: 600Mhz\n1: 2900Mhz *\n");
             set_file(box, std::string{halo_gpu} + "/gpu_busy_percent", "0\n");
         }},
        {"warning gpu-mute", halo,
         [](auto& box) {
             for (auto const* const name :
                  {"gtt_total", "gtt_used", "vram_total", "vis_vram_total", "vram_used"})
                 box.recorded_files().all().erase(std::string{halo_gpu} + "/mem_info_" + name);
         }},
        {"info lxc-apparmor", "lxc-device-rules",
         [](auto& box) {
             set_file(box, "/proc/self/attr/current", "lxc-container-default-cgns (enforce)\n");
         }},
        {"error storage-full", halo, [](auto& box) { box.facts().space->available = 100_MiB; }},
    };
}

TEST(Examine, FindsWhatOneChangeBrings) {
    for (auto const& change : changes()) {
        auto const machine = recorded_box(change.box);
        auto const before = found_in(facts_of(*machine));
        EXPECT_EQ(std::count(before.begin(), before.end(), change.finding), 0) << change.finding;
        change.change(*machine);
        auto const after = found_in(facts_of(*machine));
        EXPECT_EQ(std::count(after.begin(), after.end(), change.finding), 1) << change.finding;
    }
}

TEST(Examine, TellsOfMemoryThatNobodyHolds) {
    auto facts = facts_of_box("lxc-privileged");
    facts.gtt_unattributed = {.bytes = 512_MiB};
    EXPECT_TRUE(examine(facts).empty());
    facts.gtt_unattributed = {.bytes = 20_GiB};
    auto const findings = examine(facts);
    ASSERT_EQ(findings.size(), 1U);
    EXPECT_EQ(findings[0].id, "gtt-held-by-nobody");
    EXPECT_NE(findings[0].why.find("outside of this container"), std::string::npos);
}

// The slots of a service are another user's processes: no leak, and nothing to reboot for.
TEST(Examine, DoesNotTakeForLostWhatThisUserMayNotSee) {
    auto facts = facts_of_box("halo-128-tuned");
    auto const of_memory = [&facts] {
        auto const findings = examine(facts);
        auto const found = std::ranges::find(findings, "gtt-held-by-nobody", &Finding::id);
        return found == findings.end() ? Finding{} : *found;
    };
    EXPECT_EQ(of_memory().id, "");
    facts.gtt_unattributed = {.bytes = 60_GiB, .all_seen = false};
    EXPECT_EQ(of_memory().severity, "info");
    EXPECT_EQ(of_memory().fix.size(), 1U);
    EXPECT_NE(of_memory().fix.at(0).find("sudo hal0 doctor"), std::string::npos);
    facts.gtt_unattributed = {.bytes = 60_GiB};
    EXPECT_EQ(of_memory().severity, "warning");
    EXPECT_EQ(of_memory().fix, std::vector<std::string>{"sudo reboot"});
}

std::vector<std::string> fix_of(Facts const& facts, std::string_view id) {
    auto const findings = examine(facts);
    auto const found = std::ranges::find(findings, id, &Finding::id);
    return found == findings.end() ? std::vector<std::string>{} : found->fix;
}

Facts facts_with_swap(std::string const& name, std::string const& swaps) {
    auto const machine = recorded_box(name);
    set_file(*machine, "/proc/swaps", "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n" + swaps);
    auto facts = facts_of(*machine);
    facts.counters.swap_total = 8_GiB;
    facts.counters.swap_free = 5_GiB;
    return facts;
}

// `swapon -a` knows fstab alone, and zram-generator writes none.
TEST(Examine, NeverTakesZramAway) {
    constexpr auto box = "halo-gtt-stale";
    std::string const unload = "hal0 slot list  # unload what isn't needed: hal0 slot unload NAME";
    std::string const zram = "/dev/zram0   partition\t8388604\t3145728\t100\n";
    std::string const file = "/swapfile    file\t8388604\t4096\t-2\n";
    std::string const empty_file = "/swapfile    file\t8388604\t0\t-2\n";
    EXPECT_EQ(fix_of(facts_with_swap(box, file), "swap-in-use"),
              (Lines{unload,
                     "sudo swapoff /swapfile && sudo swapon /swapfile  # brings it back, once enough memory "
                     "is available"}));
    EXPECT_EQ(fix_of(facts_with_swap(box, zram + file), "swap-in-use"),
              (Lines{unload,
                     "sudo swapoff /swapfile && sudo swapon /swapfile  # brings it back, once enough "
                     "memory is available"}));
    auto const facts = facts_with_swap(box, zram + empty_file);
    for (auto const& line : fix_of(facts, "swap-in-use"))
        EXPECT_EQ(line.find("swapoff"), std::string::npos) << line;
    auto const findings = examine(facts);
    auto const finding = std::ranges::find(findings, "swap-in-use", &Finding::id);
    ASSERT_NE(finding, findings.end());
    EXPECT_EQ(finding->why.find("from disk"), std::string::npos);
}

TEST(Examine, UnloadsInTheContainerAndEmptiesSwapOnItsHost) {
    EXPECT_EQ(fix_of(facts_with_swap("lxc-privileged", "none  virtual\t8388604\t0\t0\n"), "swap-in-use"),
              (Lines{"hal0 slot list  # unload what isn't needed: hal0 slot unload NAME",
                     "# on the Proxmox host, not in this container:", "swapon --show  # what is swapped to",
                     "# then for each of them that is no zram: swapoff NAME && swapon NAME"}));
}

// Of an unprivileged container too, where root is let in by what has an owner there.
TEST(Examine, KnowsAppArmorByWhatTheModeAllows) {
    auto facts = facts_of_box("lxc-unprivileged-passed");
    facts.report.platform.apparmor = "lxc-container-default-cgns (enforce)";
    facts.conditions.user = 0;
    auto& node = facts.conditions.nodes.at(0);
    node.verdict = "EACCES";
    auto const has = [&facts](std::string const& finding) {
        auto const found = found_in(facts);
        return std::ranges::find(found, finding) != found.end();
    };
    EXPECT_TRUE(has("info lxc-apparmor")) << "whose the node is isn't known";
    node.owner_user = hardware::nobody;
    EXPECT_TRUE(has("info lxc-apparmor")) << "the host's root owns it, over whom this root has no power";
    node.owner_user = 0;
    EXPECT_TRUE(has("warning lxc-apparmor"));
    EXPECT_TRUE(has("error gpu-node-confined"));
    node.verdict = "EPERM";
    EXPECT_TRUE(has("error gpu-node-device-rules"));
    EXPECT_FALSE(has("warning lxc-apparmor"));
}

// The kernel is the host's, and so are its module's options and its command line.
TEST(Examine, TakesModuleOptionsOffOnTheHostOfAContainer) {
    auto facts = facts_of_box("lxc-privileged");
    facts.conditions.module_options = {{"/etc/modprobe.d/gpu.conf", "options amdgpu gtt_size=96000"}};
    auto const fix = fix_of(facts, "gtt-parameter-unknown");
    ASSERT_GE(fix.size(), 4U);
    EXPECT_EQ(fix.at(0), "# on the Proxmox host, not in this container:");
    EXPECT_EQ(fix.at(1),
              "sed -i -E 's/\\s+(pages_limit|page_pool_size|gttsize|gtt_size)=[0-9-]+//g' "
              "/etc/modprobe.d/*.conf");
    EXPECT_EQ(fix.at(2), "update-initramfs -u -k all");
    EXPECT_EQ(std::ranges::count(fix, fix.at(0)), 1);
    EXPECT_EQ(fix.back(), "reboot");
}

// Root's shell there has root as its USER: who is to get into the group is said by number.
TEST(Examine, NamesTheUserWhereAnotherTypesTheCommand) {
    auto facts = facts_of_box("halo-no-render-group");
    auto const group_fix = [&facts] { return fix_of(facts, "gpu-node-group").at(0); };
    EXPECT_EQ(group_fix(), "sudo usermod -aG render \"$USER\"");
    facts.report.platform.proxmox_host = true;
    EXPECT_EQ(group_fix(), format("usermod -aG render \"$(id -nu {})\"", facts.conditions.user));
}

// Whatever rule it comes from: a stock Proxmox has no sudo.
TEST(Examine, SaysNoSudoOnAProxmoxHost) {
    auto const findings = examine(facts_of_box("proxmox-host"));
    ASSERT_FALSE(findings.empty());
    for (auto const& finding : findings) {
        for (auto const& line : finding.fix)
            EXPECT_EQ(line.find("sudo"), std::string::npos) << line;
    }
}

TEST(Examine, RebootsOnceAtTheEnd) {
    auto facts = facts_of_box("halo-amdvlk");
    for (auto& gpu : facts.report.gpus)
        gpu.vulkan = {"amdvlk"};
    facts.report.software.distribution_id = "fedora";
    facts.conditions.boot = {"ostree"};
    auto const fix = fix_of(facts, "amdvlk");
    ASSERT_FALSE(fix.empty());
    EXPECT_EQ(std::ranges::count(fix, "sudo reboot"), 1);
    EXPECT_EQ(fix.back(), "sudo reboot");
}

TEST(Examine, UpgradesAMesaThatIsTooOld) {
    auto facts = facts_of_box("halo-128-tuned");
    facts.report.software.mesa = "24.3.1";
    EXPECT_EQ(fix_of(facts, "mesa-old"), Lines{"sudo pacman -Syu vulkan-radeon"});
    facts.report.software.distribution_id = "pop";
    facts.report.software.distribution_like = "ubuntu debian";
    EXPECT_EQ(fix_of(facts, "mesa-old"),
              (Lines{"# the updates of Ubuntu 24.04 have Mesa 25:", "sudo apt update",
                     "sudo apt install --only-upgrade mesa-vulkan-drivers"}));
}

TEST(Examine, WantsAnEngineThatFitsTheBox) {
    auto facts = facts_of_box("halo-128-tuned");
    facts.report.engines = {{.id = "llama.cpp", .version = "11434", .backend = "cpu"}};
    auto const findings = examine(facts);
    ASSERT_FALSE(findings.empty());
    EXPECT_EQ(findings[0].id, "engine-backend");
    facts.report.engines.push_back({.id = "llama.cpp-vulkan", .version = "11434", .backend = "vulkan"});
    EXPECT_EQ(found_in(facts), std::vector<std::string>{"info gtt-cap-over-half"});
}

TEST(Examine, TellsOfFilesOfItsOwn) {
    Facts facts;
    facts.own_files = {
        {.path = "/etc/hal0/proxmox.json", .fault = "mode 0644", .fix = "chmod", .needed = false},
        {.path = "/etc/hal0/hal0.toml", .fault = "line 3", .fix = "mend"}};
    auto const findings = examine(facts);
    ASSERT_EQ(findings.size(), 2U);
    EXPECT_EQ(findings[0].headline, "/etc/hal0/hal0.toml can't be used as it is");
    EXPECT_EQ(in_short(findings[0]), "error own-file");
    EXPECT_EQ(in_short(findings[1]), "warning own-file");
    EXPECT_EQ(findings[1].evidence, "mode 0644");
}

TEST(Examine, OfAnUnknownBoxFindsNothing) { EXPECT_TRUE(examine({}).empty()); }

// No rule stands in the table and docs/doctor.md that nothing was ever seen to trigger.
TEST(Examine, TriesEveryRule) {
    std::set<std::string> tried{"gtt-held-by-nobody", "engine-backend", "own-file"};
    for (auto const& name : box_names()) {
        for (auto const& finding : examine(facts_of_box(name)))
            tried.insert(finding.id);
    }
    for (auto const& change : changes())
        tried.insert(change.finding.substr(change.finding.find(' ') + 1));
    for (auto const& rule : rules())
        EXPECT_EQ(tried.count(std::string{rule.id}), 1U) << rule.id;
}

TEST(Shown, SaysSoWhereThereIsNothingToMend) {
    EXPECT_EQ(shown({}), "nothing to mend\n");
    EXPECT_FALSE(has_error(examine(facts_of_box("halo-128-tuned"))));
    EXPECT_TRUE(shown(examine(facts_of_box("halo-128-tuned")))
                    .starts_with("nothing must be mended; worth knowing:\ninfo: "));
}

TEST(Shown, HasOneLinePerFindingAndTheRestBelow) {
    auto const findings = examine(facts_of_box("halo-no-render-group"));
    EXPECT_TRUE(has_error(findings));
    EXPECT_TRUE(shown(findings).starts_with(
        "error: AMD Radeon 8060S Graphics can't be opened (gpu-node-group)\n"
        "    seen:  opening /dev/dri/renderD128 gives EACCES; it belongs to group 992, mode 0660\n"
        "    why:   Without its node a GPU can't be used: models run on the processor.\n"
        "    fix:   sudo usermod -aG render \"$USER\"\n"
        "           # then log out and in again\n"))
        << shown(findings);
}

}  // namespace
}  // namespace hal0::doctor
