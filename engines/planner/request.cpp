#include "request.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <system_error>
#include <utility>

namespace hal0::planner {
namespace {

// The part up to `mark`, which is taken off `rest` together with it.
std::string_view take(std::string_view& rest, char mark) {
    auto const end = std::min(rest.find(mark), rest.size());
    auto const part = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    return part;
}

template <class Number> bool read(std::string_view text, Number& field) {
    auto const* const end = text.data() + text.size();
    auto const [at, fault] = std::from_chars(text.data(), end, field);
    return fault == std::errc{} && at == end;
}

bool read(std::string_view text, bool& field) {
    field = text == "1";
    return field || text == "0";
}

bool read(std::string_view text, ggml_type& field) {
    for (int i = 0; i < GGML_TYPE_COUNT; ++i) {
        auto const type = static_cast<ggml_type>(i);
        char const* const name = ggml_type_name(type);
        if (name == nullptr || text != name) continue;
        field = type;
        return true;
    }
    return false;
}

bool read(std::string_view text, llama_flash_attn_type& field) {
    constexpr std::array<std::pair<std::string_view, llama_flash_attn_type>, 3> words{
        {{"auto", LLAMA_FLASH_ATTN_TYPE_AUTO},
         {"on", LLAMA_FLASH_ATTN_TYPE_ENABLED},
         {"off", LLAMA_FLASH_ATTN_TYPE_DISABLED}}};
    auto const* const found =
        std::find_if(words.begin(), words.end(), [&](auto const& word) { return word.first == text; });
    if (found == words.end()) return false;
    field = found->second;
    return true;
}

// Nothing for a key that is not known.
std::optional<bool> read_into(Request& request, std::string_view key, std::string_view value) {
    if (key == "context") return read(value, request.context);
    if (key == "parallel") return read(value, request.parallel);
    if (key == "unified") return read(value, request.unified);
    if (key == "batch") return read(value, request.batch);
    if (key == "ubatch") return read(value, request.ubatch);
    if (key == "outputs") return read(value, request.outputs);
    if (key == "outputs_each") return read(value, request.outputs_each);
    if (key == "states") return read(value, request.states);
    if (key == "kv_k") return read(value, request.kv_k);
    if (key == "kv_v") return read(value, request.kv_v);
    if (key == "flash") return read(value, request.flash);
    if (key == "gpu_layers") return read(value, request.gpu_layers);
    if (key == "embeddings") return read(value, request.embeddings);
    if (key == "load_mtp") return read(value, request.load_mtp);
    if (key == "mtp") return read(value, request.mtp);
    return std::nullopt;
}

}  // namespace

std::variant<Request, std::string> parse_request(std::string_view line) {
    Request request;
    while (!line.empty()) {
        auto const word = take(line, ' ');
        if (word.empty()) continue;
        auto value = word;
        auto const key = take(value, '=');
        auto const good = read_into(request, key, value);
        if (!good) return "no setting is named '" + std::string{key} + "'";
        if (!*good) return "'" + std::string{word} + "' can't be read";
    }
    if (request.context == 0) return std::string{"context= is missing"};
    return request;
}

}  // namespace hal0::planner
