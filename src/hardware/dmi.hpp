#pragma once
// The memory modules by the firmware's tables (SMBIOS type 17), where this user may read them: mostly only
// root.
#include <optional>
#include <string_view>

#include "hardware/reader.hpp"

namespace hal0::hardware {

inline constexpr std::string_view dmi_entries_directory = "/sys/firmware/dmi/entries";

struct MemoryModules {
    std::optional<Bytes> installed{};         // nothing where any module's size isn't known
    std::optional<std::int64_t> speed_mts{};  // as set now, where all are the same
};
MemoryModules read_memory_modules(Reader& reader);

struct MemoryModule {
    Bytes size{};  // 0: an empty place
    std::optional<std::int64_t> speed_mts{};
};
// One table, as the kernel gives it raw; nothing where it isn't one of type 17 or has no size.
std::optional<MemoryModule> parse_memory_module(std::string_view table);

}  // namespace hal0::hardware
