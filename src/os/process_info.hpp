#pragma once
// What /proc tells about a process (proc(5)).
#include <cstdint>
#include <optional>
#include <string>

#include "base/units.hpp"

namespace hal0::os {

// Resident memory, shared pages counted whole (statm's second field); nothing when the process is gone or
// hidden.
std::optional<Bytes> resident_bytes(int pid);
// What of it is swapped out (status' VmSwap); nothing as above.
std::optional<Bytes> swapped_bytes(int pid);
// When it started, in clock ticks since boot (stat's 22nd field): with the pid it names a process for good.
std::optional<std::uint64_t> start_ticks(int pid);

// The control groups it is in, as /proc/PID/cgroup has them (cgroups(7)); empty when it is gone.
std::string cgroups_of(int pid);

// How many threads can run at once for this process: its affinity, and a container's quota of CPU time
// (cgroup v2, rounded up). At least 1.
int usable_cpus();

// How many processes the kernel has ended for want of memory, on all of the machine and in every cgroup,
// since it booted (/proc/vmstat's oom_kill, since Linux 4.13); nothing where it doesn't tell.
std::optional<std::int64_t> oom_kills();

// The file this process runs, where it stands now; "/proc/self/exe" when that was removed or replaced, which
// still runs the very same program.
std::string own_program();
int own_pid();
unsigned own_user();  // its number; 0: root

}  // namespace hal0::os
