#pragma once
// What to serve chat models with on a box: decided from its report alone.
#include "hardware/report.hpp"

namespace hal0::hardware {

// What works on the box as it is now; the reason says what stands in the way of better.
Recommendation recommend(HardwareReport const& report);

}  // namespace hal0::hardware
