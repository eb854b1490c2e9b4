#include "models/projector_width.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <string_view>

#include "base/format.hpp"

namespace hal0::models {
namespace {

enum class Of : std::uint8_t { Row, Rows };  // a tensor's fastest dimension, and the next

struct WidthRule {
    std::string_view kind;
    std::string_view tensor;
    Of of;
};
// Of build 11434 (tools/mtmd/clip.cpp), by the names that its loader reads these tensors under. Left out is
// what is made of several tensors, and what speaks.
constexpr std::array width_rules{
    WidthRule{"mlp_norm", "mm.3.bias", Of::Row},
    WidthRule{"mlp", "mm.2.weight", Of::Rows},
    WidthRule{"phi4", "mm.2.weight", Of::Rows},
    WidthRule{"pixtral", "mm.2.weight", Of::Rows},
    WidthRule{"lightonocr", "mm.2.weight", Of::Rows},
    WidthRule{"dots_ocr", "mm.2.weight", Of::Rows},
    WidthRule{"dots3note_v", "mm.2.weight", Of::Rows},
    WidthRule{"muse-glimmer", "mm.2.weight", Of::Rows},
    WidthRule{"lfm2", "mm.2.weight", Of::Rows},
    WidthRule{"kimivl", "mm.2.weight", Of::Rows},
    WidthRule{"kimik25", "mm.2.weight", Of::Rows},
    WidthRule{"paddleocr", "mm.2.weight", Of::Rows},
    WidthRule{"yasa2", "mm.2.weight", Of::Rows},
    WidthRule{"deepseek4v", "mm.2.weight", Of::Rows},
    WidthRule{"mimovl", "mm.2.weight", Of::Rows},
    WidthRule{"qwen2vl_merger", "mm.2.bias", Of::Row},
    WidthRule{"qwen2.5vl_merger", "mm.2.bias", Of::Row},
    WidthRule{"qwen3vl_merger", "mm.2.bias", Of::Row},  // once, and once more for each layer of its deepstack
    WidthRule{"ling3vl", "mm.2.bias", Of::Row},
    WidthRule{"exaone4_5", "mm.2.bias", Of::Row},
    WidthRule{"youtuvl", "mm.2.bias", Of::Row},
    WidthRule{"janus_pro", "mm.1.bias", Of::Row},
    WidthRule{"ldp", "mm.model.mb_block.1.block.2.1.bias", Of::Row},
    WidthRule{"ldpv2", "mm.model.peg.0.bias", Of::Row},
    WidthRule{"resampler", "resampler.proj.weight", Of::Row},
    WidthRule{"minicpmv4_6", "mm.down.weight", Of::Rows},
    WidthRule{"glm4v", "mm.down.weight", Of::Rows},
    WidthRule{"glm5v", "mm.down.weight", Of::Rows},
    WidthRule{"cogvlm", "mm.down.weight", Of::Rows},
    WidthRule{"adapter", "adapter.linear.dense_4h_to_h.weight", Of::Rows},
    WidthRule{"minimax_m3", "mm.merger.fc2.bias", Of::Row},
    WidthRule{"gemma3", "mm.input_projection.weight", Of::Row},
    WidthRule{"gemma3nv", "mm.input_projection.weight", Of::Row},
    WidthRule{"gemma4v", "mm.input_projection.weight", Of::Rows},
    WidthRule{"gemma4uv", "mm.input_projection.weight", Of::Rows},
    WidthRule{"idefics3", "mm.model.fc.weight", Of::Rows},
    WidthRule{"step3vl", "mm.model.fc.weight", Of::Rows},
    WidthRule{"llama4", "mm.model.fc.weight", Of::Rows},
    WidthRule{"hunyuanvl", "mm.model.fc.weight", Of::Rows},
    WidthRule{"deepseekocr", "mm.model.fc.weight", Of::Rows},
    WidthRule{"deepseekocr2", "mm.model.fc.weight", Of::Rows},
    WidthRule{"internvl", "mm.model.mlp.3.weight", Of::Rows},
    WidthRule{"nemotron_v2_vl", "mm.model.mlp.3.weight", Of::Rows},
    WidthRule{"ultravox", "mm.a.mlp.2.weight", Of::Rows},
    WidthRule{"voxtral", "mm.a.mlp.2.weight", Of::Rows},
    WidthRule{"musicflamingo", "mm.a.mlp.2.weight", Of::Rows},
    WidthRule{"glma", "mm.a.mlp.2.weight", Of::Rows},
    WidthRule{"qwen3a", "mm.a.mlp.2.weight", Of::Rows},
    WidthRule{"dots3note_a", "mm.a.mlp.3.weight", Of::Rows},
    WidthRule{"meralion", "mm.a.mlp.3.weight", Of::Rows},
    WidthRule{"qwen2a", "mm.a.fc.weight", Of::Rows},
};

GgufTensor const* tensor_named(GgufTensors const& tensors, std::string_view name) {
    auto const found = std::ranges::find(tensors, name, &GgufTensor::name);
    return found == tensors.end() ? nullptr : &*found;
}

// Of the encoder that the engine holds against the model: the one that sees, where there is one.
std::string kind_of(GgufModel const& projector) {
    auto const& keys = projector.metadata;
    bool const sees = keys.flag("clip.has_vision_encoder").value_or(false);
    if (!sees && !keys.flag("clip.has_audio_encoder").value_or(false)) return {};
    auto kind = keys.text("clip.projector_type").value_or("");
    if (kind.empty())
        kind = keys.text(sees ? "clip.vision.projector_type" : "clip.audio.projector_type").value_or("");
    if (kind == "qwen2.5o") return sees ? "qwen2.5vl_merger" : "qwen2a";
    // Yi's, which says that it is of the same kind.
    if (kind == "mlp" && tensor_named(projector.tensors, "mm.3.weight") != nullptr) return "mlp_norm";
    return kind;
}

// What no true file says is not reckoned with.
constexpr std::int64_t width_max = std::int64_t{1} << 24;
constexpr std::int64_t layers_max = 512;  // LLAMA_MAX_LAYERS
std::optional<std::int64_t> whole(std::int64_t width, std::int64_t deepstack) {
    if (width < 1 || width > width_max || deepstack < 0 || deepstack > layers_max) return std::nullopt;
    return width * (1 + deepstack);
}

std::int64_t deepstack_layers(GgufTensors const& tensors) {
    return std::ranges::count_if(tensors, [](GgufTensor const& tensor) {
        return tensor.name.starts_with("v.deepstack.") && tensor.name.ends_with(".fc1.weight");
    });
}

}  // namespace

std::optional<std::int64_t> projector_width(GgufModel const& projector) {
    auto const kind = kind_of(projector);
    auto const rule = std::ranges::find(width_rules, kind, &WidthRule::kind);
    if (rule == width_rules.end()) return std::nullopt;
    auto const* const tensor = tensor_named(projector.tensors, rule->tensor);
    if (tensor == nullptr) return std::nullopt;
    auto const width = static_cast<std::int64_t>(tensor->shape.at(rule->of == Of::Row ? 0 : 1));
    return whole(width, kind == "qwen3vl_merger" ? deepstack_layers(projector.tensors) : 0);
}

std::optional<std::int64_t> input_width(GgufModel const& model) {
    auto const architecture = model.metadata.text("general.architecture").value_or("");
    // These count theirs by a list, or take another model's output.
    if (architecture.starts_with("granite") || architecture == "gemma4-assistant") return std::nullopt;
    auto const width = model.metadata.integer(format("{}.embedding_length", architecture));
    auto const deepstack = model.metadata.integer(format("{}.n_deepstack_layers", architecture));
    return whole(width.value_or(0), architecture.starts_with("qwen3vl") ? deepstack.value_or(0) : 0);
}

}  // namespace hal0::models
