#include "base/text.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>

#include "base/format.hpp"

namespace hal0 {
namespace {

char lower_char(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

// How many letters must be put in, left out, replaced or swapped with their neighbour (optimal string
// alignment); both are short names.
std::size_t distance(std::string_view a, std::string_view b) {
    std::vector<std::size_t> before(b.size() + 1), row(b.size() + 1), next(b.size() + 1);
    for (std::size_t j = 0; j <= b.size(); ++j)
        row[j] = j;
    for (std::size_t i = 1; i <= a.size(); ++i) {
        next[0] = i;
        for (std::size_t j = 1; j <= b.size(); ++j) {
            bool const same = lower_char(a[i - 1]) == lower_char(b[j - 1]);
            next[j] = std::min({row[j - 1] + (same ? 0 : 1), row[j] + 1, next[j - 1] + 1});
            bool const swapped = i > 1 && j > 1 && lower_char(a[i - 1]) == lower_char(b[j - 2]) &&
                                 lower_char(a[i - 2]) == lower_char(b[j - 1]);
            if (swapped) next[j] = std::min(next[j], before[j - 2] + 1);
        }
        before.swap(row);
        row.swap(next);
    }
    return row[b.size()];
}

}  // namespace

std::string_view trim(std::string_view text) {
    constexpr std::string_view blank = " \t\r\n";
    auto const first = text.find_first_not_of(blank);
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(blank) - first + 1);
}

std::vector<std::string_view> split(std::string_view text, char mark) {
    std::vector<std::string_view> parts;
    if (text.empty()) return parts;
    while (true) {
        auto const end = text.find(mark);
        parts.push_back(text.substr(0, end));
        if (end == std::string_view::npos) return parts;
        text.remove_prefix(end + 1);
    }
}

std::string join(std::vector<std::string> const& parts, std::string_view between) {
    std::string out;
    for (auto const& part : parts) {
        if (!out.empty()) out += between;
        out += part;
    }
    return out;
}

std::string lower(std::string_view text) {
    std::string out{text};
    std::transform(out.begin(), out.end(), out.begin(), lower_char);
    return out;
}

bool equal_fold(std::string_view a, std::string_view b) {
    return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin(),
                                              [](char x, char y) { return lower_char(x) == lower_char(y); });
}

std::optional<std::int64_t> to_int(std::string_view text) {
    std::int64_t number = 0;
    auto const [end, fault] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (fault != std::errc{} || end != text.data() + text.size() || text.empty()) return std::nullopt;
    return number;
}

std::string human(Bytes bytes) {
    constexpr std::array units{"B", "KiB", "MiB", "GiB", "TiB"};
    auto amount = static_cast<double>(bytes.count);
    std::size_t unit = 0;
    while (amount >= 1024 && unit + 1 < units.size()) {
        amount /= 1024;
        ++unit;
    }
    if (unit == 0 || amount >= 100) return format("{:.0f} {}", amount, units.at(unit));
    return format("{:.1f} {}", amount, units.at(unit));
}

std::string clipped(std::string_view text) {
    if (text.size() <= clipped_bytes_max) return std::string{text};
    auto end = clipped_bytes_max;
    auto const inside_character = [&] { return (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80; };
    for (int back = 0; back < 3 && inside_character(); ++back)
        --end;
    return std::string{text.substr(0, end)} + "…";
}

std::optional<std::string> nearest(std::string_view text, std::vector<std::string> const& names) {
    std::optional<std::string> best;
    if (text.size() > nearest_bytes_max) return best;
    std::size_t best_distance = std::max<std::size_t>(1, text.size() / 3) + 1;
    for (auto const& name : names) {
        auto const longer = std::max(text.size(), name.size()) - std::min(text.size(), name.size());
        if (longer >= best_distance) continue;  // each letter of that is a mistake
        auto const d = distance(text, name);
        if (d < best_distance) {
            best_distance = d;
            best = name;
        }
    }
    return best;
}

bool valid_utf8(std::string_view text) {
    // RFC 3629 §4: the table of well-formed byte sequences.
    std::size_t i = 0;
    auto byte = [&](std::size_t at) { return static_cast<unsigned char>(text[at]); };
    while (i < text.size()) {
        unsigned char const lead = byte(i);
        if (lead < 0x80) {
            ++i;
            continue;
        }
        std::size_t const length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
        if (lead < 0xC2 || lead > 0xF4 || text.size() - i < length) return false;
        unsigned char const low = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
        unsigned char const high = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
        if (byte(i + 1) < low || byte(i + 1) > high) return false;
        for (std::size_t k = 2; k < length; ++k) {
            if ((byte(i + k) & 0xC0U) != 0x80) return false;
        }
        i += length;
    }
    return true;
}

}  // namespace hal0
