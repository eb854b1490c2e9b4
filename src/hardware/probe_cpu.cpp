#include <algorithm>
#include <array>
#include <cmath>
#include <set>

#include "base/format.hpp"
#include "base/text.hpp"
#include "hardware/probe_parts.hpp"

namespace hal0::hardware {
namespace {

// Those that engines have code of their own for; Linux's names, x86 and Arm.
std::vector<std::string> features_of(std::string_view flags) {
    constexpr std::array wanted{"sse4_2",   "avx",         "f16c",     "fma",         "avx2",     "avx512f",
                                "avx512bw", "avx512_vnni", "avx_vnni", "avx512_bf16", "amx_tile", "amx_int8",
                                "asimd",    "asimddp",     "i8mm",     "sve",         "sve2",     "bf16"};
    auto const words = split(flags, ' ');
    std::set<std::string_view> const has{words.begin(), words.end()};
    std::vector<std::string> found;
    for (auto const* const name : wanted) {
        if (has.contains(name)) found.emplace_back(name);
    }
    return found;
}

std::optional<std::int64_t> usable_of(CpuReport const& cpu) {
    std::optional<std::int64_t> usable = cpu.allowed ? cpu.allowed : cpu.threads;
    if (!usable || !cpu.quota) return usable;
    return std::clamp<std::int64_t>(static_cast<std::int64_t>(std::ceil(*cpu.quota)), 1, *usable);
}

}  // namespace

CpuReport probe_cpu(Reader& reader, SystemAnswer const& system, CgroupLimits const& limits) {
    auto const info = reader.pairs("/proc/cpuinfo", ':');
    auto const text = [&info](std::string_view key) -> std::optional<std::string> {
        auto const found = info.find(key);
        if (found == info.end() || printable(found->second).empty()) return std::nullopt;
        return printable(found->second);
    };
    auto const number = [&text](std::string_view key) {
        auto const found = text(key);
        return found ? to_int(*found) : std::nullopt;
    };
    CpuReport cpu{.architecture = system.architecture,
                  .model = text("model name"),
                  .family = number("cpu family"),
                  .model_number = number("model"),
                  .stepping = number("stepping"),
                  .allowed = system.allowed_cpus,
                  .quota = limits.cpu_quota};
    if (auto const online = reader.text("/sys/devices/system/cpu/online")) {
        cpu.threads = count_of_list(*online);
        if (!cpu.threads)
            reader.warn(format("/sys/devices/system/cpu/online holds '{}', which is no list of processors",
                               clipped(printable(*online))));
    }
    cpu.usable = usable_of(cpu);
    cpu.features = features_of(text("flags").value_or(text("Features").value_or("")));
    return cpu;
}

}  // namespace hal0::hardware
