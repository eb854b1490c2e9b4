#include "memory/hyper.hpp"

#include <algorithm>
#include <utility>

#include "base/format.hpp"
#include "memory/sizes.hpp"

namespace hal0::memory {
namespace {

std::size_t at(std::int64_t layer) { return static_cast<std::size_t>(layer); }

bool believable(std::int64_t number) { return number >= 0 && number <= number_max; }

std::int64_t first_or_zero(std::vector<std::int64_t> const& values) { return values.empty() ? 0 : values[0]; }

// --- which layers do what --------------------------------------------------------------------------------

bool any_slides(Sliding const& rule, Keys const& keys, std::int64_t layers) {
    auto const window = keys.number("attention.sliding_window");
    switch (rule.when) {
        case Slides::Never: return false;
        case Slides::Always: return true;
        case Slides::WithWindow: return window.value_or(0) > 0;
        case Slides::UnlessZero: return window.value_or(1) > 0;
        case Slides::With64Layers: return layers == 64;
    }
    return false;
}

// load_swa_pattern and set_swa_pattern
void read_sliding(Hyper& h, Keys const& keys) {
    auto const& rule = h.rules.sliding;
    h.slides.assign(at(h.layers_all), false);
    if (!any_slides(rule, keys, h.layers)) return;
    auto const window = keys.number("attention.sliding_window").value_or(rule.window);
    h.window = rule.window_is_fixed ? rule.window : window;
    constexpr auto key = "attention.sliding_window_pattern";
    if (auto const* const array = keys.array(key)) {
        for (std::size_t i = 0; i < h.slides.size() && i < array->numbers.size(); ++i)
            h.slides[i] = array->numbers[i] != 0;
        return;
    }
    auto const period = keys.number(key).value_or(rule.period);
    for (std::int64_t i = 0; i < h.layers; ++i) {
        bool const dense =
            period != 0 && i % period == (rule.pattern == Pattern::DenseFirst ? 0 : period - 1);
        h.slides[at(i)] = !dense;
    }
    if (h.rules.memory == Memory::Compressed) h.slides.assign(at(h.layers_all), true);  // deepseek4.cpp
}

bool recurs_by_interval(Hyper const& h, Keys const& keys, std::int64_t layer) {
    if (auto const* const array = keys.array("attention.recurrent_layers")) {
        return at(layer) < array->numbers.size() && array->numbers[at(layer)] != 0;
    }
    auto const interval =
        std::max<std::int64_t>(keys.number("full_attention_interval").value_or(h.rules.interval), 1);
    return (layer + 1) % interval != 0;
}

void read_recurrent(Hyper& h, Keys const& keys) {
    h.recurs.assign(at(h.layers_all), false);
    for (std::int64_t i = 0; i < h.layers; ++i) {
        bool const no_heads = h.kv_heads[at(i)] == 0;
        switch (h.rules.recurs) {
            case Recurs::Never: break;
            case Recurs::Always:
            case Recurs::WithAttention: h.recurs[at(i)] = true; break;
            case Recurs::WithoutKvHeads: h.recurs[at(i)] = no_heads; break;
            case Recurs::WithoutHeadsOrFfn: h.recurs[at(i)] = no_heads && h.feed_forward[at(i)] == 0; break;
            case Recurs::ByInterval: h.recurs[at(i)] = recurs_by_interval(h, keys, i); break;
        }
    }
}

// glm-dsa.cpp: GLM_5_2_DEFAULT_INDEXER_TYPES, for files made before attention.indexer.types was written
bool glm_indexes(std::int64_t layer, std::int64_t context_trained) {
    constexpr std::int64_t context_of_5_2 = 1048576;
    return context_trained < context_of_5_2 || layer < 2 || (layer - 2) % 4 == 0;
}

bool indexes(Hyper const& h, Keys const& keys, std::int64_t layer) {
    switch (h.rules.indexer) {
        case Indexer::None: return false;
        case Indexer::All: return true;
        case Indexer::Attention: return !h.recurs[at(layer)];
        case Indexer::AfterDense: return layer >= keys.number("leading_dense_block_count").value_or(0);
        case Indexer::Full: break;
    }
    if (h.recurs[at(layer)]) return false;
    if (auto const* const types = keys.array("attention.indexer.types")) {
        return at(layer) < types->numbers.size() && types->numbers[at(layer)] != 0;
    }
    if (auto const type = keys.number("attention.indexer.types")) return *type != 0;
    if (h.name == "glm-dsa") return glm_indexes(layer, keys.number("context_length").value_or(0));
    return h.name == "glm5-next";
}

void read_indexer(Hyper& h, Keys const& keys) {
    h.indexes.assign(at(h.layers_all), false);
    auto const size = keys.number("attention.indexer.key_length").value_or(0);
    h.index_size = size;
    // A full-attention checkpoint of hy_v4 has no indexer.
    if (h.name == "hy_v4" && keys.number("attention.indexer.top_k").value_or(0) == 0) return;
    auto const last = h.rules.indexer == Indexer::AfterDense ? h.layers_all : h.layers;
    for (std::int64_t i = 0; i < last && size > 0; ++i)
        h.indexes[at(i)] = indexes(h, keys, i);
    // Tokens are pooled, and both are kept: glm5-next.cpp key, gate and pool, qwen4exp.cpp key and pool.
    if (h.name == "glm5-next" && keys.number("attention.indexer.kpool").value_or(0) > 0) h.index_size *= 3;
    if (h.name == "qwen4exp" && std::ranges::any_of(h.compress, [](auto ratio) { return ratio != 0; }))
        h.index_size *= 2;
}

// --- sizes -----------------------------------------------------------------------------------------------

void read_heads(Hyper& h, Keys const& keys) {
    std::vector<std::int64_t> const none(at(h.layers_all), 0);
    h.heads = keys.each("attention.head_count", none);
    h.kv_heads = keys.each("attention.head_count_kv", h.heads);
    h.feed_forward = keys.each("feed_forward_length", none);
    auto const heads = first_or_zero(h.heads);
    // plamo2.cpp reads them again, for its first layer has no heads
    if (heads > 0 || h.name == "plamo2") {
        auto const size = heads > 0 ? h.embedding / heads : 0;
        h.key_size = keys.number("attention.key_length").value_or(size);
        h.value_size = keys.number("attention.value_length").value_or(size);
    }
    h.key_size_sliding = keys.number("attention.key_length_swa").value_or(h.key_size);
    h.value_size_sliding = keys.number("attention.value_length_swa").value_or(h.value_size);
    h.latent = keys.number("attention.key_length_mla").value_or(0) > 0 &&
               keys.number("attention.value_length_mla").value_or(0) > 0;
}

// n_embd_r and n_embd_s of src/llama-hparams.cpp
void read_states(Hyper& h, Keys const& keys) {
    auto const heads = first_or_zero(h.heads);
    if (auto const head = keys.number("wkv.head_size").value_or(0); head > 0) {  // RWKV
        h.conv_state = product({keys.number("token_shift_count").value_or(2), h.embedding});
        h.scan_state = product({h.embedding, head});
        h.scan_row = h.embedding;
        return;
    }
    auto const kernel = keys.number("ssm.conv_kernel").value_or(0);
    auto const inner = keys.number("ssm.inner_size").value_or(0);
    auto const state = keys.number("ssm.state_size").value_or(0);
    auto const groups = keys.number("ssm.group_count").value_or(0);
    h.scan_state = product({state, inner});
    h.scan_row = inner + product({2, groups, state});
    h.conv_state = product({std::max<std::int64_t>(kernel - 1, 0), h.scan_row});
    if (auto const cells = keys.number("shortconv.l_cache").value_or(0); cells > 0) {  // LFM2
        h.conv_state = product({h.embedding, cells - 1});
    } else if (auto const head = keys.number("kda.head_dim").value_or(0);
               head > 0) {  // Kimi's delta attention
        h.conv_state = product({3, kernel > 0 ? kernel - 1 : 3, heads, head});
        h.scan_state = product({head, head, heads});
        h.scan_row = product({3, heads, head});
    } else if (h.name == "minimax-01") {  // n_embd_head_la
        h.scan_state = product({h.key_size, h.key_size, heads});
    }
}

// qwen4exp.cpp: a history of n-grams, for the layers that it names
void read_history(Hyper& h, Keys const& keys) {
    h.compress = keys.each("attention.compress_ratios", std::vector<std::int64_t>(at(h.layers_all), 0));
    auto const* const named = keys.array("ple.layers");
    if (named == nullptr || h.name != "qwen4exp") return;
    h.histories = named->numbers;
    h.history_state = product({std::max<std::int64_t>(keys.number("ple.conv_kernel").value_or(0) - 1, 0),
                               keys.number("ple.ngram_size").value_or(0),
                               keys.number("hyper_connection.count").value_or(0), h.embedding});
}

// --- layers there are ------------------------------------------------------------------------------------

Result<void> read_layers(Hyper& h, Keys const& keys, models::GgufTensors const& tensors) {
    auto const blocks = keys.number("block_count");
    auto const embedding = keys.number("embedding_length");
    if (!blocks || !embedding) {
        return Error{
            Errc::Unsupported,
            format("a model of the architecture {} that doesn't say how many layers it has, and how wide",
                   h.name)};
    }
    auto const ahead = keys.number("nextn_predict_layers").value_or(0);
    if (*blocks < 1 || *blocks > layers_max || ahead > *blocks) {
        return Error{Errc::Corrupt,
                     format("a model that says it has {} layers, {} of them to predict further tokens",
                            *blocks, ahead)};
    }
    h.embedding = *embedding;
    h.layers_all = *blocks;
    h.layers = *blocks - ahead;
    // deepseek4.cpp: converters write the count also where they leave the layers out
    if (h.name == "deepseek4" && ahead > 0) {
        auto const probe = format("blk.{}.nextn.eh_proj.weight", h.layers);
        if (std::ranges::find(tensors, probe, &models::GgufTensor::name) == tensors.end()) h.layers = *blocks;
    }
    return {};
}

// Layers that are in no file: hparams are changed after the keys have been read.
Result<void> add_layers(Hyper& h, Keys const& keys) {
    if (h.name == "graniteswitch") {
        h.router = h.layers;
        h.layers_all = h.layers + 1;
        for (auto* const each : {&h.heads, &h.kv_heads}) {
            each->resize(at(h.layers));
            each->push_back(1);
        }
        h.feed_forward.resize(at(h.layers_all));
        return {};
    }
    auto const loops = h.name == "nanbeige" ? keys.number("num_loops").value_or(1) : 1;
    if (loops < 1 || loops > layers_max || h.layers_all * loops > layers_max) {
        return Error{Errc::Corrupt,
                     format("a model that goes {} times through {} layers", loops, h.layers_all)};
    }
    for (auto* const each : {&h.heads, &h.kv_heads, &h.feed_forward}) {
        auto const once = *each;
        for (std::int64_t i = 1; i < loops; ++i)
            each->insert(each->end(), once.begin(), once.end());
    }
    h.layers_all *= loops;
    h.layers *= loops;
    return {};
}

// Rows are products of what the file says; a file can say anything.
Result<void> check_rows(Hyper const& h) {
    auto const row = [](std::int64_t heads, std::int64_t size) {
        std::int64_t numbers = 0;
        return !__builtin_mul_overflow(heads, size, &numbers) && numbers <= row_numbers_max;
    };
    auto const heads = std::max(*std::ranges::max_element(h.heads), *std::ranges::max_element(h.kv_heads));
    auto const size = std::max({h.key_size, h.value_size, h.key_size_sliding, h.value_size_sliding});
    if (row(heads, size) && row(h.index_size, 1) && row(h.embedding, 1)) return {};
    return Error{Errc::Corrupt, format("a model that says it has {} heads of {} numbers", heads, size)};
}

}  // namespace

std::optional<std::int64_t> Keys::number(std::string_view key) const {
    auto const found = metadata_.integer(full(key));
    return found && believable(*found) ? found : std::nullopt;
}

bool Keys::flag(std::string_view key, bool otherwise) const {
    return metadata_.flag(full(key)).value_or(otherwise);
}

models::GgufArray const* Keys::array(std::string_view key) const { return metadata_.array(full(key)); }

std::vector<std::int64_t> Keys::each(std::string_view key, std::vector<std::int64_t> otherwise) const {
    if (auto const one = number(key)) return std::vector<std::int64_t>(otherwise.size(), *one);
    auto const* const found = array(key);
    if (found == nullptr || found->numbers.empty()) return otherwise;
    auto numbers = found->numbers;
    for (auto& each : numbers)
        each = believable(each) ? each : 0;
    if (numbers.size() == otherwise.size()) return numbers;
    return std::vector<std::int64_t>(otherwise.size(), *std::ranges::max_element(numbers));
}

std::int64_t Hyper::key_row(std::size_t layer) const {
    return kv_heads[layer] * (slides[layer] ? key_size_sliding : key_size);
}

std::int64_t Hyper::value_row(std::size_t layer) const {
    return kv_heads[layer] * (slides[layer] ? value_size_sliding : value_size);
}

Result<Hyper> hyper(models::GgufModel const& model) {
    Hyper h{.name = model.metadata.text("general.architecture").value_or("")};
    if (h.name.empty()) return Error{Errc::Corrupt, "a model that doesn't say its architecture"};
    auto const rules = architecture(h.name);
    h.known = rules.has_value();
    h.rules = rules.value_or(Architecture{});
    Keys const keys{model.metadata, h.name};
    HAL0_CHECK(read_layers(h, keys, model.tensors));
    read_heads(h, keys);
    HAL0_CHECK(add_layers(h, keys));
    read_sliding(h, keys);
    read_recurrent(h, keys);
    read_history(h, keys);
    read_indexer(h, keys);
    read_states(h, keys);
    h.kv_layers = h.layers_all;
    if (h.name == "gemma3n") h.kv_layers = std::min<std::int64_t>(20, h.layers_all);
    if (h.name == "gemma4")
        h.kv_layers -= std::min(h.layers_all, keys.number("attention.shared_kv_layers").value_or(0));
    HAL0_CHECK(check_rows(h));
    return h;
}

}  // namespace hal0::memory
