#pragma once
// What a GGUF file says of itself, and whether all of it is there: asked before a worker is launched, so that
// a cut or foreign file is a clear error and not an engine's crash. Reads the header only, in pieces.
#include <cstdint>
#include <string>

#include "base/result.hpp"
#include "base/units.hpp"

namespace hal0::models {

struct GgufHeader {
    std::string architecture{};  // "llama", "bert"
    std::string name{};
    Tokens context_length{};  // what it was trained for; 0 when it doesn't say
    std::uint64_t tensors{0};
    Bytes size{};  // of the file; never less than its tensors need
    bool operator==(GgufHeader const&) const = default;
};

// Corrupt, naming the file and what to do: it is no GGUF, is cut anywhere, or its counts can't be true.
// Unsupported: a version of the format that llama.cpp doesn't read. Tensors of a type unknown here are
// taken to be whole.
Result<GgufHeader> read_gguf_header(std::string const& path);

}  // namespace hal0::models
