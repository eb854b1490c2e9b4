#pragma once
// What the benchmarks time by.
#include <algorithm>
#include <chrono>
#include <cstddef>
#include <vector>

#include "base/time.hpp"

namespace hal0 {

inline double us_since(TimePoint begin) {
    return std::chrono::duration<double, std::micro>{Clock::now() - begin}.count();
}

inline double median(std::vector<double> values) {
    auto const middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
    std::nth_element(values.begin(), middle, values.end());
    return *middle;
}

}  // namespace hal0
