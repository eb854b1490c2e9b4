#pragma once
// What a model is for. One word everywhere: slot files, the catalogue, the API, the CLI. wire/, which uses no
// domain room, documents the same words; a test of api/ holds the two against each other.
#include <array>
#include <optional>
#include <string>
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

static_assert(kind_from("embed") == Kind::Embed && !kind_from("embeddings"));

// "chat, embed, …": for what says that a word is none of them.
inline std::string kind_list(std::string_view around = "") {
    std::string list;
    for (auto const& entry : kind_names) {
        if (!list.empty()) list += ", ";
        list.append(around).append(entry.name).append(around);
    }
    return list;
}

}  // namespace hal0::models
