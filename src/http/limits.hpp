#pragma once
// The bounds of this room that are not settings (those are ServerLimits), each with its unit in its name.
#include <chrono>
#include <cstddef>

#include "base/units.hpp"
#include "http/server.hpp"

namespace hal0::http {

inline constexpr std::size_t target_bytes_max = std::size_t{8} << 10;  // longer: 414
inline constexpr std::size_t method_bytes_max = 32;
inline constexpr std::size_t header_count_max = 100;                    // more: 431
inline constexpr std::size_t chunk_extension_bytes_max = 1024;          // of one chunk; ignored
inline constexpr std::size_t trailer_bytes_max = std::size_t{8} << 10;  // of one message; ignored
inline constexpr std::size_t scratch_bytes = std::size_t{64} << 10;     // one shared read buffer a loop
inline constexpr int reads_per_turn_max = 8;                            // of one socket, then others' turn
inline constexpr std::size_t skipped_body_bytes_max = scratch_bytes;    // an unwanted rest: skip or close
inline constexpr std::size_t body_first_bytes = scratch_bytes;          // first size of a body's buffer
inline constexpr std::size_t body_read_bytes_max = std::size_t{512} << 10;  // of one read into a body
inline constexpr std::size_t inbound_spare_max = 64;                        // request buffers kept for reuse
inline constexpr std::size_t inbound_spare_bytes_max = std::size_t{16} << 10;  // of one that is kept
inline constexpr int sse_send_buffer_bytes = 128
                                             << 10;   // else the kernel hides megabytes of a stalled stream
inline constexpr std::size_t upstream_idle_max = 64;  // pooled connections to one worker
inline constexpr std::size_t accepts_per_turn_max = 64;

inline constexpr Duration upstream_idle_timeout = std::chrono::seconds{4};  // llama-server closes after 5 s
inline constexpr Duration connect_timeout = std::chrono::seconds{5};
inline constexpr Duration connect_retry_pause = std::chrono::milliseconds{20};  // a unix backlog that is full
inline constexpr Duration linger_timeout = std::chrono::seconds{2};  // for a client to read our last words
inline constexpr Duration accept_pause = std::chrono::milliseconds{100};  // out of descriptors
inline constexpr Duration wheel_tick = std::chrono::milliseconds{50};     // how exact deadlines are
inline constexpr std::size_t wheel_slots = 256;

static_assert(target_bytes_max < head_bytes_max);
static_assert(body_first_bytes >= scratch_bytes, "what was read with the head fits a body's first buffer");

}  // namespace hal0::http
