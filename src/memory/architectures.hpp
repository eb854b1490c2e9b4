#pragma once
// What llama.cpp build 11434 does for each architecture that its metadata does not say: which layers cache
// what. Data, read off its src/models/*.cpp (load_arch_hparams) and src/llama-model.cpp (create_memory).
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace hal0::memory {

// The kind of memory that create_memory makes.
enum class Memory : std::uint8_t {
    Encoder,     // one pass over a text: nothing outlives a batch, and there are no logits
    Diffusion,   // nothing outlives a batch
    Cache,       // keys and values for each token
    Recurrent,   // a state for each sequence
    Hybrid,      // either, by the layer
    Compressed,  // DeepSeek-V4's: llama-kv-cache-dsv4.cpp
};

// Which layers look back over a window only, and cache no more than that.
enum class Slides : std::uint8_t {
    Never,
    Always,
    WithWindow,   // when attention.sliding_window is over 0
    UnlessZero,   // also when it is not there (llama4)
    With64Layers  // exaone4: its 32B alone
};
enum class Pattern : std::uint8_t { DenseLast, DenseFirst };
struct Sliding {
    Slides when{Slides::Never};
    // Each n-th layer looks back over everything; 0: none does. A period or an array in the file goes before
    // it.
    std::int64_t period{1};
    Pattern pattern{Pattern::DenseLast};
    std::int64_t window{0};       // where the file has none
    bool window_is_fixed{false};  // whatever the file has
};

// Which layers are recurrent.
enum class Recurs : std::uint8_t {
    Never,
    Always,
    WithAttention,      // every layer is both (falcon-h1)
    WithoutKvHeads,     // those whose head_count_kv is 0
    WithoutHeadsOrFfn,  // nemotron_h: some layers are neither
    ByInterval,         // recurrent_layers, or all but each n-th (full_attention_interval)
};

// Which layers have a cache for a sparse attention's indexer beside their own.
enum class Indexer : std::uint8_t { None, All, Full, Attention, AfterDense };

struct Architecture {
    std::string_view name{};
    Memory memory{Memory::Cache};
    Sliding sliding{};
    Recurs recurs{Recurs::Never};
    std::int64_t interval{0};  // for ByInterval, where the file has none
    Indexer indexer{Indexer::None};
};

std::optional<Architecture> architecture(std::string_view name);
std::span<Architecture const> architectures();            // those with rules of their own
std::span<std::string_view const> plain_architectures();  // full attention in every layer

}  // namespace hal0::memory
