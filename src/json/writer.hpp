#pragma once
// Writes JSON straight into a string: no tree, commas put by itself.
#include <concepts>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace hal0::json {

class Writer {
  public:
    Writer& begin_object();
    Writer& end_object();
    Writer& begin_array();
    Writer& end_array();
    Writer& key(std::string_view name);

    Writer& value(std::string_view text);  // malformed UTF-8 becomes U+FFFD
    Writer& value(char const* text) { return value(std::string_view{text}); }
    Writer& value(std::string const& text) { return value(std::string_view{text}); }
    Writer& value(double number);  // the shortest text that reads back as the same; null when not finite
    Writer& null();
    Writer& raw(std::string_view json);  // a value that is JSON already
    Writer& value(std::same_as<bool> auto flag) { return raw(flag ? "true" : "false"); }
    Writer& value(std::integral auto number)
        requires(!std::same_as<decltype(number), bool>)
    {
        return raw(std::to_string(number));
    }
    template <class T> Writer& value(std::optional<T> const& maybe) { return maybe ? value(*maybe) : null(); }
    Writer& value(std::vector<std::string> const& texts);

    template <class T> Writer& field(std::string_view name, T const& what) {
        key(name);
        return value(what);
    }
    Writer& field(std::string_view name, char const* what) { return key(name).value(std::string_view{what}); }

    [[nodiscard]] std::string const& text() const { return out_; }
    [[nodiscard]] std::string take() { return std::move(out_); }

  private:
    void separate();
    std::string out_{};
    bool comma_{false};  // the next value or key follows another
};

std::string quoted(std::string_view text);  // as a JSON string

}  // namespace hal0::json
