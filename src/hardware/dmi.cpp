#include "hardware/dmi.hpp"

#include <string>

#include "base/format.hpp"

namespace hal0::hardware {
namespace {

// Little-endian, of `count` bytes; the caller has seen that they are there.
std::uint32_t number_at(std::string_view table, std::size_t at, std::size_t count) {
    std::uint32_t number = 0;
    for (std::size_t i = count; i > 0; --i)
        number = number << 8U | static_cast<unsigned char>(table[at + i - 1]);
    return number;
}

}  // namespace

std::optional<MemoryModule> parse_memory_module(std::string_view table) {
    constexpr std::size_t size_at = 0x0c;
    constexpr std::size_t large_size_at = 0x1c;
    constexpr std::size_t speed_at = 0x20;
    constexpr std::uint32_t unknown = 0xffff;
    constexpr std::uint32_t see_large_size = 0x7fff;
    if (table.size() < size_at + 2 || table[0] != 17) return std::nullopt;
    auto const length = std::min<std::size_t>(static_cast<unsigned char>(table[1]), table.size());
    auto const size = number_at(table, size_at, 2);
    MemoryModule module;
    if (size == unknown) return std::nullopt;
    if (size == see_large_size) {
        if (length < large_size_at + 4) return std::nullopt;
        module.size = Bytes{std::int64_t{number_at(table, large_size_at, 4) & 0x7fffffffU} << 20};
    } else {
        constexpr std::uint32_t in_kib = 0x8000;
        module.size = Bytes{std::int64_t{size & 0x7fffU} << ((size & in_kib) != 0 ? 10 : 20)};
    }
    if (length >= speed_at + 2) {
        auto const speed = number_at(table, speed_at, 2);
        if (speed != 0 && speed != unknown) module.speed_mts = speed;
    }
    return module;
}

MemoryModules read_memory_modules(Reader& reader) {
    MemoryModules modules;
    Bytes sum{};
    bool same_speed = true;
    for (auto const& entry : reader.names(std::string{dmi_entries_directory})) {
        if (!entry.starts_with("17-")) continue;
        auto const table = reader.files().read(format("{}/{}/raw", dmi_entries_directory, entry), 4_KiB);
        auto const module = table ? parse_memory_module(*table) : std::nullopt;
        if (!module) return {};
        if (module->size.count == 0) continue;
        sum += module->size;
        same_speed = same_speed && (!modules.speed_mts || modules.speed_mts == module->speed_mts);
        modules.speed_mts = module->speed_mts;
    }
    if (sum.count > 0) modules.installed = sum;
    if (!same_speed) modules.speed_mts.reset();
    return modules;
}

}  // namespace hal0::hardware
