#pragma once
// What a plan of memory is made for: the settings that decide what an engine allocates for a model. Defaults
// are llama-server's own.
#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "base/units.hpp"

namespace hal0::engines {

// The types that a key or value cache can have, by the names that engines give them.
// NOLINTNEXTLINE(readability-identifier-naming)
enum class KvType : std::uint8_t { F32, F16, BF16, Q8_0, Q5_1, Q5_0, Q4_1, Q4_0, IQ4_NL };
inline constexpr std::array<std::string_view, 9> kv_type_names{"f32",  "f16",  "bf16", "q8_0",  "q5_1",
                                                               "q5_0", "q4_1", "q4_0", "iq4_nl"};
constexpr std::string_view to_string(KvType type) { return kv_type_names[static_cast<std::size_t>(type)]; }
constexpr std::optional<KvType> kv_type_from(std::string_view name) {
    for (std::size_t i = 0; i < kv_type_names.size(); ++i) {
        if (kv_type_names[i] == name) return static_cast<KvType>(i);
    }
    return std::nullopt;
}

enum class FlashAttention : std::uint8_t { Auto, On, Off };
constexpr std::string_view to_string(FlashAttention choice) {
    if (choice == FlashAttention::Auto) return "auto";
    return choice == FlashAttention::On ? "on" : "off";
}

inline constexpr std::int32_t all_gpu_layers = -1;
// Where a model can't go back in a text by itself (a sliding window, a recurrent state), the engine keeps
// copies of that for each sequence, in the host's memory: 32 by its own default, which is many times the
// context. The next question of a conversation needs one of the last few.
inline constexpr std::int32_t checkpoints_of_engine = 32;
inline constexpr std::int32_t checkpoints_wanted = 4;

// Who guesses the next tokens, which the model then checks all at once (speculative decoding).
enum class Drafter : std::uint8_t { None, Model, Mtp };  // Mtp: further layers of the model itself
inline constexpr std::int32_t drafted_usual = 3;         // llama-server's --spec-draft-n-max

struct PlanRequest {
    Tokens context{4096};      // of all sequences together, as --ctx-size has it
    std::int32_t parallel{1};  // sequences at a time
    bool unified_kv{false};    // they share one cache; else each has its part of the context
    Tokens ubatch{512};        // evaluated in one piece
    Tokens batch{2048};        // taken up in one piece
    KvType kv_type_k{KvType::F16};
    KvType kv_type_v{KvType::F16};
    FlashAttention flash_attention{FlashAttention::Auto};
    std::int32_t gpu_layers{all_gpu_layers};          // on the GPU, where there is one
    Bytes cache_ram{};                                // prompt cache in host memory, beside the context's own
    std::int32_t checkpoints{checkpoints_of_engine};  // of each sequence
    bool embeddings{false};  // serves embeddings or ranks, not text: outputs a whole batch
    Drafter drafter{Drafter::None};
    std::int32_t drafted{drafted_usual};  // tokens at a time, where somebody drafts
    bool of_mtp{false};  // what is asked for is the context of the layers that draft, and that alone
    bool operator==(PlanRequest const&) const = default;
};

}  // namespace hal0::engines
