#pragma once
// Text for people: widths, colours, tables, amounts and ages.
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/units.hpp"
#include "cli/terminal.hpp"

namespace hal0::cli {

std::size_t columns_of(std::string_view text);                   // code points
std::string cut(std::string_view text, std::size_t columns);     // with "…" where something is left out
std::string padded(std::string_view text, std::size_t columns);  // with spaces at the end
// Broken at spaces so that no line is longer than `columns`; a longer word stands alone.
std::vector<std::string> wrapped(std::string_view text, std::size_t columns);
// Without what a terminal would obey: text that strangers wrote (a model, a log) must not move the cursor.
std::string printable(std::string_view text);

enum class Style { Plain, Bold, Dim, Good, Warn, Bad };
std::string styled(std::string_view text, Style style);
// The same where `stream` shows colours, else the text alone.
std::string painted(Terminal const& terminal, Stream stream, std::string_view text, Style style);

std::string ago(WallTime then, WallTime now);                  // "now", "3 min ago", "5 h ago", "12 days ago"
std::string lasting(std::int64_t seconds);                     // "42 s", "3 min 5 s", "5 h 10 min", "12 days"
std::string plural(std::size_t count, std::string_view noun);  // "1 slot", "3 slots"

struct Cell {
    std::string text{};
    Style style{Style::Plain};
    bool operator==(Cell const&) const = default;
};
enum class Align { Left, Right };
enum class Cut { Last, First };  // which columns give way where a terminal is too narrow
struct Column {
    std::string title{};
    Align align{Align::Left};
    Cut cut{Cut::Last};
};

// Aligned columns, two spaces between them, no lines drawn. What doesn't fit on a terminal is cut in the
// columns that say so, and then in the last one; for a pipe nothing is cut.
class Table {
  public:
    explicit Table(std::vector<Column> columns) : columns_{std::move(columns)} {}
    void row(std::vector<Cell> cells) {
        for (auto& cell : cells)
            cell.text = printable(cell.text);
        rows_.push_back(std::move(cells));
    }
    [[nodiscard]] bool empty() const { return rows_.empty(); }
    [[nodiscard]] std::string render(Terminal const& terminal) const;

  private:
    [[nodiscard]] std::vector<std::size_t> widths(Terminal const& terminal) const;

    std::vector<Column> columns_;
    std::vector<std::vector<Cell>> rows_{};
};

}  // namespace hal0::cli
