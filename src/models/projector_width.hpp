#pragma once
// How many numbers a projector (mmproj) gives for each token of an image or a sound, and how many a model
// takes: where they differ the engine refuses the pair.
#include <cstdint>
#include <optional>

#include "models/gguf_model.hpp"

namespace hal0::models {

// As llama.cpp's clip_n_mmproj_embd has it. Nothing for a kind of projector that isn't known here, or where
// the tensor that tells it is missing.
std::optional<std::int64_t> projector_width(GgufModel const& projector);
// Its llama_model_n_embd_inp; nothing where that isn't the width of its embeddings in a way known here.
std::optional<std::int64_t> input_width(GgufModel const& model);

}  // namespace hal0::models
