#pragma once
// What the doctor looks at. All of it was read before: nothing here opens a file.
#include <optional>

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
};

}  // namespace hal0::doctor
