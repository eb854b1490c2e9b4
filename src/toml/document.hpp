#pragma once
// A TOML 1.0 document as a plain tree that knows where in the text everything stands, so that errors name the
// place and an edit touches nothing else.
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.hpp"

namespace hal0::toml {

inline constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";  // a text may begin with it (RFC 3629 §6)
inline constexpr std::size_t depth_max = 64;  // values in values, and parts of one dotted key

// Bytes of the text, from `begin` up to but not including `end`.
struct Span {
    std::size_t begin{0};
    std::size_t end{0};
};

// How a value came into the document.
enum class Form : std::uint8_t {
    Written,  // behind a '=' or in an array
    Header,   // a table of its own [header]; the array of some [[header]]
    Implied,  // a table only named on the way to another one: a in [a.b]
    Dotted,   // a table made by a dotted key: a in a.b = 1
};

// A date, a time or both, as it is written.
struct Moment {
    std::string text{};
    bool operator==(Moment const&) const = default;
};

struct Member;

struct Value {
    using Array = std::vector<Value>;
    using Table = std::vector<Member>;  // in the order of the text
    // No initializer: with one, clang wants Member complete here. A variant begins as its first, false.
    std::variant<bool, std::int64_t, double, std::string, Moment, Array, Table> data;
    Form form{Form::Written};
    Span
        span{};  // the value's text; of a table its header or, dotted, its key; of [[…]] first to last header

    [[nodiscard]] bool is_table() const { return std::holds_alternative<Table>(data); }
    // The member of that name; null when there is none or this is not a table.
    [[nodiscard]] Member const* find(std::string_view name) const;
};

struct Member {
    std::string name{};
    Span key{};
    Value value{};
};

// "a string", "a whole number", …: for errors.
std::string_view kind_of(Value const& value);

// Whether both say the same, however they are written and in whatever order the keys stand.
bool same(Value const& a, Value const& b);

class Document {
  public:
    // Corrupt, naming the place and what is wrong there, when `text` is not TOML. `path` is for errors.
    static Result<Document> parse(std::string text, std::string path);

    [[nodiscard]] std::string const& text() const { return text_; }
    [[nodiscard]] std::string const& path() const { return path_; }
    [[nodiscard]] Value const& root() const { return root_; }
    [[nodiscard]] std::string_view text_of(Span span) const {
        return std::string_view{text_}.substr(span.begin, span.end - span.begin);
    }
    // "slots/primary.toml:3:11"; lines and columns count from 1, columns in characters.
    [[nodiscard]] std::string place(std::size_t offset) const;

  private:
    Document(std::string text, std::string path) : text_{std::move(text)}, path_{std::move(path)} {}

    std::string text_;
    std::string path_;
    Value root_{};
};

}  // namespace hal0::toml
