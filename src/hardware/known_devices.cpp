#include "hardware/known_devices.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "base/format.hpp"
#include "base/text.hpp"
#include "wire/codec.hpp"

namespace hal0::embedded {
extern std::string_view const known_devices;
}  // namespace hal0::embedded

namespace hal0::hardware {
namespace {

using wire::BodyTitle;

struct GpuRow {
    static constexpr BodyTitle title{"GpuRow", "A GPU that hal0 knows."};
    std::string vendor{};
    std::string device{};
    std::vector<std::string> revisions{};
    std::optional<std::string> name{};
    std::string family{};
    std::optional<std::string> gfx{};
    bool unified{false};
    std::optional<std::int64_t> memory_max_gib{};

    template <class Self, class F> static void fields(Self& self, F& f) {
        f("vendor", self.vendor, "PCI's, hexadecimal");
        f("device", self.device, "PCI's");
        f("revisions", self.revisions, "that bear this name; empty: every other");
        f("name", self.name, "as its maker sells it");
        f("family", self.family, "its maker's code name");
        f("gfx", self.gfx, "its instruction set");
        f("unified", self.unified, "whether it computes in the system's memory");
        f("memory_max_gib", self.memory_max_gib, "no box with it has more memory");
    }
};

struct NpuRow {
    static constexpr BodyTitle title{"NpuRow", "An NPU that hal0 knows."};
    std::string vendor{};
    std::string device{};
    std::string name{};
    std::int64_t generation{0};

    template <class Self, class F> static void fields(Self& self, F& f) {
        f("vendor", self.vendor, "PCI's, hexadecimal");
        f("device", self.device, "PCI's");
        f("name", self.name, "of all with this id");
        f("generation", self.generation, "of XDNA");
    }
};

struct Table {
    static constexpr BodyTitle title{"Table", "The devices that hal0 knows."};
    std::vector<GpuRow> gpus{};
    std::vector<NpuRow> npus{};

    template <class Self, class F> static void fields(Self& self, F& f) {
        f("gpus", self.gpus, "GPUs");
        f("npus", self.npus, "NPUs");
    }
};

Table const& table() {
    static Table const known = wire::decode<Table>(embedded::known_devices).value();
    return known;
}

template <class Row> bool is_of(Row const& row, PciIds const& ids) {
    return from_hex(row.vendor) == ids.vendor && from_hex(row.device) == ids.device;
}

bool has_revision(GpuRow const& row, PciIds const& ids) {
    if (row.revisions.empty()) return true;
    return std::any_of(row.revisions.begin(), row.revisions.end(),
                       [&ids](std::string const& revision) { return from_hex(revision) == ids.revision; });
}

}  // namespace

std::optional<KnownGpu> known_gpu(PciIds const& ids) {
    for (auto const& row : table().gpus) {  // those without revisions come last
        if (!is_of(row, ids) || !has_revision(row, ids)) continue;
        KnownGpu gpu{.name = row.name, .family = row.family, .gfx = row.gfx, .unified = row.unified};
        if (row.memory_max_gib) gpu.memory_max = Bytes{*row.memory_max_gib << 30};
        return gpu;
    }
    return std::nullopt;
}

std::optional<KnownNpu> known_npu(PciIds const& ids) {
    for (auto const& row : table().npus) {
        if (is_of(row, ids)) return KnownNpu{row.name, row.generation};
    }
    return std::nullopt;
}

std::string vendor_name(std::int64_t vendor) {
    constexpr std::array vendors{std::pair{0x1002, "amd"},    std::pair{0x10de, "nvidia"},
                                 std::pair{0x8086, "intel"},  std::pair{0x1af4, "virtio"},
                                 std::pair{0x15ad, "vmware"}, std::pair{0x1414, "microsoft"},
                                 std::pair{0x1a03, "aspeed"}, std::pair{0x102b, "matrox"},
                                 std::pair{0x1234, "qemu"},   std::pair{0x1b36, "qemu"}};
    for (auto const& [id, name] : vendors) {
        if (id == vendor) return name;
    }
    return "unknown";
}

std::optional<std::string> name_in_amdgpu_ids(std::string_view text, PciIds const& ids) {
    for (auto const line : split(text, '\n')) {
        auto const parts = split(line, ',');
        if (parts.size() < 3 || line.starts_with('#')) continue;
        if (from_hex(lower(trim(parts[0]))) != ids.device || from_hex(lower(trim(parts[1]))) != ids.revision)
            continue;
        auto name = printable(line.substr(line.find(',', line.find(',') + 1) + 1));
        if (!name.empty()) return name;
    }
    return std::nullopt;
}

std::optional<std::string> name_in_pci_ids(std::string_view text, PciIds const& ids) {
    auto const vendor_at = text.find(format("\n{:04x}  ", ids.vendor));
    if (vendor_at == std::string_view::npos) return std::nullopt;
    auto const wanted = format("\t{:04x}  ", ids.device);
    auto rest = text.substr(vendor_at + 1);
    for (auto end = rest.find('\n'); end != std::string_view::npos; end = rest.find('\n')) {
        rest.remove_prefix(end + 1);
        if (rest.starts_with(wanted))
            return printable(rest.substr(wanted.size(), rest.find('\n') - wanted.size()));
        if (!rest.starts_with('\t') && !rest.starts_with('#')) return std::nullopt;  // the next vendor
    }
    return std::nullopt;
}

std::optional<std::string> name_of_gpu(Reader& reader, PciIds const& ids) {
    constexpr Bytes list_bytes_max = 8_MiB;
    constexpr std::int64_t amd = 0x1002;
    if (ids.vendor == amd) {
        auto const list = reader.text(std::string{amdgpu_ids_path}, list_bytes_max);
        if (auto name = list ? name_in_amdgpu_ids(*list, ids) : std::nullopt) return name;
    }
    if (auto const known = known_gpu(ids); known && known->name) return known->name;
    for (auto const path : pci_ids_paths) {
        if (auto const list = reader.text(std::string{path}, list_bytes_max))
            return name_in_pci_ids("\n" + *list, ids);
    }
    return std::nullopt;
}

}  // namespace hal0::hardware
