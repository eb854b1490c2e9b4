#pragma once
// What a gateway must know of a request body, found without parsing it: which model it names. One pass over
// the bytes, no tree, no recursion; a 4 MB body with an image costs a fraction of a millisecond.
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace hal0::json {

struct Peek {
    enum class Shape {
        Object,     // looks like one JSON object and nothing after it; values inside are not checked further
        NotObject,  // something else than an object (array, number, nothing)
        Malformed,  // unbalanced, cut, or something after the end: `fault_at` says where
        TooDeep,    // nested more than peek_depth_max
    } shape{Shape::NotObject};
    std::size_t fault_at{0};             // byte offset, when Malformed or TooDeep
    std::optional<std::string> model{};  // unescaped; the last one wins, as in the worker's own parser
    bool model_is_not_text{false};       // "model" is there and isn't a string (null counts as absent)
    bool stream{false};                  // "stream" is true
    bool model_is_too_long{false};       // "model" is a string over model_bytes_max; `model` hasn't got it
};

inline constexpr std::size_t model_bytes_max = 256;  // "hal0/", and no slot or model has a name that long

inline constexpr std::size_t peek_depth_max = 512;

Peek peek(std::string_view body);

}  // namespace hal0::json
