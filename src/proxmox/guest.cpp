#include "proxmox/guest.hpp"

#include <algorithm>
#include <array>
#include <string>

#include "base/format.hpp"
#include "base/text.hpp"
#include "proxmox/settings.hpp"

namespace hal0::proxmox {
namespace {

constexpr Bytes mountinfo_bytes_max = 1_MiB;

// The number behind `mark`, when `end` follows it: of the first place where that is so.
std::optional<std::int64_t> number_between(std::string_view text, std::string_view mark,
                                           std::string_view end) {
    for (auto at = text.find(mark); at != std::string_view::npos; at = text.find(mark, at + 1)) {
        auto const rest = text.substr(at + mark.size());
        auto const stop = rest.find(end);
        if (stop == std::string_view::npos) return std::nullopt;
        auto const number = to_int(rest.substr(0, stop));
        if (number && *number >= vmid_min && *number <= vmid_max) return number;
    }
    return std::nullopt;
}

// The device mapper doubles the dashes of a name.
std::string with_single_dashes(std::string_view text) {
    std::string out;
    for (char const c : text) {
        if (c != '-' || !out.ends_with('-')) out += c;
    }
    return out;
}

}  // namespace

std::string_view to_string(Guest::Kind kind) {
    switch (kind) {
        case Guest::Kind::Container: return "lxc";
        case Guest::Kind::Machine: return "qemu";
        case Guest::Kind::Unknown: break;
    }
    return "unknown";
}

std::optional<Guest::Kind> guest_kind(std::string_view name) {
    for (auto const kind : {Guest::Kind::Unknown, Guest::Kind::Container, Guest::Kind::Machine}) {
        if (name == to_string(kind)) return kind;
    }
    return std::nullopt;
}

std::optional<std::int64_t> vmid_of_profile(std::string_view profile) {
    return number_between(profile, "lxc-", "_<");
}

std::optional<std::int64_t> vmid_of_root(std::string_view mountinfo) {
    constexpr std::size_t mount_point = 4;  // of the fields of a line (proc(5))
    for (auto const line : split(mountinfo, '\n')) {
        auto const fields = split(line, ' ');
        if (fields.size() <= mount_point || fields[mount_point] != "/") continue;
        auto const plain = with_single_dashes(line);
        for (std::string_view const mark : {"subvol-", "vm-"}) {
            if (auto const vmid = number_between(plain, mark, "-disk-")) return vmid;
        }
    }
    return std::nullopt;
}

Guest look_at_guest(os::FileSystem const& files, Guest::Kind kind) {
    Guest guest{.kind = kind};
    if (kind != Guest::Kind::Container) return guest;
    auto const text = [&files](std::string const& path, Bytes max) {
        return files.read(path, max).value_or("");
    };
    guest.vmid = vmid_of_profile(text("/proc/self/attr/current", os::kernel_file_bytes_max));
    if (!guest.vmid) guest.vmid = vmid_of_root(text("/proc/self/mountinfo", mountinfo_bytes_max));
    return guest;
}

Result<std::int64_t> vmid_of(Guest const& guest, std::optional<std::int64_t> configured) {
    if (configured && guest.vmid && *configured != *guest.vmid) {
        return Error{
            Errc::Conflict,
            format("'vmid' is {}, but this container's own files say {}; a clone has the file of its "
                   "original: mend or remove 'vmid'",
                   *configured, *guest.vmid)};
    }
    if (auto const vmid = configured ? configured : guest.vmid) return *vmid;
    return Error{
        Errc::Invalid,
        "which guest this is can't be seen from inside: 'vmid' must say it, with the number that 'pct "
        "list' or 'qm list' shows on the host"};
}

}  // namespace hal0::proxmox
