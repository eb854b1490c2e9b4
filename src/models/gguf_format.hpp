#pragma once
// The GGUF file format's own numbers (github.com/ggml-org/ggml, docs/gguf.md), shared by what reads and what
// writes it. All of it is little-endian.
#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace hal0::models::gguf {

inline constexpr std::string_view magic = "GGUF";
inline constexpr std::uint32_t version_written = 3;
inline constexpr std::uint32_t version_min = 2;  // llama.cpp reads none older
inline constexpr std::uint64_t default_alignment = 32;

enum class ValueType : std::uint32_t {
    Uint8,
    Int8,
    Uint16,
    Int16,
    Uint32,
    Int32,
    Float32,
    Bool,
    String,
    Array,
    Uint64,
    Int64,
    Float64,
};

// Bytes of one value; 0 where they depend on the value, nothing for a type nobody has defined.
constexpr std::optional<std::uint64_t> size_of(ValueType type) {
    switch (type) {
        case ValueType::Uint8:
        case ValueType::Int8:
        case ValueType::Bool: return 1;
        case ValueType::Uint16:
        case ValueType::Int16: return 2;
        case ValueType::Uint32:
        case ValueType::Int32:
        case ValueType::Float32: return 4;
        case ValueType::Uint64:
        case ValueType::Int64:
        case ValueType::Float64: return 8;
        case ValueType::String:
        case ValueType::Array: return 0;
    }
    return std::nullopt;
}

inline constexpr std::uint32_t tensor_f32 = 0;
inline constexpr std::uint32_t tensor_f16 = 1;

// How a tensor's elements lie in the file: `block` of them in `bytes`. All types of llama.cpp build 11434
// (ggml.h, ggml-common.h); numbers missing here were given up by it, and are in no file that it reads.
struct TensorLayout {
    std::uint32_t type;
    std::uint64_t block;
    std::uint64_t bytes;
};
// clang-format off
inline constexpr std::array<TensorLayout, 35> tensor_layouts{{
    /*F32*/ {0, 1, 4}, /*F16*/ {1, 1, 2}, /*Q4_0*/ {2, 32, 18}, /*Q4_1*/ {3, 32, 20},
    /*Q5_0*/ {6, 32, 22}, /*Q5_1*/ {7, 32, 24}, /*Q8_0*/ {8, 32, 34}, /*Q8_1*/ {9, 32, 36}, /*Q2_K*/ {10, 256, 84},
    /*Q3_K*/ {11, 256, 110}, /*Q4_K*/ {12, 256, 144}, /*Q5_K*/ {13, 256, 176}, /*Q6_K*/ {14, 256, 210},
    /*Q8_K*/ {15, 256, 292}, /*IQ2_XXS*/ {16, 256, 66}, /*IQ2_XS*/ {17, 256, 74}, /*IQ3_XXS*/ {18, 256, 98},
    /*IQ1_S*/ {19, 256, 50}, /*IQ4_NL*/ {20, 32, 18}, /*IQ3_S*/ {21, 256, 110}, /*IQ2_S*/ {22, 256, 82},
    /*IQ4_XS*/ {23, 256, 136}, /*I8*/ {24, 1, 1}, /*I16*/ {25, 1, 2}, /*I32*/ {26, 1, 4},
    /*I64*/ {27, 1, 8}, /*F64*/ {28, 1, 8}, /*IQ1_M*/ {29, 256, 56}, /*BF16*/ {30, 1, 2},
    /*TQ1_0*/ {34, 256, 54}, /*TQ2_0*/ {35, 256, 66}, /*MXFP4*/ {39, 32, 17}, /*NVFP4*/ {40, 64, 36},
    /*Q1_0*/ {41, 128, 18}, /*Q2_0*/ {42, 64, 18},
}};
// clang-format on
constexpr std::optional<TensorLayout> layout_of(std::uint32_t type) {
    for (auto const& layout : tensor_layouts) {
        if (layout.type == type) return layout;
    }
    return std::nullopt;
}

}  // namespace hal0::models::gguf
