#pragma once
// What hal0 knows of devices by their PCI ids: known_devices.json, and the name lists that a distribution
// installs.
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "hardware/reader.hpp"

namespace hal0::hardware {

struct PciIds {
    std::int64_t vendor{0};
    std::int64_t device{0};
    std::optional<std::int64_t> revision{};
};

struct KnownGpu {
    std::optional<std::string> name{};
    std::string family{};
    std::optional<std::string> gfx{};
    bool unified{false};
    std::optional<Bytes> memory_max{};  // of the whole box, where the chip has the memory controller
};
// By revision where that tells one from another, else by vendor and device alone.
std::optional<KnownGpu> known_gpu(PciIds const& ids);

struct KnownNpu {
    std::string name{};
    std::int64_t generation{0};
};
std::optional<KnownNpu> known_npu(PciIds const& ids);

std::string vendor_name(std::int64_t vendor);

// Lines "1586,\tC1,\tAMD Radeon 8060S Graphics" of libdrm's amdgpu.ids.
std::optional<std::string> name_in_amdgpu_ids(std::string_view text, PciIds const& ids);
// pci.ids: a vendor's line "1002  …", below it "\t1586  …".
std::optional<std::string> name_in_pci_ids(std::string_view text, PciIds const& ids);
// The first of: amdgpu.ids of the box, hal0's own table, pci.ids of the box.
std::optional<std::string> name_of_gpu(Reader& reader, PciIds const& ids);

inline constexpr std::string_view amdgpu_ids_path = "/usr/share/libdrm/amdgpu.ids";
// Debian's place, and that of Fedora and Arch.
inline constexpr std::array<std::string_view, 2> pci_ids_paths{"/usr/share/misc/pci.ids",
                                                               "/usr/share/hwdata/pci.ids"};

}  // namespace hal0::hardware
