#pragma once
// What the kernel says of itself and of this process, beside its files.
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "base/units.hpp"

namespace hal0::os {

struct SystemInfo {
    std::string kernel{};        // "6.17.9-arch1"
    std::string architecture{};  // "x86_64"
    std::uint32_t user{0};
    std::vector<std::uint32_t> groups{};    // all that this process has, its own first
    std::optional<int> allowed_cpus{};      // that this process may run on (sched_getaffinity)
    std::optional<Bytes> memlock{};         // RLIMIT_MEMLOCK; nothing: no limit
    std::optional<std::string> hypervisor;  // what CPUID names: "KVMKVMKVM"; nothing on bare metal
    Bytes page_size{};                      // in what the kernel counts pages
};
SystemInfo system_info();

struct FileSystemSpace {
    std::string type{};  // "ext4", "zfs"; "0x1234" where hal0 has no name for it
    Bytes total{};
    Bytes available{};  // to this user
};
Result<FileSystemSpace> file_system_space(std::string const& path);

}  // namespace hal0::os
