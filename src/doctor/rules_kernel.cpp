// The kernel and its drivers: without them nothing else can be mended.
#include <algorithm>

#include "base/format.hpp"
#include "base/text.hpp"
#include "doctor/remedies.hpp"
#include "doctor/rules.hpp"
#include "doctor/subjects.hpp"

namespace hal0::doctor {
namespace {

// Ubuntu 24.04's first kernel, 6.8, has no driver for gfx1151; 6.11 is the oldest that is known to run it.
constexpr Version halo_kernel_least{{6, 11, 0}};

Symptoms look_kernel_old(Facts const& facts) {
    auto const kernel = version_of(facts.report.software.kernel);
    if (!kernel || *kernel >= halo_kernel_least || facts.report.platform.kind == "wsl2") return {};
    for (auto const& gpu : facts.report.gpus) {
        if (!is_halo(gpu)) continue;
        return {{.severity = gpu.driver ? Severity::Warning : Severity::Error,
                 .evidence =
                     format("kernel {}; {} needs 6.11 or newer", facts.report.software.kernel, shown(gpu)),
                 .fix = Remedies{facts}.newer_kernel()}};
    }
    return {};
}

// "blacklist amdgpu" in modprobe's configuration.
hardware::ModuleOption const* blacklisting(Facts const& facts, std::string_view module) {
    auto const& options = facts.conditions.module_options;
    auto const found =
        std::find_if(options.begin(), options.end(), [module](hardware::ModuleOption const& option) {
            return option.line == format("blacklist {}", module);
        });
    return found == options.end() ? nullptr : &*found;
}

Lines load_driver(Facts const& facts, std::string_view module) {
    Remedies const remedies{facts};
    if (boots_with(facts, "nomodeset")) return remedies.kernel_parameters("", {"nomodeset"});
    if (auto const* const option = blacklisting(facts, module)) {
        Lines lines{format("sudo sed -i -E '/^\\s*blacklist\\s+{}/d' {}", module, option->file)};
        for (auto& line : remedies.rebuild_initramfs())
            lines.push_back(std::move(line));
        lines.emplace_back("sudo reboot");
        return remedies.on_host(std::move(lines));
    }
    return remedies.on_host({format("sudo modprobe {}", module), format("sudo dmesg | grep -i {}", module)});
}

std::string why_no_driver(Facts const& facts, std::string_view module) {
    if (boots_with(facts, "nomodeset")) return "; the kernel was started with nomodeset";
    if (auto const* const option = blacklisting(facts, module))
        return format("; {} says '{}'", option->file, option->line);
    return {};
}

Symptoms look_gpu_driver(Facts const& facts) {
    Symptoms found;
    for (auto const& gpu : facts.report.gpus) {
        if (!computes(gpu) || facts.report.platform.kind == "wsl2") continue;
        if (gpu.driver == "vfio-pci") {
            found.push_back(
                {.severity = Severity::Info,
                 .headline = format("{} is set aside for a VM", shown(gpu)),
                 .evidence = format("vfio-pci holds {}", gpu.pci.value_or("it")),
                 .why = "What a VM is given, this system can't use.",
                 .fix = {"# nothing, where that is wanted; else take it out of the VM, and vfio-pci "
                         "out of the kernel's parameters"}});
            continue;
        }
        if (gpu.driver || !gpu.pci || gpu.openable == true) continue;
        auto const* const module = gpu.vendor == "amd" ? "amdgpu" : gpu.vendor == "intel" ? "xe" : "nvidia";
        found.push_back(
            {.severity = Severity::Error,
             .headline = format("{}: no driver has taken it", shown(gpu)),
             .evidence = format("no driver is bound to {}{}", *gpu.pci, why_no_driver(facts, module)),
             .fix = load_driver(facts, module)});
    }
    return found;
}

Symptoms look_nvidia_mismatch(Facts const& facts) {
    auto const& cuda = facts.report.cuda;
    auto const fault = cuda.fault.value_or("");
    if (cuda.state != "failed" || lower(fault).find("mismatch") == std::string::npos) return {};
    return {{.severity = Severity::Error,
             .evidence = format("NVML: {}; the kernel runs {}", fault,
                                cuda.driver_version.value_or("another version")),
             .fix = Remedies{facts}.on_host({"sudo reboot"})}};
}

Symptoms look_nvidia_library(Facts const& facts) {
    auto const& cuda = facts.report.cuda;
    bool const fails = cuda.state == "failed" && look_nvidia_mismatch(facts).empty();
    if (cuda.state != "no library" && !fails) return {};
    auto const version = version_of(cuda.driver_version.value_or(""));
    auto const branch = version ? std::to_string(version->parts[0]) : std::string{"580"};
    auto const ubuntu = format("libnvidia-compute-{}", branch);
    Package const package{.debian = "libnvidia-ml1",
                          .ubuntu = ubuntu,
                          .fedora = "xorg-x11-drv-nvidia-cuda-libs",
                          .arch = "nvidia-utils"};
    auto fix = Remedies{facts}.install({package});
    if (Remedies{facts}.in_container())
        fix.emplace_back(
            "# of the same version as the host's driver; Docker and Podman take it from the host "
            "(nvidia-container-toolkit, --gpus all)");
    if (fails) fix = Remedies{facts}.on_host({"nvidia-smi", "sudo dmesg | grep -iE 'nvrm|xid'"});
    return {{.severity = Severity::Error,
             .evidence = fails ? format("NVML: {}", cuda.fault.value_or("it failed"))
                               : "libnvidia-ml.so.1 isn't installed, and NVIDIA's kernel module is there",
             .fix = std::move(fix)}};
}

}  // namespace

std::vector<Rule> kernel_rules() {
    return {
        {.id = "kernel-old",
         .headline = "the kernel is too old for this GPU",
         .why = "Older kernels have no driver for Strix Halo, or an early one that fails under load.",
         .seen = "uname's release is under 6.11 on a box with Strix Halo. An error where no driver has taken "
                 "the GPU",
         .remedy =
             "Start a newer kernel: the hardware-enablement one of Ubuntu, Debian's backports, the newest of "
             "Fedora or Arch.",
         .reference = "Ubuntu 24.04's kernel 6.8 doesn't drive gfx1151; that 6.11 does is general knowledge",
         .look = look_kernel_old},
        {.id = "gpu-driver-missing",
         .headline = "no driver has taken the GPU",
         .why = "Without its kernel driver a GPU computes nothing: models run on the processor.",
         .seen = "no driver is bound to the PCI device of a GPU that computes; `nomodeset` on the kernel's "
                 "command "
                 "line and `blacklist` in modprobe's configuration are looked for",
         .remedy = "Load the driver, and look at what the kernel says of it (`dmesg`).",
         .reference =
             "hal0's page on Strix Halo: \"if the kernel didn't load amdgpu, inference won't work either\"",
         .look = look_gpu_driver},
        {.id = "nvidia-mismatch",
         .headline = "NVIDIA's library is newer than the driver that runs",
         .why = "After an update of the driver the kernel still runs the old one: CUDA and Vulkan refuse to "
                "work "
                "until it is loaded anew.",
         .seen =
             "NVML answers with a driver/library version mismatch (NVML_ERROR_LIB_RM_VERSION_MISMATCH, 18)",
         .remedy = "Start the machine again.",
         .reference = "NVML's documentation, error 18",
         .look = look_nvidia_mismatch},
        {.id = "nvidia-library",
         .headline = "NVIDIA's library doesn't answer",
         .why = "CUDA and the figures of the GPU's memory come from it.",
         .seen = "NVIDIA's kernel module is there, and libnvidia-ml.so.1 isn't or fails",
         .remedy = "Install the libraries of the driver's version.",
         .reference = "nvidia-smi(1): exit codes 9 (driver not loaded) and 12 (library not found)",
         .look = look_nvidia_library}};
}

}  // namespace hal0::doctor
