#pragma once
// Turns the published weights of a BERT sentence encoder (all-MiniLM-L6-v2: safetensors, config.json,
// vocab.txt) into the one GGUF file that llama.cpp takes. Names and keys are those of llama.cpp's
// convert_hf_to_gguf.py and gguf-py/gguf/constants.py; matrices become float16, vectors stay float32, as that
// converter writes this model.
#include <cstdint>
#include <string>

#include "base/result.hpp"

namespace hal0::models {

// A classification head with fixed, meaningless weights: the only way to try an engine's own ranking where no
// real cross-encoder is to be had. Its scores mean nothing.
enum class RerankHead { None, Meaningless };

// Reads from `model_dir`, writes `out` (all or nothing). Corrupt where the files aren't such a model. `name`
// becomes general.name.
Result<void> bert_to_gguf(std::string const& model_dir, std::string const& name, std::string const& out,
                          RerankHead head);

// IEEE 754 binary32 to binary16, to the nearest, ties to even; overflow becomes infinity.
std::uint16_t to_half(float value);

}  // namespace hal0::models
