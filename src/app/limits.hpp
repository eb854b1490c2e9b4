#pragma once
// The bounds of this room that are not settings, each with its unit in its name.
#include <algorithm>
#include <cstddef>

#include "http/server.hpp"

namespace hal0::app {

// Descriptors that clients never take: processes being started, logs, watches, files, idle connections to
// workers.
inline constexpr std::size_t descriptors_reserved = 256;
inline constexpr std::size_t connections_per_loop_max = http::ServerLimits{}.connections_max;

// How many clients each loop may have where the process may open so many descriptors: each client may need a
// connection to a worker besides its own. The others wait in the kernel's queue.
constexpr std::size_t connections_per_loop(std::size_t descriptors, std::size_t loops) {
    auto const for_clients = descriptors - std::min(descriptors, descriptors_reserved);
    return std::clamp(for_clients / 2 / loops, std::size_t{1}, connections_per_loop_max);
}

static_assert(connections_per_loop(1024, 1) == 384);
static_assert(connections_per_loop(4096, 2) == 960);
static_assert(connections_per_loop(std::size_t{1} << 20, 4) == connections_per_loop_max);
static_assert(connections_per_loop(100, 1) == 1, "slow is better than deaf");

}  // namespace hal0::app
