#include "models/gguf_file.hpp"

#include <algorithm>
#include <utility>

#include "base/format.hpp"
#include "models/gguf_format.hpp"
#include "models/gguf_input.hpp"
#include "models/gguf_limits.hpp"

namespace hal0::models {
namespace {

using gguf::Input;
using gguf::ValueType;

constexpr std::uint64_t text_bytes_min = 8;  // of an empty text: its length

GgufValue read_integer(Input& in, ValueType type) {
    switch (type) {
        case ValueType::Uint8: return std::int64_t{in.number<std::uint8_t>()};
        case ValueType::Int8: return std::int64_t{in.number<std::int8_t>()};
        case ValueType::Uint16: return std::int64_t{in.number<std::uint16_t>()};
        case ValueType::Int16: return std::int64_t{in.number<std::int16_t>()};
        case ValueType::Uint32: return std::int64_t{in.number<std::uint32_t>()};
        case ValueType::Int32: return std::int64_t{in.number<std::int32_t>()};
        case ValueType::Int64: return in.number<std::int64_t>();
        case ValueType::Bool: return in.number<std::uint8_t>() != 0;
        case ValueType::Uint64: {
            auto const number = in.number<std::uint64_t>();
            if (std::in_range<std::int64_t>(number)) return static_cast<std::int64_t>(number);
            return {};
        }
        case ValueType::Float32:
        case ValueType::Float64:
        case ValueType::String:
        case ValueType::Array: break;
    }
    return {};
}

bool is_integer(ValueType type) {
    return type != ValueType::Float32 && type != ValueType::Float64 && type != ValueType::String &&
           type != ValueType::Array;
}

// The numbers of an array of integers; one of them over 2^63 makes it an array of something else.
std::vector<std::int64_t> read_numbers(Input& in, ValueType type, std::uint64_t count) {
    std::vector<std::int64_t> numbers;
    bool whole = true;
    for (std::uint64_t i = 0; i < count && in.ok(); ++i) {
        auto const value = read_integer(in, type);
        if (auto const* const flag = std::get_if<bool>(&value)) {
            numbers.push_back(*flag ? 1 : 0);
        } else if (auto const* const number = std::get_if<std::int64_t>(&value)) {
            numbers.push_back(*number);
        } else {
            whole = false;
        }
    }
    return whole ? numbers : std::vector<std::int64_t>{};
}

GgufValue read_array(Input& in) {
    auto const type = static_cast<ValueType>(in.number<std::uint32_t>());
    GgufArray array{.count = in.number<std::uint64_t>()};
    auto const size = gguf::size_of(type);
    if (!size || type == ValueType::Array) {
        in.fail("an array of an unknown type");  // an array in an array: llama.cpp reads none
        return {};
    }
    auto const bytes_each = type == ValueType::String ? text_bytes_min : *size;
    if (array.count > in.left() / bytes_each) {
        in.cut();
        return {};
    }
    if (type == ValueType::String) {
        for (std::uint64_t i = 0; i < array.count && in.ok(); ++i)
            in.skip(in.number<std::uint64_t>());
    } else if (is_integer(type) && array.count <= gguf::numbers_kept_max) {
        array.numbers = read_numbers(in, type, array.count);
    } else {
        in.skip(array.count * *size);
    }
    return array;
}

GgufValue read_text(Input& in) {
    auto const length = in.number<std::uint64_t>();
    if (length > gguf::text_kept_bytes_max) {
        in.skip(length);
        return {};
    }
    return in.text(length);
}

GgufValue read_value(Input& in) {
    auto const type = static_cast<ValueType>(in.number<std::uint32_t>());
    if (type == ValueType::Array) return read_array(in);
    if (type == ValueType::String) return read_text(in);
    auto const size = gguf::size_of(type);
    if (!size) {
        in.fail(format("a value of the unknown type {}", static_cast<std::uint32_t>(type)));
        return {};
    }
    if (is_integer(type)) return read_integer(in, type);
    in.skip(*size);
    return {};
}

void read_metadata(Input& in, std::uint64_t keys, GgufMetadata& metadata) {
    for (std::uint64_t i = 0; i < keys && in.ok(); ++i) {
        auto key = in.text();
        auto value = read_value(in);
        if (!in.ok()) return;
        auto const name = key.substr(0, 64);  // for the message: a key can be long
        if (!metadata.add(std::move(key), std::move(value)))
            in.fail(format("its key {} is there twice", name));
    }
}

// The tensor's size from its shape; its end must be a place that a file can have.
void measure(Input& in, GgufTensor& tensor) {
    std::uint64_t elements = 1;
    bool too_many = false;
    for (auto const length : tensor.shape)
        too_many |= __builtin_mul_overflow(elements, length, &elements);
    std::uint64_t bytes = 0;
    auto const layout = gguf::layout_of(tensor.type);
    if (layout) {
        if (!too_many && tensor.shape[0] % layout->block != 0) {
            return in.fail(format("a row of {} numbers in blocks of {}", tensor.shape[0], layout->block));
        }
        too_many |= __builtin_mul_overflow(elements / layout->block, layout->bytes, &bytes);
    }
    std::uint64_t end = 0;
    too_many |= __builtin_add_overflow(tensor.offset, bytes, &end);
    if (too_many || end > gguf::data_bytes_max) {
        return in.fail("one of its tensors is larger than any disk");
    }
    if (layout) tensor.size = Bytes{static_cast<std::int64_t>(bytes)};
}

void read_tensor(Input& in, GgufTensor& tensor) {
    tensor.name = in.text();
    auto const dimensions = in.number<std::uint32_t>();
    if (dimensions > tensor.shape.size()) in.fail(format("one of its tensors has {} dimensions", dimensions));
    for (std::uint32_t i = 0; i < dimensions && in.ok(); ++i)
        tensor.shape[i] = in.number<std::uint64_t>();
    tensor.type = in.number<std::uint32_t>();
    tensor.offset = in.number<std::uint64_t>();
    if (in.ok()) measure(in, tensor);
}

std::uint64_t alignment_of(Input& in, GgufMetadata const& metadata) {
    auto const key = "general.alignment";
    if (!metadata.holds(key)) return gguf::default_alignment;
    auto const found = metadata.integer(key).value_or(0);
    auto const alignment = static_cast<std::uint64_t>(std::max<std::int64_t>(found, 0));
    bool const power_of_two = alignment != 0 && (alignment & (alignment - 1)) == 0;
    if (power_of_two && alignment <= gguf::alignment_max) return alignment;
    in.fail("its alignment is no power of 2");
    return gguf::default_alignment;
}

Result<void> check_version(std::uint32_t version) {
    if (version >= gguf::version_min && version <= gguf::version_written) return {};
    if (version != 0 && (version & 0xFFFF) == 0) {
        return Error{Errc::Unsupported,
                     "it is of the other byte order (big-endian), which can't be read here"};
    }
    return Error{Errc::Unsupported, format("it is of GGUF version {}, and {} to {} can be read", version,
                                           gguf::version_min, gguf::version_written)};
}

void check_start(Input& in) {
    auto const start = in.start();
    if (start.starts_with("version https://git-lfs")) {
        return in.fail("it is a Git LFS pointer, not the model itself");
    }
    if (!start.starts_with(gguf::magic)) in.fail("it isn't a GGUF file");
}

}  // namespace

Result<GgufFile> read_gguf(ByteSource& source) {
    Input in{source};
    check_start(in);
    in.skip(gguf::magic.size());
    GgufFile file{.version = in.number<std::uint32_t>()};
    auto const tensors = in.number<std::uint64_t>();
    auto const keys = in.number<std::uint64_t>();
    if (!in.ok()) return in.fault();
    HAL0_CHECK(check_version(file.version));
    if (keys > gguf::keys_max || tensors > gguf::tensors_max) {
        in.fail(format("it says that it has {} keys and {} tensors", keys, tensors));
    }
    read_metadata(in, keys, file.metadata);
    std::uint64_t data_size = 0;
    std::uint64_t together = 0;  // more than data_size where tensors lie upon each other
    for (std::uint64_t i = 0; i < tensors && in.ok(); ++i) {
        read_tensor(in, file.tensors.emplace_back());
        auto const& tensor = file.tensors.back();
        auto const size = static_cast<std::uint64_t>(tensor.size.value_or(Bytes{}).count);
        data_size = std::max(data_size, tensor.offset + size);
        together += size;
        if (together > gguf::data_bytes_max) in.fail("its tensors together are larger than any disk");
    }
    auto const alignment = alignment_of(in, file.metadata);
    if (!in.ok()) return in.fault();
    auto const begin = (in.at() + alignment - 1) / alignment * alignment;
    file.data_begin = {static_cast<std::int64_t>(begin)};
    file.data_end = {static_cast<std::int64_t>(begin + data_size)};
    return file;
}

}  // namespace hal0::models
