#include "hardware/access.hpp"

#include <algorithm>

namespace hal0::hardware {
namespace {

enum class Who : std::uint8_t { Owner = 1, Group = 2, Others = 3 };  // places in "0660"

bool reads_and_writes(NodeAnswer const& node, Who who) {
    if (!node.mode || node.mode->size() != 4) return false;
    auto const bits = (*node.mode)[static_cast<std::size_t>(who)];
    return bits == '6' || bits == '7';
}

}  // namespace

bool mode_lets_in(NodeAnswer const& node, Asker const& asker, PlatformReport const& platform) {
    bool const is_mapped =
        node.owner_user && node.owner_user != nobody && node.owner_group && node.owner_group != nobody;
    if (asker.user == 0 && (platform.privileged != false || is_mapped)) return true;
    // The first that is meant is the only one that counts.
    if (node.owner_user == asker.user) return reads_and_writes(node, Who::Owner);
    auto const group = std::to_string(node.owner_group.value_or(-1));
    bool const is_member = std::ranges::find(asker.groups, group) != asker.groups.end();
    return reads_and_writes(node, is_member ? Who::Group : Who::Others);
}

}  // namespace hal0::hardware
