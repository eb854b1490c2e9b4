#include "hardware/kfd.hpp"

#include "base/format.hpp"
#include "base/text.hpp"

namespace hal0::hardware {

std::optional<std::string> gfx_name(std::int64_t target_version) {
    constexpr std::int64_t version_max = 1'000'000;
    if (target_version <= 0 || target_version >= version_max) return std::nullopt;
    auto const minor = target_version / 100 % 100;
    auto const step = target_version % 100;
    if (minor > 0xf || step > 0xf) return std::nullopt;
    return format("gfx{}{:x}{:x}", target_version / 10000, minor, step);
}

std::vector<KfdNode> read_kfd_nodes(Reader& reader) {
    constexpr std::string_view nodes = "/sys/class/kfd/kfd/topology/nodes";
    std::vector<KfdNode> found;
    for (auto const& name : reader.names(std::string{nodes})) {
        auto const properties = reader.pairs(format("{}/{}/properties", nodes, name), ' ');
        auto const number = [&properties](std::string_view key) -> std::optional<std::int64_t> {
            auto const at = properties.find(key);
            return at == properties.end() ? std::nullopt : to_int(at->second);
        };
        auto const gfx = gfx_name(number("gfx_target_version").value_or(0));
        if (!gfx) continue;
        KfdNode node{.render_minor = number("drm_render_minor").value_or(-1), .gfx = *gfx};
        // SIMDs are counted, two to a compute unit.
        if (auto const simds = number("simd_count"); simds && *simds > 0) node.compute_units = *simds / 2;
        found.push_back(node);
    }
    return found;
}

}  // namespace hal0::hardware
