#include "doctor/gtt.hpp"

#include <algorithm>

#include "doctor/subjects.hpp"

namespace hal0::doctor {

Bytes reserve_of(Bytes visible) { return std::clamp(Bytes{visible.count / 8}, 8_GiB, 16_GiB); }

Bytes advised_cap(Bytes visible) {
    constexpr Bytes step = 4_GiB;
    auto const left = std::max(visible - reserve_of(visible), Bytes{visible.count / 2});
    // Whole steps of what is left of a small box are less than Linux gives by itself.
    return std::max(Bytes{left.count / step.count * step.count}, Bytes{visible.count / 2});
}

std::int64_t pages_of(Bytes size) { return size.count / 4096; }

std::optional<GttBox> gtt_box(Facts const& facts) {
    auto const& memory = facts.report.memory;
    // In an LXC MemTotal is the container's, while the cap is the host's.
    if (!memory.total || (memory.total_is != "host" && memory.total_is != "vm")) return std::nullopt;
    for (auto const& gpu : facts.report.gpus) {
        auto const cap = hardware::gtt_cap(gpu.gtt_total, facts.report.software.ttm_pages_limit);
        if (is_amd_apu(gpu) && gpu.vram_total && cap)
            return GttBox{gpu, *memory.total, *gpu.vram_total, *cap};
    }
    return std::nullopt;
}

}  // namespace hal0::doctor
