#include "api/answer_figures.hpp"

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstring>

namespace hal0::api {
namespace {

// In JSON text these can't be within a string: its quotes are escaped there. What is looked at besides is
// bounded: the objects nearest to the end, of which llama-server's figures are the last or nearly so.
constexpr std::string_view timings_name = "\"timings\":{";
constexpr std::string_view usage_name = "\"usage\":{";
constexpr int objects_looked_at = 4;
constexpr std::size_t object_bytes_max = 512;

// Each member of `object` that is a number, and of the objects in it: on(name, text that begins with it).
// They are a worker's own, and simple: no name has an escape, no member is a text.
template <class OnNumber> void each_number(std::string_view object, OnNumber on) {
    int depth = 0;
    std::size_t at = 0;
    while (at < object.size()) {
        char const c = object[at++];
        if (c == '{') ++depth;
        if (c == '}' && --depth == 0) return;
        if (c != '"') continue;
        auto const name_ends = object.find('"', at);
        if (name_ends == std::string_view::npos || name_ends + 1 >= object.size()) return;
        if (object[name_ends + 1] != ':') return;
        on(object.substr(at, name_ends - at), object.substr(name_ends + 2));
        at = name_ends + 2;
    }
}

template <class Number> void take(std::string_view text, Number& into) {
    Number number{};
    auto const read = std::from_chars(text.data(), text.data() + text.size(), number);
    if (read.ec == std::errc{} && number >= 0) into = number;
}

// `prompt_n` is what was computed of the prompt, without what the cache had.
void read_timings(std::string_view object, history::AnswerFigures& into) {
    std::int32_t computed = -1;
    each_number(object, [&](std::string_view name, std::string_view number) {
        if (name == "prompt_n") take(number, computed);
        if (name == "cache_n") take(number, into.cached_tokens);
        if (name == "predicted_n") take(number, into.generated_tokens);
        if (name == "prompt_ms") take(number, into.prompt_ms);
        if (name == "predicted_ms") take(number, into.generated_ms);
    });
    if (computed >= 0) into.prompt_tokens = computed + std::max(into.cached_tokens, 0);
}

// OpenAI's two names for each, and Anthropic's, whose input_tokens are without the cached ones. A stream of
// Anthropic's tells the first figures at its beginning, the last one at its end.
void read_usage(std::string_view object, history::AnswerFigures& into) {
    std::int32_t of_cache = -1;
    each_number(object, [&](std::string_view name, std::string_view number) {
        if (name == "prompt_tokens" || name == "input_tokens") take(number, into.prompt_tokens);
        if (name == "cached_tokens") take(number, into.cached_tokens);
        if (name == "completion_tokens" || name == "output_tokens") take(number, into.generated_tokens);
        if (name == "cache_read_input_tokens") take(number, of_cache);
    });
    if (of_cache < 0) return;
    into.cached_tokens = of_cache;
    if (into.prompt_tokens >= 0) into.prompt_tokens += of_cache;
}

// Whether the object that begins at `brace` is the one of that name.
bool is_named(std::string_view piece, std::size_t brace, std::string_view name) {
    auto const end = brace + 1;
    return end >= name.size() && piece.substr(end - name.size(), name.size()) == name;
}

// The last '{' before `end`; npos where there is none.
std::size_t brace_before(std::string_view piece, std::size_t end) {
    auto const* const at = ::memrchr(piece.data(), '{', end);
    if (at == nullptr) return std::string_view::npos;
    return static_cast<std::size_t>(static_cast<char const*>(at) - piece.data());
}

// Of a stream, whose other events are not looked into: that with `timings` or `usage` ends with two braces,
// or the end of the stream stands behind it.
bool may_tell(std::string_view piece) {
    if (!piece.ends_with("\n\n")) return true;
    return piece.ends_with("}}\n\n") || piece.ends_with("DONE]\n\n") || piece.ends_with("stop\"}\n\n");
}

}  // namespace

void read_figures(std::string_view piece, history::AnswerFigures& into) {
    if (!may_tell(piece)) return;
    auto end = piece.size();
    for (int looked = 0; looked < objects_looked_at; ++looked) {
        auto const brace = brace_before(piece, end);
        if (brace == std::string_view::npos) return;
        if (is_named(piece, brace, timings_name))
            return read_timings(piece.substr(brace, object_bytes_max), into);
        if (is_named(piece, brace, usage_name))
            return read_usage(piece.substr(brace, object_bytes_max), into);
        end = brace;
    }
    // Embeddings have it before their vectors: the first object in the whole one.
    auto const inner = piece.starts_with('{') ? piece.find('{', 1) : std::string_view::npos;
    if (inner != std::string_view::npos && is_named(piece, inner, usage_name))
        read_usage(piece.substr(inner, object_bytes_max), into);
}

}  // namespace hal0::api
