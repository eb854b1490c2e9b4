#pragma once
// What several rules ask of the facts.
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "doctor/facts.hpp"

namespace hal0::doctor {

// The numbers that a version begins with: "6.17.9-arch1-1" is 6, 17, 9; "0.10" is 0, 10, 0, newer than 0.6.
struct Version {
    std::array<std::int64_t, 3> parts{};
    auto operator<=>(Version const&) const = default;
};
std::optional<Version> version_of(std::string_view text);

// What engines can compute with: no server board's console chip, no hypervisor's.
bool computes(hardware::GpuReport const& gpu);
bool is_halo(hardware::GpuReport const& gpu);
// RDNA 3.5: Strix Point, Strix Halo, Krackan.
bool is_gfx115x(hardware::GpuReport const& gpu);
// Of AMD's, in the system's memory, by the driver amdgpu.
bool is_amd_apu(hardware::GpuReport const& gpu);
std::string shown(hardware::GpuReport const& gpu);
std::string shown(hardware::NpuReport const& npu);

hardware::GpuReport const* gpu_called(Facts const& facts, std::string_view id);
// Whether the box has a GPU for which `is` holds.
bool any_gpu(Facts const& facts, bool (*is)(hardware::GpuReport const&));

// A kernel parameter's value; "" for one without; nothing where it isn't on the command line.
std::optional<std::string> kernel_parameter(Facts const& facts, std::string_view name);
bool boots_with(Facts const& facts, std::string_view parameter);  // "amd_iommu=off", whole

}  // namespace hal0::doctor
