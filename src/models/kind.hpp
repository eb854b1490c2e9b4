#pragma once
// What a model is for. One word everywhere: slot files, the catalogue, the API, the CLI.
#include <array>
#include <optional>
#include <string_view>

namespace hal0::models {

enum class Kind { Chat, Embed, Rerank, Stt, Tts, Image };

struct KindName {
    Kind kind;
    std::string_view name;
};
inline constexpr std::array kind_names{KindName{Kind::Chat, "chat"},     KindName{Kind::Embed, "embed"},
                                       KindName{Kind::Rerank, "rerank"}, KindName{Kind::Stt, "stt"},
                                       KindName{Kind::Tts, "tts"},       KindName{Kind::Image, "image"}};

constexpr std::string_view to_string(Kind kind) {
    for (auto const& entry : kind_names) {
        if (entry.kind == kind) return entry.name;
    }
    return "?";
}
constexpr std::optional<Kind> kind_from(std::string_view name) {
    for (auto const& entry : kind_names) {
        if (entry.name == name) return entry.kind;
    }
    return std::nullopt;
}

}  // namespace hal0::models
