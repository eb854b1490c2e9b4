#pragma once
// How much of the past is kept, and how much of it is in memory at a time.
#include <cstddef>
#include <cstdint>

#include "base/units.hpp"

namespace hal0::history {

// Rows of each kind, and the bytes of the file. Of what is over it the oldest goes.
struct Keep {
    std::int64_t events_max{20'000};
    std::int64_t loads_max{10'000};
    std::int64_t requests_max{200'000};
    Bytes size_max{128_MiB};
};

inline constexpr std::int64_t days_usual = 30;
inline constexpr std::int64_t days_most = 3'650;

inline constexpr Bytes cache_max = 512_KiB;        // SQLite's, of pages
inline constexpr std::size_t batch_records = 256;  // written as soon as so many wait; else after flush_pause
inline constexpr std::size_t queue_records_max =
    8192;  // that wait for a slow disk; more are dropped, and counted
inline constexpr std::int64_t prune_rows_max = 1'000;  // of one kind at a time: nobody waits long behind it
inline constexpr std::int64_t query_rows_max = 1'000;
inline constexpr std::size_t past_events_max = 2'048;      // that one client gets at once
inline constexpr std::size_t baseline_requests_max = 500;  // of a slot, the last ones
inline constexpr std::size_t baseline_loads_max = 50;
inline constexpr std::size_t why_bytes_max = 500;  // of a load's failure

static_assert(queue_records_max >= 4 * batch_records);

}  // namespace hal0::history
