#include "models/gguf_metadata.hpp"

#include <utility>

namespace hal0::models {
namespace {

template <class T> std::optional<T> as(GgufValue const* value) {
    if (value == nullptr) return std::nullopt;
    auto const* const held = std::get_if<T>(value);
    return held != nullptr ? std::optional<T>{*held} : std::nullopt;
}

}  // namespace

// NOLINTNEXTLINE(performance-unnecessary-value-param): it is moved on, which the check doesn't see
bool GgufMetadata::add(std::string key, GgufValue value) {
    return values_.try_emplace(std::move(key), std::move(value)).second;
}

GgufValue const* GgufMetadata::find(std::string_view key) const {
    auto const found = values_.find(key);
    return found == values_.end() ? nullptr : &found->second;
}

std::optional<std::int64_t> GgufMetadata::integer(std::string_view key) const {
    return as<std::int64_t>(find(key));
}
std::optional<bool> GgufMetadata::flag(std::string_view key) const { return as<bool>(find(key)); }
std::optional<std::string> GgufMetadata::text(std::string_view key) const {
    return as<std::string>(find(key));
}

GgufArray const* GgufMetadata::array(std::string_view key) const {
    auto const* const value = find(key);
    return value == nullptr ? nullptr : std::get_if<GgufArray>(value);
}

}  // namespace hal0::models
