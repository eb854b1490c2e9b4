// The PCI functions of a box, and the nodes that lead to them.
#include <algorithm>
#include <utility>

#include "base/format.hpp"
#include "base/text.hpp"
#include "hardware/access.hpp"
#include "hardware/probe_parts.hpp"
#include "os/file.hpp"

namespace hal0::hardware {
namespace {

// "0000:c3:00.0"
bool is_pci_address(std::string_view text) {
    auto const colon = text.find(':');
    return text.size() == colon + 8 && colon >= 4 && text[colon + 3] == ':' && text[colon + 6] == '.' &&
           from_hex(text.substr(0, colon)) && from_hex(text.substr(colon + 1, 2)) &&
           from_hex(text.substr(colon + 4, 2));
}

bool is_npu(PciIds const& ids) { return known_npu(ids).has_value(); }

}  // namespace

std::vector<PciDevice> read_pci(Reader& reader) {
    std::vector<PciDevice> found;
    for (auto const& address : reader.names("/sys/bus/pci/devices")) {
        if (!is_pci_address(address)) continue;
        PciDevice device{.address = address};
        // Displays (03xxxx) and what may be an NPU (signal processing, 118000): of others nothing more is
        // read.
        device.kind = reader.hex(device.directory() + "/class").value_or(0);
        if (!device.is_display() && device.kind >> 16 != 0x11) continue;
        device.ids = {.vendor = reader.hex(device.directory() + "/vendor").value_or(0),
                      .device = reader.hex(device.directory() + "/device").value_or(0),
                      .revision = reader.hex(device.directory() + "/revision")};
        if (!device.is_display() && !is_npu(device.ids)) continue;
        if (auto const driver = reader.files().link(device.directory() + "/driver"))
            device.driver = os::base_name(*driver);
        found.push_back(std::move(device));
    }
    return found;
}

std::optional<std::string> address_behind(Reader& reader, std::string const& entry) {
    auto const target = reader.files().link(entry);
    if (!target) return std::nullopt;
    std::optional<std::string> address;
    for (auto const part : split(*target, '/')) {
        if (is_pci_address(part)) address = part;  // the last: those before it are bridges
    }
    return address;
}

std::vector<std::string> numbered(Reader& reader, std::string const& directory, std::string_view prefix) {
    std::vector<std::pair<std::int64_t, std::string>> found;
    for (auto const& name : reader.names(directory)) {
        if (!name.starts_with(prefix)) continue;
        // "card1-HDMI-A-1" is a connector of card1.
        if (auto const number = to_int(std::string_view{name}.substr(prefix.size())))
            found.emplace_back(*number, name);
    }
    std::sort(found.begin(), found.end());
    std::vector<std::string> names;
    names.reserve(found.size());
    for (auto& [number, name] : found)
        names.push_back(std::move(name));
    return names;
}

namespace {

// What forbids what the mode allows.
std::string guard_of(PlatformReport const& platform) {
    auto const& profile = platform.apparmor;
    if (profile && !profile->starts_with("unconfined")) return format("AppArmor's profile '{}'", *profile);
    return "a security module (AppArmor, SELinux)";
}

}  // namespace

std::string hex_id(std::int64_t id) { return format("{:#06x}", id); }

std::optional<std::string> why_not(NodeAnswer const& node, Seen const& seen) {
    if (node.opens()) return std::nullopt;
    auto const& platform = seen.platform;
    bool const contained = platform.container.has_value();
    if (node.verdict == "ENOENT")
        return contained ? format("{} isn't there: the container was not given it", node.path)
                         : format("{} isn't there", node.path);
    if (node.verdict == "EPERM")
        return contained ? format("{} is there, and the container's device rules forbid it", node.path)
                         : format("{} is there, and a device rule forbids it", node.path);
    if (node.verdict == "EACCES") {
        if (node.owner_group == nobody)
            return format(
                "{} belongs to nobody here: it was put into the container without a group of its own",
                node.path);
        if (mode_lets_in(node, {seen.system.user, seen.system.groups}, platform))
            return format("{} would open by its mode ({}), and {} forbids it", node.path,
                          node.mode.value_or("?"), guard_of(platform));
        return node.owner_group ? format("{} is for group {} (mode {}), which this user isn't in", node.path,
                                         *node.owner_group, node.mode.value_or("?"))
                                : format("this user may not open {}", node.path);
    }
    return format("its driver refused to open {} ({})", node.path, node.verdict);
}

}  // namespace hal0::hardware
