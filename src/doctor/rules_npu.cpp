// The NPU, which FastFlowLM serves small models with.
#include "base/format.hpp"
#include "doctor/nodes.hpp"
#include "doctor/remedies.hpp"
#include "doctor/rules.hpp"
#include "doctor/subjects.hpp"

namespace hal0::doctor {
namespace {

// FastFlowLM's own thresholds (`flm validate`).
constexpr Version firmware_least{{1, 1, 0}};
constexpr Version interface_least{{0, 6, 0}};
constexpr Bytes memlock_least = 100_MiB;

// One that FastFlowLM could use.
hardware::NpuReport const* useful_npu(Facts const& facts) {
    auto const& npu = facts.report.npu;
    return npu && npu->generation == 2 ? &*npu : nullptr;
}

Symptoms look_npu_driver(Facts const& facts) {
    auto const* const npu = useful_npu(facts);
    if (npu == nullptr || npu->driver) return {};
    return {{.severity = Severity::Warning,
             .evidence = format("{} at {}: no driver is bound to it", shown(*npu),
                                npu->pci.value_or("an unknown address")),
             .fix = Remedies{facts}.on_host(
                 {"sudo modprobe amdxdna",
                  "# where there is no such module: kernel 7.0 or newer, or AMD's package "
                  "amdxdna-dkms"})}};
}

bool iommu_is_off(Facts const& facts) {
    return boots_with(facts, "amd_iommu=off") || boots_with(facts, "iommu=off");
}

bool is_npu_closed(hardware::NpuReport const& npu) { return npu.driver && npu.openable != true; }

Symptoms look_npu_iommu(Facts const& facts) {
    auto const* const npu = useful_npu(facts);
    if (npu == nullptr || !is_npu_closed(*npu) || !iommu_is_off(facts)) return {};
    auto const* const name = boots_with(facts, "amd_iommu=off") ? "amd_iommu" : "iommu";
    return {{.severity = Severity::Warning,
             .evidence = format("{}=off is on the kernel's command line, and opening {} gives {}", name,
                                npu->node.value_or("its node"), npu->verdict.value_or("nothing")),
             .fix = Remedies{facts}.kernel_parameters("", {name})}};
}

Symptoms look_npu_closed(Facts const& facts) {
    auto const* const npu = useful_npu(facts);
    if (npu == nullptr || !is_npu_closed(*npu) || iommu_is_off(facts)) return {};
    auto const* const node = npu->node ? facts.conditions.node(*npu->node) : nullptr;
    if (node == nullptr)
        return {{.severity = Severity::Warning,
                 .evidence = npu->why_not.value_or("its driver made no node"),
                 .fix = Remedies{facts}.on_host({"sudo dmesg | grep -i amdxdna"})}};
    return {
        {.severity = Severity::Warning, .evidence = seen_of(facts, *node), .fix = way_to_open(facts, *node)}};
}

Symptoms look_npu_firmware(Facts const& facts) {
    auto const* const npu = useful_npu(facts);
    auto const told = npu == nullptr ? "" : npu->firmware.value_or("");
    auto const firmware = version_of(told);
    if (!firmware || *firmware >= firmware_least) return {};
    auto fix = Remedies{facts}.newer_firmware({.debian = "firmware-misc-nonfree",
                                               .ubuntu = "linux-firmware",
                                               .fedora = "linux-firmware",
                                               .arch = "linux-firmware"});
    fix.emplace_back(
        "# what is loaded is /lib/firmware/amdnpu/17f0_*/npu.sbin; linux-firmware's git has the newest");
    return {{.severity = Severity::Warning,
             .evidence = format("{} has firmware {}; FastFlowLM needs 1.1", shown(*npu), told),
             .fix = std::move(fix)}};
}

Symptoms look_npu_interface(Facts const& facts) {
    auto const* const npu = useful_npu(facts);
    auto const told = npu == nullptr ? "" : npu->driver_version.value_or("");
    auto const interface = version_of(told);
    if (!interface || *interface >= interface_least) return {};
    return {
        {.severity = Severity::Warning,
         .evidence = format("amdxdna {}; FastFlowLM needs 0.6 (0.10 is newer than that)", told),
         .fix = Remedies{facts}.on_host({"# kernel 7.0 or newer has it; for older ones install AMD's package "
                                         "amdxdna-dkms"})}};
}

Symptoms look_npu_memlock(Facts const& facts) {
    auto const* const npu = useful_npu(facts);
    if (npu == nullptr || !npu->driver || npu->memlock_unlimited || !npu->memlock ||
        *npu->memlock >= memlock_least)
        return {};
    Lines fix{"echo '* - memlock unlimited' | sudo tee /etc/security/limits.d/90-hal0.conf",
              "# then log out and in again; in a systemd unit: LimitMEMLOCK=infinity"};
    if (facts.report.platform.kind == "lxc")
        fix.insert(fix.end(),
                   {"# and on the host, in /etc/pve/lxc/ID.conf:", "lxc.prlimit.memlock: unlimited"});
    return {{.severity = Severity::Warning,
             .evidence = format("this process may lock {}; FastFlowLM needs 100 MiB, and its models",
                                human(*npu->memlock)),
             .fix = std::move(fix)}};
}

Symptoms look_npu_generation(Facts const& facts) {
    auto const& npu = facts.report.npu;
    if (!npu || npu->generation != 1) return {};
    return {{.severity = Severity::Info,
             .evidence = format("{} ({})", shown(*npu), npu->device_id.value_or("")),
             .fix = {"# nothing can be done: use the GPU"}}};
}

}  // namespace

std::vector<Rule> npu_rules() {
    constexpr std::string_view why = "FastFlowLM can't serve on the NPU; everything else works without it.";
    return {
        {.id = "npu-driver-missing",
         .headline = "no driver has taken the NPU",
         .why = why,
         .seen = "no driver is bound to the PCI device of an XDNA 2 NPU",
         .remedy =
             "Load amdxdna: in the kernel since 7.0 as FastFlowLM needs it, before that AMD's amdxdna-dkms.",
         .reference = "FastFlowLM, getting started on Linux",
         .look = look_npu_driver},
        {.id = "npu-iommu-off",
         .headline = "the NPU can't work while the IOMMU is off",
         .why = why,
         .seen =
             "amd_iommu=off on the kernel's command line, and the NPU's node doesn't open (ENODEV, \"SVA "
             "bind "
             "device failed\"). Where it opens nothing is said: newer kernels were reported to do without",
         .remedy = "Take the parameter away. It is recommended for a few percent of speed; iommu=pt will do.",
         .reference =
             "antirez/ds4#871; amd/xdna-driver#704; FastFlowLM#403; OpenGamingCollective/kernel-packages#39",
         .look = look_npu_iommu},
        {.id = "npu-closed",
         .headline = "the NPU can't be opened",
         .why = why,
         .seen = "opening /dev/accel/accelN fails, with the causes that the GPU's node has",
         .remedy = "As for the GPU's node: the group, or the lines of the container.",
         .reference = "hal0's page on Strix Halo (NPU not detected); FastFlowLM#400, #536",
         .look = look_npu_closed},
        {.id = "npu-firmware-old",
         .headline = "the NPU's firmware is too old",
         .why = why,
         .seen = "fw_version is under 1.1",
         .remedy = "Install a newer linux-firmware.",
         .reference = "`flm validate` (ROCm/FastFlowLM): firmware 1.1 or newer",
         .look = look_npu_firmware},
        {.id = "npu-driver-old",
         .headline = "the NPU's driver is too old",
         .why = why,
         .seen = "the DRM interface of amdxdna is under 0.6",
         .remedy = "Kernel 7.0 or newer, or amdxdna-dkms.",
         .reference = "`flm validate` (ROCm/FastFlowLM): interface 0.6 or newer",
         .look = look_npu_interface},
        {.id = "npu-memlock",
         .headline = "this user may lock too little memory for the NPU",
         .why = "FastFlowLM locks its models in memory, and refuses to start where it may not.",
         .seen = "RLIMIT_MEMLOCK of this process is under 100 MiB",
         .remedy =
             "Raise the limit: limits.d for users, LimitMEMLOCK for services, lxc.prlimit for containers.",
         .reference = "`flm validate` (ROCm/FastFlowLM): \"Memlock limit is too low\"",
         .look = look_npu_memlock},
        {.id = "npu-generation",
         .headline = "FastFlowLM doesn't know this NPU",
         .why = "It is of the first generation (XDNA 1), and FastFlowLM needs the second.",
         .seen = "the NPU's PCI id is 1022:1502",
         .remedy = "Nothing can be done.",
         .reference = "FastFlowLM, getting started on Linux: XDNA 2 only",
         .look = look_npu_generation}};
}

}  // namespace hal0::doctor
