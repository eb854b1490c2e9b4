#pragma once
// What the doctor looks at. All of it was read before: nothing here opens a file.
#include <optional>
#include <string>
#include <vector>

#include "hardware/conditions.hpp"
#include "hardware/counters.hpp"
#include "hardware/report.hpp"

namespace hal0::doctor {

struct Facts {
    hardware::HardwareReport report{};
    hardware::MemoryCounters counters{};
    hardware::Conditions conditions{};
    // GPU pages that no process is known to hold, where somebody has counted.
    struct Unattributed {
        Bytes bytes{};
        bool all_seen{true};  // false: some processes may not be looked at, and may hold them
    };
    std::optional<Unattributed> gtt_unattributed{};
    // A file of hal0's own that can't be used as it is.
    struct OwnFile {
        std::string path{};
        std::string fault{};
        std::string fix{};  // a line for a shell
        bool needed{true};  // hal0 doesn't start as long as it is so
    };
    std::vector<OwnFile> own_files{};
};

}  // namespace hal0::doctor
