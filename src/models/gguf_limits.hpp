#pragma once
// What is believed of a GGUF file's header before it is refused. Nothing is allocated for a count alone: each
// thing that a header says it has costs bytes that must be there.
#include <cstdint>

namespace hal0::models::gguf {

// A header holds a vocabulary and its merges: 20 MB at most in models seen.
inline constexpr std::uint64_t header_bytes_max = std::uint64_t{256} << 20;
inline constexpr std::uint64_t text_bytes_max = std::uint64_t{64} << 10;  // of a key, a name, an architecture
inline constexpr std::uint64_t text_kept_bytes_max = std::uint64_t{1} << 10;  // longer values are skipped
inline constexpr std::uint64_t numbers_kept_max = std::uint64_t{1}
                                                  << 12;  // in an array: one a layer, not one a token
inline constexpr std::uint64_t keys_max = std::uint64_t{1} << 16;
inline constexpr std::uint64_t tensors_max = std::uint64_t{1} << 20;
inline constexpr std::uint64_t alignment_max = std::uint64_t{1} << 20;
inline constexpr std::uint64_t shards_max = 1000;
// Of a file's tensors, where they end and all together: no disk is so large, and no sum over shards
// overflows.
inline constexpr std::uint64_t data_bytes_max = std::uint64_t{1} << 44;

static_assert(text_kept_bytes_max <= text_bytes_max);
static_assert(text_bytes_max < header_bytes_max);
static_assert(data_bytes_max * shards_max < std::uint64_t{1} << 60);

}  // namespace hal0::models::gguf
