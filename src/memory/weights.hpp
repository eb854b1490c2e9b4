#pragma once
// Which tensor goes where, and what that comes to (load_tensors of src/llama-model.cpp, build 11434).
#include <cstdint>
#include <string_view>

#include "base/result.hpp"
#include "models/gguf_file.hpp"

namespace hal0::memory {

// Whether a tensor is an input table, which stays on the host wherever its model computes.
bool is_input(std::string_view name);

// Layers from `first` on are on the GPU; the output counts as the one after the last.
struct Placement {
    std::int64_t first_on_gpu{0};
    bool output_on_gpu{false};
};
// `layers` are the model's; `gpu_layers` as asked for, all of them when under 0.
Placement placement(std::int64_t layers, std::int64_t gpu_layers);
inline constexpr Placement all_on_host{INT64_MAX, false};

struct Weights {
    Bytes embeddings{};  // input tables: on the host always
    Bytes host{};
    Bytes gpu{};
    bool tied{false};  // no output of its own: the table is there a second time, in `gpu`
};
// An encoder has no output, and so none that its token table stands in for.
enum class Output : std::uint8_t { Logits, None };
Result<Weights> weights(models::GgufTensors const& tensors, Placement const& placement,
                        Output output = Output::Logits);

}  // namespace hal0::memory
