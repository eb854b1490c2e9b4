#pragma once
// The safetensors format (github.com/huggingface/safetensors, "Format"): a JSON head that says where in the
// file each tensor lies, then their bytes.
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace hal0::models {

struct SafeTensor {
    std::string name{};
    std::string type{};                  // "F32", "F16", "I64", …
    std::vector<std::uint64_t> shape{};  // the slowest dimension first
    std::uint64_t begin{0};              // its bytes within the file's data
    std::uint64_t end{0};
};

struct SafeTensors {
    std::vector<SafeTensor> tensors{};  // in the order of the head
    std::uint64_t data_begin{0};        // where the data begins in the file
};

// `text` is the whole file. Corrupt when the head isn't one, or a tensor lies outside the file.
Result<SafeTensors> read_safetensors(std::string_view text);

}  // namespace hal0::models
