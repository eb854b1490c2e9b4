#include "hardware/cgroups.hpp"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "base/format.hpp"
#include "base/text.hpp"

namespace hal0::hardware {
namespace {

struct Places {
    std::vector<std::string> memory{};  // directories, this process's own first
    std::vector<std::string> cpu{};
    bool second_version{false};
};

// "/a/b" below "/sys/fs/cgroup" -> itself, then /a, then the root.
std::vector<std::string> upward(std::string const& mount, std::string_view path) {
    std::vector<std::string> out;
    while (path.size() > 1) {
        out.push_back(mount + std::string{path});
        path = path.substr(0, path.rfind('/'));
    }
    out.push_back(mount);
    return out;
}

bool names(std::string_view controllers, std::string_view wanted) {
    auto const parts = split(controllers, ',');
    return std::find(parts.begin(), parts.end(), wanted) != parts.end();
}

// Lines "0::/user.slice/…" (version 2) and "5:memory:/lxc/101" (version 1). In a container the path may be
// the host's, and not be there: the mount's root is asked all the same.
Places places_of(Reader& reader) {
    Places places;
    std::string unified;
    auto const text = reader.text("/proc/self/cgroup").value_or("");
    for (auto const line : split(text, '\n')) {
        auto const first = line.find(':');
        auto const second = line.find(':', first + 1);
        if (first == std::string_view::npos || second == std::string_view::npos) continue;
        auto const controllers = line.substr(first + 1, second - first - 1);
        auto const path = line.substr(second + 1);
        if (controllers.empty()) unified = path;
        if (names(controllers, "memory")) places.memory = upward("/sys/fs/cgroup/memory", path);
        if (names(controllers, "cpu")) places.cpu = upward("/sys/fs/cgroup/cpu", path);
    }
    if (!places.memory.empty() || !places.cpu.empty()) return places;
    places.second_version = true;
    places.memory = places.cpu = upward("/sys/fs/cgroup", unified.empty() ? "/" : unified);
    return places;
}

std::optional<Bytes> sum_of(Reader& reader, std::string const& stat,
                            std::vector<std::string_view> const& keys) {
    auto const pairs = reader.pairs(stat, ' ');
    Bytes sum{};
    for (auto const key : keys) {
        auto const found = pairs.find(key);
        auto const bytes = found == pairs.end() ? std::nullopt : to_bytes(found->second);
        if (!bytes) return std::nullopt;
        sum += *bytes;
    }
    return sum;
}

void read_memory(Reader& reader, Places const& places, CgroupLimits& limits) {
    auto const file = places.second_version ? "/memory.max" : "/memory.limit_in_bytes";
    std::string holder;
    for (auto const& directory : places.memory) {
        auto const text = reader.text(directory + file);
        if (!text) continue;
        auto const limit = parse_memory_limit(*text);
        if (!limit.valid)
            reader.warn(format("{}{} holds '{}', which is no limit", directory, file, clipped(*text)));
        if (!limit.bytes || (limits.memory_limit && *limits.memory_limit <= *limit.bytes)) continue;
        limits.memory_limit = limit.bytes;
        holder = directory;
    }
    if (holder.empty()) return;
    if (places.second_version) {
        limits.memory_used = reader.bytes(holder + "/memory.current");
        limits.memory_reclaimable = sum_of(reader, holder + "/memory.stat", {"inactive_file", "active_file"});
    } else {
        limits.memory_used = reader.bytes(holder + "/memory.usage_in_bytes");
        limits.memory_reclaimable =
            sum_of(reader, holder + "/memory.stat", {"total_inactive_file", "total_active_file"});
    }
}

std::optional<double> quota_in(Reader& reader, std::string const& directory, bool second_version) {
    if (second_version) {
        auto const text = reader.text(directory + "/cpu.max");
        return text ? parse_cpu_max(*text) : std::nullopt;
    }
    auto const quota = reader.text(directory + "/cpu.cfs_quota_us");
    auto const period = reader.text(directory + "/cpu.cfs_period_us");
    return quota && period ? parse_cpu_max(*quota + " " + *period) : std::nullopt;
}

}  // namespace

MemoryLimit parse_memory_limit(std::string_view text) {
    if (text == "max") return {.valid = true};
    auto const count = to_int(text);
    if (!count || *count < 0) return {};
    // Version 1's "none" is the largest number of pages: no box has a thousandth of that.
    constexpr std::int64_t no_limit = std::int64_t{1} << 60;
    if (*count >= no_limit) return {.valid = true};
    return {.valid = true, .bytes = Bytes{*count}};
}

std::optional<double> parse_cpu_max(std::string_view text) {
    auto const parts = split(text, ' ');
    if (parts.size() != 2) return std::nullopt;
    auto const time = to_int(parts[0]);
    auto const period = to_int(parts[1]);
    if (!time || !period || *time <= 0 || *period <= 0) return std::nullopt;  // "max", or -1: none
    return static_cast<double>(*time) / static_cast<double>(*period);
}

CgroupLimits read_cgroups(Reader& reader) {
    auto const places = places_of(reader);
    CgroupLimits limits;
    read_memory(reader, places, limits);
    for (auto const& directory : places.cpu) {
        auto const quota = quota_in(reader, directory, places.second_version);
        if (quota && (!limits.cpu_quota || *quota < *limits.cpu_quota)) limits.cpu_quota = quota;
    }
    return limits;
}

}  // namespace hal0::hardware
