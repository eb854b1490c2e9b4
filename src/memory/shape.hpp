#pragma once
// What decides the size of a model's memory beside its weights, read from its metadata as llama.cpp does.
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "memory/architectures.hpp"
#include "memory/estimate.hpp"
#include "models/gguf_model.hpp"

namespace hal0::memory {

enum class Attention : std::uint8_t { None, Global, Sliding };

// What one layer caches. A row is how many numbers are kept for a token.
struct LayerShape {
    Attention attention{Attention::None};
    std::int64_t key_row{0};
    std::int64_t value_row{0};  // 0 where it is read off the keys (MLA)
    std::int64_t index_key_row{0};
    std::int64_t index_value_row{0};
    std::int64_t compress{0};  // DeepSeek-V4: a second cache, of every n-th token
    std::vector<std::int64_t>
        states{};  // numbers of each recurrent state, for a sequence, whatever its length
    bool operator==(LayerShape const&) const = default;
};

struct ModelShape {
    std::string architecture{};
    Memory memory{Memory::Cache};
    Exactness exactness{Exactness::Bound};  // Bound: of an architecture unknown here, taken at its worst
    std::vector<LayerShape> layers{};
    std::vector<LayerShape> drafting{};  // layers that predict further tokens (MTP), at their most
    Tokens window{};                     // of sliding layers
    Tokens context_trained{};
    bool causal{true};
    bool has_encoder{false};  // and so an output for every token
    bool can_fuse{true};      // takes flash attention
    // What every layer's values are padded to without flash attention; 0 where keys alone are cached.
    std::int64_t value_row_max{0};
    std::int64_t index_value_row_max{0};

    // For the buffers of computing.
    std::int64_t vocabulary{0};
    std::int64_t embedding{0};
    std::int64_t embedding_out{0};  // with all streams of a hyper-connection
    std::int64_t heads{0};          // the most of any layer
    std::int64_t query_row{0};      // heads times the size of a key
    std::int64_t recurrent_row{0};  // what goes into a recurrent layer's scan
    std::int64_t index_heads{0};
    std::int64_t feed_forward{0};  // the widest
    std::int64_t experts{0};
    std::int64_t experts_used{0};
    std::int64_t expert_feed_forward{0};
    bool operator==(ModelShape const&) const = default;
};

// Unsupported: no language model, or one that doesn't say what every one does. Corrupt: what it says can't
// be.
Result<ModelShape> model_shape(models::GgufModel const& model);

}  // namespace hal0::memory
