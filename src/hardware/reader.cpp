#include "hardware/reader.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

#include "base/format.hpp"
#include "base/text.hpp"

namespace hal0::hardware {
namespace {

constexpr std::int64_t bytes_max = std::int64_t{1} << 62;

}  // namespace

std::optional<Bytes> to_bytes(std::string_view text) {
    auto const count = to_int(text);
    if (!count || *count < 0 || *count > bytes_max) return std::nullopt;
    return Bytes{*count};
}

std::optional<Bytes> to_bytes_of_kib(std::string_view text) {
    if (!text.ends_with(" kB")) return std::nullopt;
    auto const count = to_bytes(trim(text.substr(0, text.size() - 3)));
    if (!count || count->count > bytes_max / 1024) return std::nullopt;
    return Bytes{count->count * 1024};
}

std::optional<std::int64_t> from_hex(std::string_view text) {
    if (text.starts_with("0x")) text.remove_prefix(2);
    std::uint32_t number = 0;
    auto const [end, fault] = std::from_chars(text.data(), text.data() + text.size(), number, 16);
    if (fault != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return number;
}

std::optional<std::int64_t> count_of_list(std::string_view text) {
    std::int64_t count = 0;
    for (auto const part : split(trim(text), ',')) {
        auto const dash = part.find('-');
        auto const first = to_int(part.substr(0, dash));
        auto const last = dash == std::string_view::npos ? first : to_int(part.substr(dash + 1));
        constexpr std::int64_t number_max = 1 << 20;
        if (!first || !last || *first < 0 || *last < *first || *last > number_max) return std::nullopt;
        count += *last - *first + 1;
    }
    return count;
}

std::string printable(std::string_view text) {
    if (!valid_utf8(text)) text = text.substr(0, 0);
    std::string out;
    for (char const c : text) {
        auto const byte = static_cast<unsigned char>(c);
        if (byte >= 0x20 && byte != 0x7f) out += c;
    }
    return std::string{trim(out)};
}

std::optional<std::string> Reader::maybe(std::string const& path, Bytes max) {
    auto content = files_.read(path, max);
    if (content) return std::move(content).value();
    // What isn't there, and what this user may not see, is simply unknown; anything else is worth a word.
    auto const kind = content.error().kind;
    if (kind != Errc::NotFound && kind != Errc::Forbidden) warn(content.error().message);
    return std::nullopt;
}

std::optional<std::string> Reader::text(std::string const& path, Bytes max) {
    auto const content = maybe(path, max);
    if (!content) return std::nullopt;
    auto const trimmed = trim(*content);
    return trimmed.empty() ? std::nullopt : std::optional<std::string>{trimmed};
}

std::optional<Bytes> Reader::bytes(std::string const& path) {
    auto const content = maybe(path, os::kernel_file_bytes_max);
    if (!content) return std::nullopt;
    auto const size = to_bytes(trim(*content));
    if (!size) warn(format("{} holds '{}', which is no size", path, clipped(printable(*content))));
    return size;
}

std::optional<Bytes> Reader::bytes_up_to(std::string const& path, std::optional<Bytes> most) {
    auto const size = bytes(path);
    if (!size || !most || *size <= *most) return size;
    warn(format("{} says {}, and no such box has more than {}", path, human(*size), human(*most)));
    return std::nullopt;
}

std::optional<std::int64_t> Reader::number(std::string const& path) {
    auto const content = maybe(path, os::kernel_file_bytes_max);
    if (!content) return std::nullopt;
    auto const found = to_int(trim(*content));
    if (!found) warn(format("{} holds '{}', which is no number", path, clipped(printable(*content))));
    return found;
}

std::optional<std::int64_t> Reader::hex(std::string const& path) {
    auto const content = maybe(path, os::kernel_file_bytes_max);
    if (!content) return std::nullopt;
    auto const found = from_hex(trim(*content));
    if (!found)
        warn(format("{} holds '{}', which is no hexadecimal number", path, clipped(printable(*content))));
    return found;
}

std::map<std::string, std::string, std::less<>> Reader::pairs(std::string const& path, char between) {
    constexpr Bytes pairs_bytes_max = 4_MiB;  // /proc/cpuinfo of a large server
    std::map<std::string, std::string, std::less<>> found;
    auto const content = maybe(path, pairs_bytes_max);
    if (!content) return found;
    for (auto const line : split(*content, '\n')) {
        auto const at = line.find(between);
        if (at == std::string_view::npos) continue;
        found.try_emplace(std::string{trim(line.substr(0, at))}, trim(line.substr(at + 1)));
    }
    return found;
}

std::vector<std::string> Reader::names(std::string const& directory) {
    auto listed = files_.list(directory);
    if (listed) return std::move(listed).value();
    if (listed.error().kind != Errc::NotFound && listed.error().kind != Errc::Forbidden)
        warn(listed.error().message);
    return {};
}

void Reader::warn(std::string text) {
    constexpr std::size_t warnings_max = 100;
    if (warnings_.size() < warnings_max &&
        std::find(warnings_.begin(), warnings_.end(), text) == warnings_.end())
        warnings_.push_back(std::move(text));
}

}  // namespace hal0::hardware
