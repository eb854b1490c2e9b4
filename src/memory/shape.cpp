#include "memory/shape.hpp"

#include <algorithm>
#include <utility>

#include "base/format.hpp"
#include "memory/hyper.hpp"
#include "memory/sizes.hpp"

namespace hal0::memory {
namespace {

constexpr std::int64_t compressed_4 = 4, compressed_128 = 128;  // DSV4_CSA_RATIO, DSV4_HCA_RATIO

std::int64_t largest(std::vector<std::int64_t> const& values) {
    return values.empty() ? 0 : *std::ranges::max_element(values);
}

// These have none of the filters that the others with an indexer have, for whatever their context is.
bool is_unfiltered(Hyper const& h) { return h.name == "hy_v4" || h.name == "minimax-m3"; }

// Which layers the cache is made for: the filters of create_memory. MTP layers have a context of their own.
bool attends(Hyper const& h, std::size_t layer) {
    auto const il = static_cast<std::int64_t>(layer);
    auto const& rules = h.rules;
    if (il >= h.kv_layers) return false;
    switch (rules.memory) {
        case Memory::Encoder:
        case Memory::Diffusion:
        case Memory::Recurrent: return false;
        case Memory::Compressed: return true;
        case Memory::Hybrid:
            if (rules.recurs == Recurs::WithAttention) return true;
            if (rules.recurs == Recurs::WithoutHeadsOrFfn) {
                return !h.recurs[layer] && h.feed_forward[layer] == 0;
            }
            if (rules.recurs == Recurs::ByInterval || rules.indexer != Indexer::None) {
                return il < h.layers && !h.recurs[layer];
            }
            return !h.recurs[layer];
        case Memory::Cache: break;
    }
    return h.router || h.layers == 0 || is_unfiltered(h) || il < h.layers;
}

void add_recurrent(Hyper const& h, std::size_t layer, LayerShape& shape) {
    bool const holds = h.rules.memory == Memory::Recurrent || h.rules.memory == Memory::Hybrid;
    if (!holds || !h.recurs[layer]) return;
    shape.states = {h.conv_state, h.scan_state};
    if (std::ranges::find(h.histories, static_cast<std::int64_t>(layer)) != h.histories.end())
        shape.states.push_back(h.history_state);
}

// llama-kv-cache-dsv4.cpp: beside a window of all tokens, each layer keeps one row for every 4 or 128, and
// the state of what makes them: keys and scores, for each sequence.
void add_compressed(Hyper const& h, std::size_t layer, LayerShape& shape) {
    shape.value_row = 0;
    shape.compress = h.compress[layer];
    bool const in_trunk = static_cast<std::int64_t>(layer) < h.layers;
    auto const add_state = [&](std::int64_t rows, std::int64_t row) {
        if (in_trunk) shape.states.insert(shape.states.end(), 2, product({rows, row}));
    };
    if (shape.compress == compressed_4) {
        shape.index_key_row = h.index_size;
        add_state(2 * compressed_4, 2 * h.key_size_sliding);
        add_state(2 * compressed_4, 2 * h.index_size);
    } else if (shape.compress == compressed_128) {
        add_state(compressed_128, h.key_size_sliding);
    } else {
        shape.compress = 0;
    }
}

LayerShape layer_shape(Hyper const& h, std::size_t layer) {
    LayerShape shape;
    add_recurrent(h, layer, shape);
    if (!attends(h, layer)) return shape;
    shape.attention = h.slides[layer] ? Attention::Sliding : Attention::Global;
    shape.key_row = h.key_row(layer);
    shape.value_row = h.latent ? 0 : h.value_row(layer);
    if (h.indexes[layer]) {
        shape.index_key_row = h.slides[layer] ? h.key_size_sliding : h.index_size;
        if (!h.latent && h.rules.memory == Memory::Cache) shape.index_value_row = h.value_size;
    }
    if (h.rules.memory == Memory::Compressed) add_compressed(h, layer, shape);
    return shape;
}

// Of an architecture unknown here: every layer caches all that any could, for every token.
LayerShape worst_layer(Hyper const& h) {
    auto const heads = std::max({std::int64_t{1}, largest(h.heads), largest(h.kv_heads)});
    auto const kv_heads = largest(h.kv_heads) > 0 ? largest(h.kv_heads) : heads;
    auto const size =
        std::max({h.embedding / heads, h.key_size, h.value_size, h.key_size_sliding, h.value_size_sliding});
    LayerShape shape{.attention = Attention::Global,
                     .key_row = kv_heads * size,
                     .value_row = kv_heads * size,
                     .index_key_row = h.index_size,
                     .index_value_row = h.index_size};
    if (h.conv_state + h.scan_state > 0) shape.states = {h.conv_state, h.scan_state};
    return shape;
}

// Their context is a plain cache of keys and values, or keys alone, whatever the trunk's is (create_memory,
// LLAMA_CONTEXT_TYPE_MTP); of those that aren't asked which context it is, the trunk's over again.
std::vector<LayerShape> drafting_layers(Hyper const& h) {
    std::vector<LayerShape> layers;
    auto const first = static_cast<std::size_t>(h.layers);
    if (is_unfiltered(h) && first < h.heads.size()) {
        for (std::size_t layer = 0; layer < h.heads.size(); ++layer)
            layers.push_back(layer_shape(h, layer));
        return layers;
    }
    for (auto layer = first; layer < h.heads.size() && !h.router; ++layer) {
        if (!h.known) {
            layers.push_back(worst_layer(h));
            continue;
        }
        layers.push_back({.attention = Attention::Global,
                          .key_row = h.key_row(layer),
                          .value_row = h.latent ? 0 : h.value_row(layer),
                          .index_key_row = h.index_size});
    }
    return layers;
}

std::int64_t vocabulary(Keys const& keys, models::GgufMetadata const& metadata) {
    auto const* const tokens = metadata.array("tokenizer.ggml.tokens");
    auto const count = tokens != nullptr ? static_cast<std::int64_t>(tokens->count) : 0;
    return count > 0 ? count : keys.number("vocab_size").value_or(0);
}

void add_widths(ModelShape& shape, Hyper const& h, Keys const& keys, models::GgufMetadata const& metadata) {
    std::vector<std::int64_t> const none(h.heads.size(), 0);
    shape.vocabulary = vocabulary(keys, metadata);
    shape.embedding = h.embedding;
    auto const streams = std::max<std::int64_t>(keys.number("hyper_connection.count").value_or(1), 1);
    shape.embedding_out = keys.number("embedding_length_out").value_or(product({streams, h.embedding}));
    shape.heads = largest(h.heads);
    shape.query_row = product({shape.heads, std::max(h.key_size, h.key_size_sliding)});
    shape.recurrent_row = h.scan_row;
    shape.index_heads = h.index_size > 0 ? keys.number("attention.indexer.head_count").value_or(0) : 0;
    shape.feed_forward = largest(h.feed_forward);
    shape.experts = keys.number("expert_count").value_or(0);
    shape.experts_used = largest(keys.each("expert_used_count", none));
    shape.expert_feed_forward = largest(keys.each("expert_feed_forward_length", none));
    if (h.latent || shape.memory == Memory::Compressed) return;  // keys alone are cached
    for (std::size_t i = 0; i < h.heads.size(); ++i) {
        shape.value_row_max = std::max(shape.value_row_max, h.value_row(i));
        auto const size = h.slides[i] ? h.value_size_sliding : h.value_size;
        shape.index_value_row_max = std::max(shape.index_value_row_max, size);
    }
}

}  // namespace

Result<ModelShape> model_shape(models::GgufModel const& model) {
    HAL0_TRY(h, hyper(model));
    Keys const keys{model.metadata, h.name};
    ModelShape shape{.architecture = h.name,
                     .memory = h.rules.memory,
                     .exactness = h.known ? Exactness::Exact : Exactness::Bound,
                     .window = {h.window},
                     .context_trained = {keys.number("context_length").value_or(0)},
                     .causal = keys.flag("attention.causal", true),
                     .has_encoder = h.name == "t5" || h.name == "t5encoder",
                     .can_fuse = h.name != "grok"};  // llama_init_from_model turns it off
    for (std::size_t i = 0; i < h.heads.size(); ++i)
        shape.layers.push_back(h.known ? layer_shape(h, i) : worst_layer(h));
    shape.drafting = drafting_layers(h);
    add_widths(shape, h, keys, model.metadata);
    return shape;
}

}  // namespace hal0::memory
