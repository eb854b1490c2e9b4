#pragma once
// What AMD's compute driver says of its GPUs (/sys/class/kfd/kfd/topology).
#include <optional>
#include <string>
#include <vector>

#include "hardware/reader.hpp"

namespace hal0::hardware {

struct KfdNode {
    std::int64_t render_minor{-1};  // of /dev/dri/renderD…; -1: none
    std::string gfx{};              // "gfx1151"
    std::optional<std::int64_t> compute_units{};
};
std::vector<KfdNode> read_kfd_nodes(Reader& reader);  // of GPUs alone

// 110501 -> "gfx1151", 90010 -> "gfx90a": minor and step are one hexadecimal digit each. Nothing for 0, a
// CPU.
std::optional<std::string> gfx_name(std::int64_t target_version);

}  // namespace hal0::hardware
