#include "os/process_info.hpp"

#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <string>

#include "base/format.hpp"
#include "base/text.hpp"
#include "os/file.hpp"

namespace hal0::os {

std::optional<Bytes> resident_bytes(int pid) {
    auto const text = read_file(format("/proc/{}/statm", pid), 4_KiB);
    if (!text) return std::nullopt;
    auto const fields = split(trim(*text), ' ');
    if (fields.size() < 2) return std::nullopt;
    auto const pages = to_int(fields[1]);
    if (!pages) return std::nullopt;
    return Bytes{*pages * ::sysconf(_SC_PAGESIZE)};
}

std::optional<Bytes> swapped_bytes(int pid) {
    auto const text = read_file(format("/proc/{}/status", pid), 16_KiB);
    if (!text) return std::nullopt;
    constexpr std::string_view name = "VmSwap:";
    for (auto const line : split(*text, '\n')) {
        if (!line.starts_with(name)) continue;
        auto const amount = split(trim(line.substr(name.size())), ' ');  // "12 kB"
        auto const kib = amount.empty() ? std::nullopt : to_int(amount.front());
        return kib ? std::optional{Bytes{*kib * 1024}} : std::nullopt;
    }
    return std::nullopt;
}

std::optional<std::uint64_t> start_ticks(int pid) {
    auto const text = read_file(format("/proc/{}/stat", pid), 4_KiB);
    if (!text) return std::nullopt;
    // The second field is the program's name in parentheses and may hold anything: count from its end.
    auto const name_end = text->rfind(')');
    if (name_end == std::string::npos) return std::nullopt;
    auto const fields = split(trim(std::string_view{*text}.substr(name_end + 1)), ' ');
    constexpr std::size_t start_time = 22 - 3;  // field numbers count from 1, these begin with field 3
    if (fields.size() <= start_time) return std::nullopt;
    auto const ticks = to_int(fields[start_time]);
    if (!ticks) return std::nullopt;
    return static_cast<std::uint64_t>(*ticks);
}

std::string cgroups_of(int pid) { return read_file(format("/proc/{}/cgroup", pid), 64_KiB).value_or(""); }

namespace {

// "200000 100000": so many microseconds in each of so many; "max 100000": no limit.
std::int64_t quota_cpus() {
    auto const text = read_file("/sys/fs/cgroup/cpu.max", 4_KiB);
    if (!text) return INT32_MAX;
    auto const fields = split(trim(*text), ' ');
    if (fields.size() != 2) return INT32_MAX;
    auto const time = to_int(fields[0]).value_or(0);
    auto const period = to_int(fields[1]).value_or(0);
    if (time <= 0 || period <= 0) return INT32_MAX;
    return (time + period - 1) / period;
}

}  // namespace

int usable_cpus() {
    cpu_set_t set;
    CPU_ZERO(&set);
    // Fails where the box has more CPUs than the set has bits.
    bool const known = ::sched_getaffinity(0, sizeof set, &set) == 0;
    std::int64_t const cpus = known ? CPU_COUNT(&set) : ::sysconf(_SC_NPROCESSORS_ONLN);
    return static_cast<int>(std::max<std::int64_t>(1, std::min(cpus, quota_cpus())));
}

std::optional<std::int64_t> oom_kills() {
    auto const text = read_file("/proc/vmstat", 64_KiB);
    if (!text) return std::nullopt;
    for (auto const line : split(*text, '\n')) {
        constexpr std::string_view key = "oom_kill ";
        if (line.starts_with(key)) return to_int(line.substr(key.size()));
    }
    return std::nullopt;
}

std::string own_program() {
    constexpr char const* link = "/proc/self/exe";
    std::string path(4096, '\0');
    auto const size = ::readlink(link, path.data(), path.size());
    if (size <= 0) return link;
    path.resize(static_cast<std::size_t>(size));
    return exists(path) ? path : link;  // the kernel writes "… (deleted)"
}

int own_pid() { return ::getpid(); }

unsigned own_user() { return static_cast<unsigned>(::getuid()); }

}  // namespace hal0::os
