#include <algorithm>
#include <array>

#include "base/text.hpp"
#include "hardware/probe_parts.hpp"

namespace hal0::hardware {
namespace {

// "Mesa 26.1.3-arch1.2", and whatever follows.
std::optional<std::string> mesa_of(VulkanAnswer const& vulkan) {
    constexpr std::string_view name = "Mesa ";
    for (auto const& device : vulkan.devices) {
        std::string_view const info = device.driver_info;
        if (info.starts_with(name))
            return std::string{info.substr(name.size(), info.find(' ', name.size()) - name.size())};
    }
    return std::nullopt;
}

std::optional<std::string> unquoted(std::string_view text) {
    if (text.size() >= 2 && text.front() == '"' && text.back() == '"') text = text.substr(1, text.size() - 2);
    auto word = printable(text);
    return word.empty() ? std::nullopt : std::optional{word};
}

// Others are nobody's business: a command line may hold anything.
bool matters(std::string_view parameter) {
    constexpr std::array<std::string_view, 14> wanted{
        "amdgpu.", "ttm.",  "amdttm.", "amd_iommu=", "iommu=",     "intel_iommu=", "nvidia.",
        "nvidia-", "i915.", "xe.",     "mem=",       "hugepagesz", "hugepages=",   "nomodeset"};
    return std::any_of(wanted.begin(), wanted.end(),
                       [parameter](std::string_view prefix) { return parameter.starts_with(prefix); });
}

}  // namespace

// AMD's own package of the driver names its modules otherwise.
std::optional<std::int64_t> ttm_pages_limit(Reader& reader) {
    auto const limit = reader.number("/sys/module/ttm/parameters/pages_limit");
    return limit ? limit : reader.number("/sys/module/amdttm/parameters/pages_limit");
}

SoftwareReport probe_software(Reader& reader, SystemAnswer const& system, VulkanAnswer const& vulkan) {
    SoftwareReport software{.kernel = system.kernel, .mesa = mesa_of(vulkan)};
    auto release = reader.pairs("/etc/os-release", '=');
    if (release.empty()) release = reader.pairs("/usr/lib/os-release", '=');
    auto const value = [&release](std::string_view key) {
        auto const found = release.find(key);
        return found == release.end() ? std::nullopt : unquoted(found->second);
    };
    software.distribution = value("PRETTY_NAME");
    software.distribution_id = value("ID");
    software.distribution_like = value("ID_LIKE");
    software.distribution_version = value("VERSION_ID");
    auto const line = reader.text("/proc/cmdline").value_or("");
    for (auto const parameter : split(line, ' ')) {
        if (matters(parameter)) software.kernel_parameters.push_back(printable(parameter));
    }
    software.ttm_pages_limit = ttm_pages_limit(reader);
    software.amdgpu_gttsize_mib = reader.number("/sys/module/amdgpu/parameters/gttsize");
    return software;
}

}  // namespace hal0::hardware
