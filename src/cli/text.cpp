#include "cli/text.hpp"

#include <algorithm>
#include <chrono>

#include "base/format.hpp"
#include "base/text.hpp"

namespace hal0::cli {
namespace {

constexpr std::string_view ellipsis = "…";
constexpr std::size_t gap = 2;
constexpr std::size_t cut_columns_min = 8;

bool begins_code_point(char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; }

std::string_view code_of(Style style) {
    switch (style) {
        case Style::Plain: return "";
        case Style::Bold: return "\033[1m";
        case Style::Dim: return "\033[2m";
        case Style::Good: return "\033[32m";
        case Style::Warn: return "\033[33m";
        case Style::Bad: return "\033[31m";
    }
    return "";
}

}  // namespace

std::size_t columns_of(std::string_view text) {
    return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), begins_code_point));
}

std::string cut(std::string_view text, std::size_t columns) {
    if (columns_of(text) <= columns) return std::string{text};
    if (columns == 0) return {};
    std::size_t end = 0;
    for (std::size_t seen = 0; end < text.size(); ++end) {
        if (begins_code_point(text[end]) && ++seen == columns) break;
    }
    return std::string{trim(text.substr(0, end))} + std::string{ellipsis};
}

std::string padded(std::string_view text, std::size_t columns) {
    auto const used = columns_of(text);
    return std::string{text} + std::string(columns > used ? columns - used : 0, ' ');
}

std::vector<std::string> wrapped(std::string_view text, std::size_t columns) {
    std::vector<std::string> lines;
    for (auto const word : split(text, ' ')) {
        bool const fits = !lines.empty() && columns_of(lines.back()) + 1 + columns_of(word) <= columns;
        if (fits) {
            (lines.back() += ' ') += word;
        } else {
            lines.emplace_back(word);
        }
    }
    return lines;
}

std::string printable(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    for (std::size_t i = 0; i < text.size(); ++i) {
        auto const byte = static_cast<unsigned char>(text[i]);
        // U+0080 to U+009F: terminals obey these as they obey ESC sequences.
        bool const c1 = byte == 0xC2 && i + 1 < text.size() && static_cast<unsigned char>(text[i + 1]) < 0xA0;
        if (c1) {
            ++i;
        } else if ((byte >= 0x20 && byte != 0x7F) || byte == '\n' || byte == '\t') {
            out += text[i];
        }
    }
    return out;
}

std::string styled(std::string_view text, Style style) {
    if (style == Style::Plain || text.empty()) return std::string{text};
    return format("{}{}\033[0m", code_of(style), text);
}

std::string painted(Terminal const& terminal, Stream stream, std::string_view text, Style style) {
    bool const shows = terminal.colours() && terminal.is_tty(stream);
    return shows ? styled(text, style) : std::string{text};
}

std::string lasting(std::int64_t seconds) {
    constexpr std::int64_t minute = 60, hour = 60 * minute, day = 24 * hour;
    if (seconds < minute) return format("{} s", std::max<std::int64_t>(seconds, 0));
    if (seconds < 10 * minute && seconds % minute != 0)
        return format("{} min {} s", seconds / minute, seconds % minute);
    if (seconds < hour) return format("{} min", seconds / minute);
    if (seconds < day && seconds % hour >= minute)
        return format("{} h {} min", seconds / hour, seconds % hour / minute);
    if (seconds < day) return format("{} h", seconds / hour);
    return plural(static_cast<std::size_t>(seconds / day), "day");
}

std::string ago(WallTime then, WallTime now) {
    constexpr std::int64_t minute = 60, hour = 60 * minute, day = 24 * hour;
    auto const seconds = std::chrono::duration_cast<std::chrono::seconds>(now - then).count();
    if (seconds < 2) return "now";
    if (seconds < minute) return format("{} s ago", seconds);
    if (seconds < hour) return format("{} min ago", seconds / minute);
    if (seconds < 2 * day) return format("{} h ago", seconds / hour);
    return format("{} days ago", seconds / day);
}

std::string plural(std::size_t count, std::string_view noun) {
    return format("{} {}{}", count, noun, count == 1 ? "" : "s");
}

std::vector<std::size_t> Table::widths(Terminal const& terminal) const {
    std::vector<std::size_t> widths;
    std::size_t total = 0;
    for (std::size_t c = 0; c < columns_.size(); ++c) {
        auto width = columns_of(columns_[c].title);
        for (auto const& row : rows_)
            width = std::max(width, columns_of(row.at(c).text));
        widths.push_back(width);
        total += width + (c == 0 ? 0 : gap);
    }
    if (!terminal.is_tty(Stream::Out)) return widths;
    for (std::size_t c = 0; c < columns_.size(); ++c) {
        if (columns_[c].cut != Cut::First || total <= terminal.width()) continue;
        auto const least = std::min(widths[c], cut_columns_min);
        auto const taken = std::min(widths[c] - least, total - terminal.width());
        widths[c] -= taken;
        total -= taken;
    }
    if (total > terminal.width()) widths.back() -= std::min(widths.back(), total - terminal.width());
    return widths;
}

std::string Table::render(Terminal const& terminal) const {
    auto const widths = this->widths(terminal);
    std::string out;
    auto put = [&](std::size_t c, Cell const& cell) {
        bool const last = c + 1 == columns_.size();
        auto const text = cut(cell.text, widths[c]);
        auto const space = std::string(widths[c] - columns_of(text), ' ');
        if (columns_[c].align == Align::Right) out += space;
        out += painted(terminal, Stream::Out, text, cell.style);
        if (columns_[c].align == Align::Left && !last) out += space;
        if (!last) {
            out += std::string(gap, ' ');
            return;
        }
        while (out.ends_with(' '))  // an empty cell at the end needs no room
            out.pop_back();
        out += "\n";
    };
    for (std::size_t c = 0; c < columns_.size(); ++c)
        put(c, {columns_[c].title, Style::Dim});
    for (auto const& row : rows_) {
        for (std::size_t c = 0; c < columns_.size(); ++c)
            put(c, row.at(c));
    }
    return out;
}

}  // namespace hal0::cli
