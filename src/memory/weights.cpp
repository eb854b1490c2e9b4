#include "memory/weights.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <string_view>

#include "base/format.hpp"
#include "memory/sizes.hpp"

namespace hal0::memory {
namespace {

// LLM_TENSOR_LAYER_INPUT of src/llama-arch.cpp
constexpr std::array<std::string_view, 5> inputs{"token_embd", "token_embd_norm", "token_types",
                                                 "position_embd", "per_layer_token_embd"};

// "blk.12.attn_q.weight", "enc.blk.3.…" -> its number
std::optional<std::int64_t> layer_of(std::string_view name) {
    auto const found = name.find("blk.");
    if (found == std::string_view::npos) return std::nullopt;
    std::int64_t layer = 0;
    auto const* const end = name.data() + name.size();
    auto const [stop, fault] = std::from_chars(name.data() + found + 4, end, layer);
    return fault == std::errc{} && stop != end && *stop == '.' ? std::optional{layer} : std::nullopt;
}

}  // namespace

bool is_input(std::string_view name) {
    return std::ranges::find(inputs, name.substr(0, name.rfind('.'))) != inputs.end();
}

Placement placement(std::int64_t layers, std::int64_t gpu_layers) {
    auto const asked = gpu_layers < 0 ? layers + 1 : std::min(gpu_layers, layers + 1);
    return {.first_on_gpu = layers + 1 - asked, .output_on_gpu = asked > 0};
}

Result<Weights> weights(models::GgufTensors const& tensors, Placement const& placement, Output output) {
    Weights sum;
    Bytes table{};
    bool has_output = false;
    for (auto const& tensor : tensors) {
        if (!tensor.size) {
            return Error{Errc::Unsupported,
                         format("its tensor {} is of the type {}, whose size is unknown here", tensor.name,
                                tensor.type)};
        }
        auto const layer = layer_of(tensor.name);
        auto const size = Bytes{round_up(tensor.size->count, tensor_alignment)};
        bool const on_gpu = layer ? *layer >= placement.first_on_gpu : placement.output_on_gpu;
        if (!layer && is_input(tensor.name)) {
            sum.embeddings += size;
        } else {
            (on_gpu ? sum.gpu : sum.host) += size;
        }
        if (tensor.name == "token_embd.weight") table = size;
        has_output = has_output || tensor.name == "output.weight";
    }
    if (output == Output::Logits && !has_output && placement.output_on_gpu) {
        sum.tied = true;
        sum.gpu += table;
    }
    return sum;
}

}  // namespace hal0::memory
