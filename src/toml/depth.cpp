#include "toml/depth.hpp"

#include <algorithm>

namespace hal0::toml {
namespace {

// Behind the string that begins at `at`; the end of the text when it is never closed.
std::size_t behind_string(std::string_view text, std::size_t at) {
    char const quote = text[at];
    std::string_view const triple = quote == '"' ? R"(""")" : "'''";
    bool const long_form = text.substr(at).starts_with(triple);
    std::string_view const closing = long_form ? triple : triple.substr(0, 1);
    for (at += closing.size(); at < text.size(); ++at) {
        if (text[at] == '\\' && quote == '"') {
            ++at;
        } else if (text.substr(at).starts_with(closing)) {
            at += closing.size();
            // A long string may end in quotes of its own: """so "it" is""""" holds two more.
            while (long_form && at < text.size() && text[at] == quote)
                ++at;
            return at;
        } else if (!long_form && text[at] == '\n') {
            return at;
        }
    }
    return text.size();
}

}  // namespace

std::optional<std::size_t> too_deep(std::string_view text, std::size_t parts_max) {
    constexpr std::string_view between_keys = "\n=[]{},";
    std::size_t dots = 0;
    std::size_t at = 0;
    while (at < text.size()) {
        char const c = text[at];
        if (c == '"' || c == '\'') {
            at = behind_string(text, at);
            continue;
        }
        if (c == '#') {
            at = std::min(text.find('\n', at), text.size());
            continue;
        }
        if (between_keys.find(c) != std::string_view::npos) dots = 0;
        if (c == '.' && ++dots >= parts_max) return at;
        ++at;
    }
    return std::nullopt;
}

}  // namespace hal0::toml
