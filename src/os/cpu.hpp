#pragma once
// What /proc/cpuinfo leaves unsaid of the processor.
#include <optional>
#include <string>

namespace hal0::os {

// The Advanced Performance Extensions (twice the registers): whether programs can use them here. The kernel
// has no name for them in /proc/cpuinfo, and compilers use them unasked (-march=native).
bool cpu_has_apx();

// The name that a hypervisor gives itself in CPUID: "KVMKVMKVM", "VMwareVMware"; nothing where there is none.
std::optional<std::string> cpu_hypervisor();

}  // namespace hal0::os
