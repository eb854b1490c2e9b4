#include "os/process_info.hpp"

#include <unistd.h>

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

}  // namespace hal0::os
