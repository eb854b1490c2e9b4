#include "doctor/subjects.hpp"

#include <algorithm>
#include <charconv>

#include "base/format.hpp"
#include "base/text.hpp"

namespace hal0::doctor {

std::optional<Version> version_of(std::string_view text) {
    Version version;
    std::size_t count = 0;
    auto const* at = text.data();
    auto const* const end = at + text.size();
    while (count < version.parts.size()) {
        auto const [next, fault] = std::from_chars(at, end, version.parts.at(count));
        if (fault != std::errc{}) break;
        ++count;
        at = next;
        if (at == end || *at != '.') break;
        ++at;
    }
    return count == 0 ? std::nullopt : std::optional{version};
}

bool computes(hardware::GpuReport const& gpu) {
    return gpu.vendor == "amd" || gpu.vendor == "nvidia" || gpu.vendor == "intel";
}

bool is_halo(hardware::GpuReport const& gpu) { return gpu.family == "Strix Halo"; }

bool is_gfx115x(hardware::GpuReport const& gpu) { return gpu.gfx && gpu.gfx->starts_with("gfx115"); }

bool is_amd_apu(hardware::GpuReport const& gpu) { return gpu.unified == true && gpu.driver == "amdgpu"; }

std::string shown(hardware::GpuReport const& gpu) {
    return gpu.name.value_or(format("the {} GPU {}", gpu.vendor, gpu.device_id.value_or("")));
}

std::string shown(hardware::NpuReport const& npu) { return npu.name.value_or("the NPU"); }

hardware::GpuReport const* gpu_called(Facts const& facts, std::string_view id) {
    auto const& gpus = facts.report.gpus;
    auto const found = std::find_if(gpus.begin(), gpus.end(),
                                    [id](hardware::GpuReport const& other) { return other.id == id; });
    return found == gpus.end() ? nullptr : &*found;
}

bool any_gpu(Facts const& facts, bool (*is)(hardware::GpuReport const&)) {
    return std::any_of(facts.report.gpus.begin(), facts.report.gpus.end(), is);
}

std::optional<std::string> kernel_parameter(Facts const& facts, std::string_view name) {
    std::optional<std::string> found;  // the last one counts
    for (auto const& parameter : facts.report.software.kernel_parameters) {
        auto const equals = parameter.find('=');
        if (std::string_view{parameter}.substr(0, equals) != name) continue;
        found = equals == std::string::npos ? "" : parameter.substr(equals + 1);
    }
    return found;
}

bool boots_with(Facts const& facts, std::string_view parameter) {
    auto const& all = facts.report.software.kernel_parameters;
    return std::find(all.begin(), all.end(), parameter) != all.end();
}

}  // namespace hal0::doctor
