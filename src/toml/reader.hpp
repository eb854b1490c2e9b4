#pragma once
// Reading a table's keys into fields, with errors that name file, line, column and key.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.hpp"
#include "toml/document.hpp"

namespace hal0::toml {

// The first fault is kept and given by finish(); reading on after it is harmless. Keys that nobody asked for
// are no fault: unknown() names them, for a warning.
class TableReader {
  public:
    // The document's root table.
    explicit TableReader(Document const& document) : TableReader{document, document.root(), ""} {}
    // A table within it, which errors call by `name`.
    TableReader(Document const& document, Value const& table, std::string name);

    // The key must be there and of the field's type.
    template <class T> void required(std::string_view name, T& field) {
        if (auto const* found = member(name)) return read(*found, field);
        missing(name);
    }
    // Absent leaves the field as it is.
    template <class T> void optional(std::string_view name, T& field) {
        if (auto const* found = member(name)) read(*found, field);
    }
    // Absent empties the field.
    template <class T> void optional(std::string_view name, std::optional<T>& field) {
        field.reset();
        auto const* const found = member(name);
        if (found == nullptr) return;
        T inner{};
        read(*found, inner);
        field = std::move(inner);
    }
    // A string counts as an array of one.
    void one_or_more(std::string_view name, std::vector<std::string>& field);
    // The table of that name; null when absent or, which is a fault, no table.
    [[nodiscard]] Value const* table(std::string_view name);
    // A key to be read in another way; null when absent.
    [[nodiscard]] Member const* member(std::string_view name);

    // The value of `name` is of the right type and wrong all the same: "PLACE: NAME WHY", at the key where it
    // stands in the file.
    void refuse(std::string_view name, std::string_view why);
    void fail(Error error);

    [[nodiscard]] Result<void> finish() const;
    // One line for each key that nobody asked for, with the nearest one that somebody did.
    [[nodiscard]] std::vector<std::string> unknown() const;
    // The keys that somebody asked for, in that order, some more than once.
    [[nodiscard]] std::vector<std::string> const& asked() const { return asked_; }

  private:
    void read(Member const& found, std::string& field);
    void read(Member const& found, bool& field);
    void read(Member const& found, std::int64_t& field);
    void read(Member const& found, std::vector<std::string>& field);
    [[nodiscard]] std::string full_name(std::string_view name) const;
    void missing(std::string_view name);
    void wrong(Member const& found, Value const& at, std::string_view wanted);

    Document const& document_;
    Value const& table_;
    std::string name_;
    std::vector<std::string> asked_{};
    std::optional<Error> fault_{};
};

}  // namespace hal0::toml
