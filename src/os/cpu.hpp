#pragma once
// What /proc/cpuinfo leaves unsaid of the processor.

namespace hal0::os {

// The Advanced Performance Extensions (twice the registers): whether programs can use them here. The kernel
// has no name for them in /proc/cpuinfo, and compilers use them unasked (-march=native).
bool cpu_has_apx();

}  // namespace hal0::os
