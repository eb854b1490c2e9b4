#pragma once
// What hal0-planner (engines/planner/) is asked and what it answers, one line each. Pure.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "base/units.hpp"
#include "engines/plan_request.hpp"

namespace hal0::engines {

// What the engine would allocate of one kind of buffer.
struct BufferPlan {
    std::string device{};  // planned_host, or the engine's own name of a GPU ("Vulkan0", "CUDA0")
    std::string buffer{};  // the engine's name of the kind ("CPU", "CUDA_Host")
    Bytes model{};         // weights
    Bytes context{};       // key and value cache, recurrent state
    Bytes compute{};
    std::optional<Bytes> largest_allocation{};  // that the device takes at a time, where it has such a limit
    bool operator==(BufferPlan const&) const = default;
};
inline constexpr std::string_view planned_host = "Host";  // memory of the host, whichever backend's

struct Plan {
    Tokens context{};               // what the engine makes of the one asked for
    Tokens context_per_sequence{};  // what one request can use of it
    // Results of the largest batch, in host memory beside the buffers: taken when such a batch comes, and
    // kept.
    std::optional<Bytes> output{};
    std::vector<BufferPlan> buffers{};
    bool operator==(Plan const&) const = default;
};

// The same, added up by device; the host last.
struct DevicePlan {
    std::string name{};
    Bytes model{};
    Bytes context{};
    Bytes compute{};
    std::optional<Bytes> largest_allocation{};  // the smallest of its buffers' limits
    bool operator==(DevicePlan const&) const = default;
};
std::vector<DevicePlan> by_device(Plan const& plan);

// The settings of the request but its context, as the planner reads them. Two requests with one line get one
// answer: what the planner knows nothing of (cache_ram) is not in it.
std::string settings_line(PlanRequest const& request);
std::string question(PlanRequest const& request, Tokens context);

// Errors say what the engine said: Unsupported for settings that it does not take, Corrupt for a file that it
// can't read or an answer that is none, Unavailable when it gave up and ended, Internal for a question that
// the planner doesn't understand.
Result<Plan> decode_answer(std::string_view line);
// A plan as the planner writes it, for keeping.
std::string encode(Plan const& plan);

}  // namespace hal0::engines
