#pragma once
// One GGUF file's header: its keys and its table of tensors, and nothing of the tensors' data. Also of a file
// that is not here, or not whole, as long as its header is.
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "base/units.hpp"
#include "models/byte_source.hpp"
#include "models/gguf_metadata.hpp"

namespace hal0::models {

struct GgufTensor {
    std::string name{};
    std::array<std::uint64_t, 4> shape{1, 1, 1, 1};  // the fastest dimension, a row's length, first
    std::uint32_t type{0};
    std::uint64_t offset{0};      // in the data
    std::optional<Bytes> size{};  // absent when the type is not known here
    bool operator==(GgufTensor const&) const = default;
};
using GgufTensors = std::vector<GgufTensor>;

struct GgufFile {
    std::uint32_t version{0};
    GgufMetadata metadata{};
    GgufTensors tensors{};
    Bytes data_begin{};  // the header with its padding: what must be read to know all of this
    Bytes data_end{};  // where the last tensor of a known type ends; more than the source has when it is cut
    bool operator==(GgufFile const&) const = default;
};

// Corrupt: it is no GGUF, ends within its header, or what the header says can't be true. Unsupported: a
// version or a byte order that llama.cpp doesn't read. The message is without the file's name.
Result<GgufFile> read_gguf(ByteSource& source);

}  // namespace hal0::models
