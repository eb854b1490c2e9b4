#pragma once
// A JSON document as a plain tree, and reading it with errors that name the place. RFC 8259.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.hpp"

namespace hal0::json {

struct Member;

struct Value {
    using Array = std::vector<Value>;
    using Object = std::vector<Member>;  // in the order of the text; of two with one name the last counts
    std::variant<std::nullptr_t, bool, std::int64_t, double, std::string, Array, Object> data;

    [[nodiscard]] bool is_null() const { return std::holds_alternative<std::nullptr_t>(data); }
    // The member of that name; null when there is none or this is not an object.
    [[nodiscard]] Value const* find(std::string_view name) const;
};

struct Member {
    std::string name{};
    Value value{};
};

// A tree takes up to 40 times the memory of its text: "0," is a Value. What may be built is bounded by
// itself.
struct ParseLimits {
    std::size_t depth_max{64};
    std::size_t values_max{1'000'000};  // of every type, arrays and objects too
};
// Corrupt with the byte offset when it isn't JSON, strict UTF-8, or is nested deeper than `depth_max`;
// TooLarge when it has more than `values_max` values.
Result<Value> parse(std::string_view text, ParseLimits const& limits = {});
// What a client sent: the same, and what is wrong is its fault (Invalid, or TooLarge).
Result<Value> parse_request(std::string_view body, std::size_t values_max);

// The document as text again: the same members in the same order, white space and escapes our own.
std::string to_text(Value const& value);

// Reads an object's members into fields. The first fault is kept and given by finish(); reading on after it
// is harmless. Paths look like "slots[2].context".
class ObjectReader {
  public:
    ObjectReader(Value const& value, std::string path);

    // The member must be there and of the field's type.
    template <class T> void required(std::string_view name, T& field) {
        if (auto const* value = member(name)) return read(*value, path_of(name), field);
        missing(name);
    }
    // Absent or null leaves the field as it is.
    template <class T> void optional(std::string_view name, T& field) {
        auto const* value = member(name);
        if (value != nullptr && !value->is_null()) read(*value, path_of(name), field);
    }
    // Absent or null empties the field.
    template <class T> void optional(std::string_view name, std::optional<T>& field) {
        field.reset();
        auto const* value = member(name);
        if (value == nullptr || value->is_null()) return;
        T inner{};
        read(*value, path_of(name), inner);
        field = std::move(inner);
    }
    // An array of objects, each read by `decode(Value const&, path) -> Result<T>`.
    template <class T, class F> void list(std::string_view name, std::vector<T>& field, F decode) {
        auto const* value = member(name);
        if (value == nullptr) return missing(name);
        auto const* array = std::get_if<Value::Array>(&value->data);
        if (array == nullptr) return wrong(path_of(name), "an array");
        for (std::size_t i = 0; i < array->size(); ++i) {
            auto item = decode((*array)[i], path_of(name) + "[" + std::to_string(i) + "]");
            if (!item) return fail(std::move(item).error());
            field.push_back(std::move(item).value());
        }
    }
    // One member that must be there, read by `decode(Value const&, path) -> Result<T>`.
    template <class T, class F> void object(std::string_view name, T& field, F decode) {
        auto const* value = member(name);
        if (value == nullptr) return missing(name);
        auto inner = decode(*value, path_of(name));
        if (!inner) return fail(std::move(inner).error());
        field = std::move(inner).value();
    }
    // A member to be read in another way; null when absent.
    [[nodiscard]] Value const* member(std::string_view name);
    void fail(Error error);

    // The first fault, or Invalid for the first member that nobody asked for (with the nearest name asked
    // for).
    [[nodiscard]] Result<void> finish() const;
    // The same, with unknown members welcome: for answers of a newer peer.
    [[nodiscard]] Result<void> finish_lenient() const;

  private:
    void read(Value const& value, std::string const& path, std::string& field);
    void read(Value const& value, std::string const& path, bool& field);
    void read(Value const& value, std::string const& path, std::int64_t& field);
    void read(Value const& value, std::string const& path, double& field);
    void read(Value const& value, std::string const& path, std::vector<std::string>& field);
    [[nodiscard]] std::string path_of(std::string_view name) const;
    void missing(std::string_view name);
    void wrong(std::string const& path, std::string_view wanted);

    Value::Object const* object_{nullptr};
    std::string path_;
    std::vector<std::string> asked_{};
    std::optional<Error> fault_{};
};

}  // namespace hal0::json
