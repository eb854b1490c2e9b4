#include "models/bert_gguf.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "base/format.hpp"
#include "base/text.hpp"
#include "json/value.hpp"
#include "models/gguf_writer.hpp"
#include "models/safetensors.hpp"
#include "os/file.hpp"

namespace hal0::models {
namespace {

constexpr Bytes weights_max = 2_GiB;
constexpr Bytes small_file_max = 64_MiB;
constexpr std::uint32_t file_type_mostly_f16 = 1;  // llama_ftype, llama.h
constexpr std::uint32_t pooling_mean = 1;          // llama_pooling_type, llama.h
constexpr std::uint32_t pooling_rank = 4;
constexpr std::int32_t token_normal = 1;  // llama_token_type, llama.h
constexpr std::int32_t token_control = 3;

using Name = std::pair<std::string_view, std::string_view>;
constexpr std::array top_names{
    Name{"embeddings.word_embeddings.weight", "token_embd.weight"},
    Name{"embeddings.position_embeddings.weight", "position_embd.weight"},
    Name{"embeddings.token_type_embeddings.weight", "token_types.weight"},
    Name{"embeddings.LayerNorm.weight", "token_embd_norm.weight"},
    Name{"embeddings.LayerNorm.bias", "token_embd_norm.bias"},
};
constexpr std::array layer_names{
    Name{"attention.self.query", "attn_q"},
    Name{"attention.self.key", "attn_k"},
    Name{"attention.self.value", "attn_v"},
    Name{"attention.output.dense", "attn_output"},
    Name{"attention.output.LayerNorm", "attn_output_norm"},
    Name{"intermediate.dense", "ffn_up"},
    Name{"output.dense", "ffn_down"},
    Name{"output.LayerNorm", "layer_output_norm"},
};

// "encoder.layer.3.output.dense.weight" -> "blk.3.ffn_down.weight"; nothing for what the engine doesn't take.
std::optional<std::string> gguf_name(std::string_view name) {
    for (auto const& [from, to] : top_names) {
        if (from == name) return std::string{to};
    }
    constexpr std::string_view prefix = "encoder.layer.";
    if (!name.starts_with(prefix)) return std::nullopt;
    auto const rest = name.substr(prefix.size());
    auto const number = rest.substr(0, rest.find('.'));
    auto const last = rest.rfind('.');
    if (!to_int(number) || last <= number.size()) return std::nullopt;
    auto const inner = rest.substr(number.size() + 1, last - number.size() - 1);
    for (auto const& [from, to] : layer_names) {
        if (from == inner) return format("blk.{}.{}{}", number, to, rest.substr(last));
    }
    return std::nullopt;
}

struct Shape {  // config.json
    std::int64_t layers{0}, context{0}, width{0}, inner_width{0}, heads{0}, token_types{0};
    double norm_epsilon{0};
};

Result<Shape> read_shape(std::string const& path) {
    HAL0_TRY(text, os::read_file(path, small_file_max));
    HAL0_TRY(value, json::parse(text));
    Shape shape;
    json::ObjectReader in{value, ""};
    in.required("num_hidden_layers", shape.layers);
    in.required("max_position_embeddings", shape.context);
    in.required("hidden_size", shape.width);
    in.required("intermediate_size", shape.inner_width);
    in.required("num_attention_heads", shape.heads);
    in.required("type_vocab_size", shape.token_types);
    in.required("layer_norm_eps", shape.norm_epsilon);
    auto read = in.finish_lenient();
    if (!read) return in_context("reading " + path, std::move(read).error());
    return shape;
}

struct Vocabulary {
    std::vector<std::string> words{};  // as vocab.txt has them
    [[nodiscard]] Result<std::uint32_t> id(std::string_view word) const {
        auto const at = std::find(words.begin(), words.end(), word);
        if (at == words.end()) return Error{Errc::Corrupt, format("vocab.txt has no {}", word)};
        return static_cast<std::uint32_t>(at - words.begin());
    }
};

Result<Vocabulary> read_vocabulary(std::string const& path) {
    HAL0_TRY(text, os::read_file(path, small_file_max));
    Vocabulary vocabulary;
    std::string_view rest{text};
    if (rest.ends_with('\n')) rest.remove_suffix(1);
    for (auto const line : split(rest, '\n'))
        vocabulary.words.emplace_back(line.ends_with('\r') ? line.substr(0, line.size() - 1) : line);
    return vocabulary;
}

bool is_special(std::string_view word) {
    constexpr std::array special{"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"};
    return std::any_of(special.begin(), special.end(), [word](char const* one) { return word == one; });
}

// WordPiece marks what goes on within a word with ##; the engine marks what begins one with U+2581.
std::string engine_word(std::string const& word) {
    if (is_special(word)) return word;
    return word.starts_with("##") ? word.substr(2) : "\u2581" + word;
}

void write_shape(gguf::HeadWriter& out, std::string const& name, Shape const& shape, RerankHead head) {
    auto const number = [](std::int64_t value) { return static_cast<std::uint32_t>(value); };
    out.key("general.architecture", std::string_view{"bert"});
    out.key("general.name", std::string_view{name});
    out.key("general.license", std::string_view{"apache-2.0"});
    out.key("bert.block_count", number(shape.layers));
    out.key("bert.context_length", number(shape.context));
    out.key("bert.embedding_length", number(shape.width));
    out.key("bert.feed_forward_length", number(shape.inner_width));
    out.key("bert.attention.head_count", number(shape.heads));
    out.key("bert.attention.layer_norm_epsilon", static_cast<float>(shape.norm_epsilon));
    out.key("bert.attention.causal", false);
    out.key("general.file_type", file_type_mostly_f16);
    out.key("bert.pooling_type", head == RerankHead::None ? pooling_mean : pooling_rank);
    out.key("tokenizer.ggml.token_type_count", number(shape.token_types));
}

Result<void> write_vocabulary(gguf::HeadWriter& out, Vocabulary const& vocabulary) {
    out.key("tokenizer.ggml.model", std::string_view{"bert"});
    out.key("tokenizer.ggml.pre", std::string_view{"bert-bge"});
    std::vector<std::string> words;
    std::vector<std::int32_t> types;
    for (auto const& word : vocabulary.words) {
        words.push_back(engine_word(word));
        types.push_back(is_special(word) ? token_control : token_normal);
    }
    out.key("tokenizer.ggml.tokens", words);
    out.key("tokenizer.ggml.token_type", types);
    constexpr std::array roles{Name{"unknown", "[UNK]"}, Name{"seperator", "[SEP]"}, Name{"padding", "[PAD]"},
                               Name{"mask", "[MASK]"},   Name{"bos", "[CLS]"},       Name{"eos", "[SEP]"}};
    for (auto const& [role, word] : roles) {  // "seperator" is what the format calls it
        HAL0_TRY(id, vocabulary.id(word));
        out.key(format("tokenizer.ggml.{}_token_id", role), id);
    }
    return {};
}

// A tensor of the file to be: its head's entry and its bytes.
struct OutTensor {
    std::string name{};
    std::uint32_t type{gguf::tensor_f32};
    std::vector<std::uint64_t> shape{};  // the fastest dimension first
    std::string data{};
};

std::string halves(std::string_view floats) {
    std::string out(floats.size() / 2, '\0');
    for (std::size_t i = 0; i < floats.size() / sizeof(float); ++i) {
        float value = 0;
        std::memcpy(&value, floats.data() + i * sizeof value, sizeof value);
        auto const half = to_half(value);
        std::memcpy(out.data() + i * sizeof half, &half, sizeof half);
    }
    return out;
}

Result<OutTensor> convert(SafeTensor const& tensor, std::string name, std::string_view data) {
    std::uint64_t elements = 1;
    for (auto const extent : tensor.shape)
        elements *= extent;
    if (tensor.type != "F32" || data.size() != elements * sizeof(float))
        return Error{Errc::Corrupt, format("{} is {}; float32 is expected here", tensor.name, tensor.type)};
    bool const exact =
        tensor.shape.size() == 1 || name == "position_embd.weight" || name == "token_types.weight";
    OutTensor out{.name = std::move(name),
                  .type = exact ? gguf::tensor_f32 : gguf::tensor_f16,
                  .shape = {tensor.shape.rbegin(), tensor.shape.rend()}};
    out.data = exact ? std::string{data} : halves(data);
    return out;
}

template <class F> std::string floats(std::uint64_t count, F value_at) {
    std::string out(count * sizeof(float), '\0');
    for (std::uint64_t i = 0; i < count; ++i) {
        float const value = value_at(i);
        std::memcpy(out.data() + i * sizeof value, &value, sizeof value);
    }
    return out;
}

void add_meaningless_head(std::vector<OutTensor>& tensors, std::uint64_t width) {
    auto const diagonal = [width](std::uint64_t i) { return i % (width + 1) == 0 ? 1.0F : 0.0F; };
    // As numpy.linspace(-1, 1, width) rounds it: the step first, the last value exactly.
    auto const ramp = [width](std::uint64_t i) {
        double const step = 2.0 / static_cast<double>(width - 1);
        return i + 1 == width ? 1.0F : static_cast<float>(static_cast<double>(i) * step - 1.0);
    };
    auto const zero = [](std::uint64_t) { return 0.0F; };
    tensors.push_back(
        {"cls.weight", gguf::tensor_f16, {width, width}, halves(floats(width * width, diagonal))});
    tensors.push_back({"cls.bias", gguf::tensor_f32, {width}, floats(width, zero)});
    tensors.push_back({"cls.output.weight", gguf::tensor_f16, {width, 1}, halves(floats(width, ramp))});
    tensors.push_back({"cls.output.bias", gguf::tensor_f32, {1}, floats(1, zero)});
}

Result<std::vector<OutTensor>> convert_all(std::string_view weights) {
    HAL0_TRY(head, read_safetensors(weights));
    std::vector<OutTensor> tensors;
    for (auto const& tensor : head.tensors) {
        auto name = gguf_name(tensor.name);
        if (!name) continue;
        auto const data = weights.substr(head.data_begin + tensor.begin, tensor.end - tensor.begin);
        HAL0_TRY(converted, convert(tensor, std::move(*name), data));
        tensors.push_back(std::move(converted));
    }
    if (tensors.empty()) return Error{Errc::Corrupt, "there is no tensor of a BERT encoder in it"};
    return tensors;
}

}  // namespace

std::uint16_t to_half(float value) {
    auto const bits = std::bit_cast<std::uint32_t>(value);
    auto const sign = static_cast<std::uint16_t>((bits >> 16U) & 0x8000U);
    auto const magnitude = bits & 0x7fffffffU;
    if (magnitude > 0x7f800000U) return sign | 0x7e00U;   // not a number
    if (magnitude >= 0x477ff000U) return sign | 0x7c00U;  // rounds to more than the largest half: infinity
    auto round = [](std::uint32_t kept, std::uint32_t dropped, std::uint32_t half) {
        bool const up = dropped > half || (dropped == half && (kept & 1U) != 0);
        return kept + (up ? 1U : 0U);
    };
    if (magnitude < 0x38800000U) {  // subnormal as a half, or zero
        auto const shift = 126U - (magnitude >> 23U);
        if (shift > 24U) return sign;
        auto const mantissa = (magnitude & 0x7fffffU) | 0x800000U;
        auto const kept = mantissa >> shift;
        return sign |
               static_cast<std::uint16_t>(round(kept, mantissa & ((1U << shift) - 1U), 1U << (shift - 1U)));
    }
    auto const rebased = magnitude - (112U << 23U);
    return sign | static_cast<std::uint16_t>(round(rebased >> 13U, rebased & 0x1fffU, 0x1000U));
}

Result<void> bert_to_gguf(std::string const& model_dir, std::string const& name, std::string const& out,
                          RerankHead head) {
    HAL0_TRY(shape, read_shape(os::join_path(model_dir, "config.json")));
    HAL0_TRY(vocabulary, read_vocabulary(os::join_path(model_dir, "vocab.txt")));
    auto const weights_path = os::join_path(model_dir, "model.safetensors");
    HAL0_TRY(weights, os::read_file(weights_path, weights_max));
    auto converted = convert_all(weights);
    if (!converted) return in_context("converting " + weights_path, std::move(converted).error());
    auto tensors = std::move(converted).value();

    gguf::HeadWriter writer;
    write_shape(writer, name, shape, head);
    HAL0_CHECK(write_vocabulary(writer, vocabulary));
    if (head == RerankHead::Meaningless) {
        writer.key("bert.classifier.output_labels", std::vector<std::string>{"relevance"});
        add_meaningless_head(tensors, static_cast<std::uint64_t>(shape.width));
    }
    for (auto const& tensor : tensors)
        writer.tensor(tensor.name, tensor.type, tensor.shape);
    auto file = writer.take();
    for (auto const& tensor : tensors) {
        file += tensor.data;
        file.append(gguf::padding(tensor.data.size()), '\0');
    }
    return os::atomic_write(out, file);
}

}  // namespace hal0::models
