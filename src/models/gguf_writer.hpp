#pragma once
// Writes a GGUF file (github.com/ggml-org/ggml, docs/gguf.md), version 3, in one pass: keys, then what
// tensors there are, then their data.
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "models/gguf_format.hpp"

namespace hal0::models::gguf {

// The head of a file, built in memory: everything in front of the tensors' data.
class HeadWriter {
  public:
    void key(std::string_view name, std::string_view text);
    void key(std::string_view name, std::uint32_t number);
    void key(std::string_view name, float number);
    void key(std::string_view name, bool flag);
    void key(std::string_view name, std::vector<std::string> const& texts);
    void key(std::string_view name, std::vector<std::int32_t> const& numbers);

    // `shape` as GGUF has it: the fastest dimension first. Its data comes after that of those before it, each
    // padded to default_alignment.
    void tensor(std::string_view name, std::uint32_t type, std::vector<std::uint64_t> const& shape);

    [[nodiscard]] std::string take() const;  // padded: the data begins at its end

  private:
    void named(std::string_view name, ValueType type);

    std::uint64_t keys_{0};
    std::uint64_t tensors_{0};
    std::uint64_t data_size_{0};
    std::string key_bytes_{};
    std::string tensor_bytes_{};
};

// How many zero bytes bring `size` to the next multiple of default_alignment.
constexpr std::uint64_t padding(std::uint64_t size) {
    return (default_alignment - size % default_alignment) % default_alignment;
}

}  // namespace hal0::models::gguf
