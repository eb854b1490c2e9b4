#include "api/endpoints.hpp"

#include <array>

namespace hal0::api {
namespace {

using dispatch::Work;
using http::Method;

constexpr std::array table{
    Endpoint{"/v1/chat/completions", Method::Post, Serve::Relay, Work::Chat, "/v1/chat/completions",
             "Chat (OpenAI)", StreamErrors::OpenAi},
    Endpoint{"/v1/completions", Method::Post, Serve::Relay, Work::Chat, "/v1/completions",
             "Text completion (OpenAI)", StreamErrors::OpenAi},
    Endpoint{"/v1/embeddings", Method::Post, Serve::Relay, Work::Embed, "/v1/embeddings",
             "Embeddings (OpenAI)"},
    Endpoint{"/v1/responses", Method::Post, Serve::Relay, Work::Chat, "/v1/responses", "Responses (OpenAI)",
             StreamErrors::OpenAi},
    Endpoint{"/v1/messages", Method::Post, Serve::Relay, Work::Chat, "/v1/messages", "Messages (Anthropic)",
             StreamErrors::Anthropic},
    Endpoint{"/v1/messages/count_tokens", Method::Post, Serve::Relay, Work::Chat, "/v1/messages/count_tokens",
             "Tokens a message would cost (Anthropic)"},
    Endpoint{"/v1/rerankings", Method::Post, Serve::Rerank, Work::Rerank, "/v1/rerank",
             "Rank documents (Jina, Cohere)"},
    Endpoint{"/v1/rerank", Method::Post, Serve::Rerank, Work::Rerank, "/v1/rerank", "The same"},
    Endpoint{"/rerank", Method::Post, Serve::Rerank, Work::Rerank, "/v1/rerank", "The same"},
    Endpoint{"/tokenize", Method::Post, Serve::Relay, Work::Text, "/tokenize", "Text to tokens (llama.cpp)"},
    Endpoint{"/detokenize", Method::Post, Serve::Relay, Work::Text, "/detokenize",
             "Tokens to text (llama.cpp)"},
    Endpoint{"/v1/models", Method::Get, Serve::Models, Work::Chat, "", "What can be named as model (OpenAI)"},
    Endpoint{"/v1/models/", Method::Get, Serve::Models, Work::Chat, "", "One of them"},
    Endpoint{"/health", Method::Get, Serve::Health, Work::Chat, "", "The gateway is up"},
    Endpoint{"/metrics", Method::Get, Serve::Admin, Work::Chat, "", "Figures of every slot (Prometheus)"},
};

constexpr Endpoint admin{"/api/", Method::Other, Serve::Admin, Work::Chat, "", "The admin API"};

bool matches(Endpoint const& row, std::string_view path) {
    if (row.path.ends_with('/')) return path.size() > row.path.size() && path.starts_with(row.path);
    return path == row.path;
}

std::string_view allowed(Method method) {
    return method == Method::Get ? "GET, HEAD, OPTIONS" : "POST, OPTIONS";
}

}  // namespace

std::span<Endpoint const> endpoints() { return table; }

Lookup find_endpoint(Method method, std::string_view path) {
    if (path.starts_with(admin.path)) return {&admin, {}};
    if (method == Method::Head) method = Method::Get;
    for (auto const& row : table) {
        if (!matches(row, path)) continue;
        return {row.method == method ? &row : nullptr, allowed(row.method)};
    }
    return {};
}

}  // namespace hal0::api
