#pragma once
// Whether a slot has become slower than it was by itself, and the likely cause. Pure.
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/units.hpp"

namespace hal0::history {

// How quick one request was that had its slot for itself.
struct Speed {
    double tokens_per_s{0};
    std::int64_t context{0};  // tokens: its prompt and its answer
    bool operator==(Speed const&) const = default;
};

// What a slot did before, on the settings that it has now; the oldest first.
struct Baseline {
    std::vector<Speed> requests{};
    std::vector<double> load_seconds{};
};

inline constexpr double slower_by = 0.3;           // less than that happens on any box
inline constexpr std::size_t slow_in_a_row = 5;    // requests, all of them
inline constexpr std::size_t baseline_least = 10;  // requests that are like them
inline constexpr std::int64_t tokens_least = 16;   // of an answer: a shorter one tells no pace
inline constexpr std::size_t baseline_loads_least = 3;

struct Slowdown {
    double now{0};    // tokens/s, the median of the last ones
    double usual{0};  // … of those before
    // Those before had other contexts: the requests have grown, not the slot slower.
    std::optional<std::int64_t> usual_context{};
    std::int64_t context{0};  // of the last ones, the median
};
// Of the last slow_in_a_row of `recent` against the requests of similar context in `before`; where those are
// too few, against all, if these have much longer contexts.
std::optional<Slowdown> slowdown(std::span<Speed const> recent, std::span<Speed const> before);

// What a load usually takes, where this one took half as long again, and seconds more.
std::optional<double> slow_load(double seconds, std::span<double const> before);

// What is known beside it.
struct Signs {
    Bytes swapped{};            // of its worker
    bool others_too{false};     // each other slot that is asked is slow as well
    bool loaded_slowly{false};  // this time
};
struct Advice {
    std::string cause{};
    std::string remedy{};
};
Advice advise(std::string const& slot, Slowdown const& found, Signs const& signs);

double median(std::vector<double> values);  // 0 of none

}  // namespace hal0::history
