#include "models/gguf_writer.hpp"

#include <bit>

namespace hal0::models::gguf {
namespace {

static_assert(std::endian::native == std::endian::little,
              "GGUF is little-endian, and so must be this machine");

template <class T> void put(std::string& out, T value) {
    auto const* bytes = reinterpret_cast<char const*>(&value);
    out.append(bytes, sizeof value);
}

void put(std::string& out, std::string_view text) {
    put(out, std::uint64_t{text.size()});
    out.append(text);
}

}  // namespace

void HeadWriter::named(std::string_view name, ValueType type) {
    ++keys_;
    put(key_bytes_, name);
    put(key_bytes_, static_cast<std::uint32_t>(type));
}

void HeadWriter::key(std::string_view name, std::string_view text) {
    named(name, ValueType::String);
    put(key_bytes_, text);
}

void HeadWriter::key(std::string_view name, std::uint32_t number) {
    named(name, ValueType::Uint32);
    put(key_bytes_, number);
}

void HeadWriter::key(std::string_view name, float number) {
    named(name, ValueType::Float32);
    put(key_bytes_, number);
}

void HeadWriter::key(std::string_view name, bool flag) {
    named(name, ValueType::Bool);
    put(key_bytes_, static_cast<std::uint8_t>(flag ? 1 : 0));
}

void HeadWriter::key(std::string_view name, std::vector<std::string> const& texts) {
    named(name, ValueType::Array);
    put(key_bytes_, static_cast<std::uint32_t>(ValueType::String));
    put(key_bytes_, std::uint64_t{texts.size()});
    for (auto const& text : texts)
        put(key_bytes_, std::string_view{text});
}

void HeadWriter::key(std::string_view name, std::vector<std::int32_t> const& numbers) {
    named(name, ValueType::Array);
    put(key_bytes_, static_cast<std::uint32_t>(ValueType::Int32));
    put(key_bytes_, std::uint64_t{numbers.size()});
    for (auto const number : numbers)
        put(key_bytes_, number);
}

void HeadWriter::tensor(std::string_view name, std::uint32_t type, std::vector<std::uint64_t> const& shape) {
    ++tensors_;
    put(tensor_bytes_, name);
    put(tensor_bytes_, static_cast<std::uint32_t>(shape.size()));
    std::uint64_t elements = 1;
    for (auto const extent : shape) {
        put(tensor_bytes_, extent);
        elements *= extent;
    }
    put(tensor_bytes_, type);
    put(tensor_bytes_, data_size_);
    auto const layout = layout_of(type).value_or(TensorLayout{type, 1, 0});
    auto const size = elements / layout.block * layout.bytes;
    data_size_ += size + padding(size);
}

std::string HeadWriter::take() const {
    std::string head{magic};
    put(head, version_written);
    put(head, tensors_);
    put(head, keys_);
    head += key_bytes_;
    head += tensor_bytes_;
    head.append(padding(head.size()), '\0');
    return head;
}

}  // namespace hal0::models::gguf
