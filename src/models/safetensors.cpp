#include "models/safetensors.hpp"

#include <cstring>

#include "base/format.hpp"
#include "json/value.hpp"

namespace hal0::models {
namespace {

using json::Value;

Error corrupt(std::string_view what) {
    return {Errc::Corrupt, format("this is not a safetensors file: {}", what)};
}

Result<std::vector<std::uint64_t>> numbers(Value const* value) {
    auto const* array = value == nullptr ? nullptr : std::get_if<Value::Array>(&value->data);
    if (array == nullptr) return corrupt("a tensor has no shape or no place");
    std::vector<std::uint64_t> out;
    for (auto const& item : *array) {
        auto const* number = std::get_if<std::int64_t>(&item.data);
        if (number == nullptr || *number < 0) return corrupt("a shape or place is no list of numbers");
        out.push_back(static_cast<std::uint64_t>(*number));
    }
    return out;
}

Result<SafeTensor> read_tensor(json::Member const& member, std::uint64_t data_size) {
    SafeTensor tensor{.name = member.name};
    auto const* type = member.value.find("dtype");
    auto const* text = type == nullptr ? nullptr : std::get_if<std::string>(&type->data);
    if (text == nullptr) return corrupt(format("{} has no dtype", member.name));
    tensor.type = *text;
    HAL0_TRY(shape, numbers(member.value.find("shape")));
    HAL0_TRY(place, numbers(member.value.find("data_offsets")));
    if (place.size() != 2 || place[0] > place[1] || place[1] > data_size)
        return corrupt(format("{} lies outside the file", member.name));
    tensor.shape = std::move(shape);
    tensor.begin = place[0];
    tensor.end = place[1];
    return tensor;
}

}  // namespace

Result<SafeTensors> read_safetensors(std::string_view text) {
    std::uint64_t head_size = 0;
    if (text.size() < sizeof head_size) return corrupt("it is shorter than its head");
    std::memcpy(&head_size, text.data(), sizeof head_size);
    if (head_size > text.size() - sizeof head_size) return corrupt("its head ends past the file's end");
    HAL0_TRY(head, json::parse(text.substr(sizeof head_size, head_size)));
    auto const* members = std::get_if<Value::Object>(&head.data);
    if (members == nullptr) return corrupt("its head is not an object");
    SafeTensors out{.data_begin = sizeof head_size + head_size};
    for (auto const& member : *members) {
        if (member.name == "__metadata__") continue;
        HAL0_TRY(tensor, read_tensor(member, text.size() - out.data_begin));
        out.tensors.push_back(std::move(tensor));
    }
    return out;
}

}  // namespace hal0::models
