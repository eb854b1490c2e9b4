#pragma once
// The keys of a GGUF file, as far as planning needs them. Writers differ in the width of an integer, so any
// is taken; what was not asked for in the right kind is absent, never 0.
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace hal0::models {

struct GgufArray {
    std::uint64_t count{0};
    std::vector<std::int64_t> numbers{};  // of integers and flags (0, 1); empty for others, and for long ones
    bool operator==(GgufArray const&) const = default;
};

// A number with a fraction, one over 2^63 and a long text are there without their value (monostate).
using GgufValue = std::variant<std::monostate, std::int64_t, bool, std::string, GgufArray>;

class GgufMetadata {
  public:
    bool add(std::string key, GgufValue value);  // false when there is one already

    [[nodiscard]] bool holds(std::string_view key) const { return find(key) != nullptr; }
    [[nodiscard]] std::optional<std::int64_t> integer(std::string_view key) const;
    [[nodiscard]] std::optional<bool> flag(std::string_view key) const;
    [[nodiscard]] std::optional<std::string> text(std::string_view key) const;
    [[nodiscard]] GgufArray const* array(std::string_view key) const;  // null when there is none
    [[nodiscard]] std::size_t size() const { return values_.size(); }

    bool operator==(GgufMetadata const&) const = default;

  private:
    [[nodiscard]] GgufValue const* find(std::string_view key) const;
    std::map<std::string, GgufValue, std::less<>> values_{};
};

}  // namespace hal0::models
