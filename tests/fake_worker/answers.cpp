#include "answers.hpp"

#include <algorithm>
#include <ctime>

#include "body.hpp"
#include "vectors.hpp"

namespace fake {
namespace {

// ---- vectors

// The text that it computes with. Garbage makes the same of all, or of each something of its own.
std::string seen(Setup const& setup, std::string const& text) {
    if (setup.garbage.empty()) return text;
    if (setup.garbage != "random") return "the same";
    std::string own;
    for (char const c : text) {
        own += std::to_string(static_cast<int>(c));
    }
    return own;
}

Reply embeddings(Setup const& setup, json::object const& body) {
    if (!setup.embeddings) {
        return error(501, "This server does not support embeddings. Start it with `--embeddings`",
                     "not_supported_error");
    }
    json::value const* input = body.if_contains("input");
    if (input == nullptr)
        return error(400, "\"input\" or \"content\" must be provided", "invalid_request_error");
    json::array texts = input->is_array() ? input->get_array() : json::array{*input};
    if (texts.empty()) return error(400, "\"input\" must not be empty", "invalid_request_error");
    json::value const* format = body.if_contains("encoding_format");
    bool const encoded = format != nullptr && format->is_string() && format->get_string() == "base64";
    long tokens = 0;
    json::array data;
    for (json::value const& text : texts) {
        std::string const words = text.is_string() ? std::string{text.get_string()} : json::serialize(text);
        if (words.empty()) return error(400, "Input content cannot be empty", "invalid_request_error");
        std::vector<float> const values = embed(seen(setup, words), setup.dims);
        json::object row{
            {"embedding", json::value_from(values)}, {"index", data.size()}, {"object", "embedding"}};
        if (setup.garbage == "nan") row["embedding"].get_array()[0] = nullptr;
        if (encoded) row["embedding"] = base64(values), row["encoding_format"] = "base64";
        data.emplace_back(std::move(row));
        tokens += count_tokens(words);
    }
    return plain({{"model", setup.alias},
                  {"object", "list"},
                  {"usage", {{"prompt_tokens", tokens}, {"total_tokens", tokens}}},
                  {"data", std::move(data)}});
}

Reply rerank(Setup const& setup, json::object const& body) {
    if (!setup.reranking) {
        return error(501, "This server does not support reranking. Start it with `--reranking`",
                     "not_supported_error");
    }
    json::value const* query = body.if_contains("query");
    if (query == nullptr || !query->is_string())
        return error(400, "\"query\" must be provided", "invalid_request_error");
    json::value const* documents = body.if_contains("documents");
    if (documents == nullptr || !documents->is_array() || documents->get_array().empty()) {
        return error(400, "\"documents\" must be a non-empty string array", "invalid_request_error");
    }
    auto const wanted = embed(query->get_string(), setup.dims);
    long tokens = 0;
    std::vector<std::pair<double, std::size_t>> ranked;
    for (json::value const& document : documents->get_array()) {
        if (!document.is_string()) {
            return error(400, "\"documents\" must be a non-empty string array", "invalid_request_error");
        }
        auto const text = seen(setup, std::string{document.get_string()});
        ranked.emplace_back(-dot(wanted, embed(text, setup.dims)), ranked.size());
        tokens += count_tokens(query->get_string()) + count_tokens(document.get_string());
    }
    std::sort(ranked.begin(), ranked.end());
    long const top =
        std::clamp(whole(body, "top_n", std::ssize(ranked)), 0L, static_cast<long>(std::ssize(ranked)));
    json::array results;
    for (auto const& [score, index] : ranked) {
        json::value told = setup.garbage == "nan" ? json::value(nullptr) : json::value(-score);
        if (std::ssize(results) < top)
            results.push_back({{"index", index}, {"relevance_score", std::move(told)}});
    }
    return plain({{"model", setup.alias},
                  {"object", "list"},
                  {"usage", {{"prompt_tokens", tokens}, {"total_tokens", tokens}}},
                  {"results", std::move(results)}});
}

// ---- about the server

Reply models(Setup const& setup) {
    json::object row{{"id", setup.alias},
                     {"aliases", json::array{setup.alias}},
                     {"tags", json::array{}},
                     {"object", "model"},
                     {"created", std::time(nullptr)},
                     {"owned_by", "llamacpp"},
                     {"meta",
                      {{"vocab_type", 2},
                       {"n_vocab", 49152},
                       {"n_ctx", setup.context_each()},
                       {"n_ctx_train", 8192},
                       {"n_embd", setup.dims},
                       {"n_params", 1000},
                       {"size", 1000},
                       {"ftype", "F16"}}}};
    json::object old{{"name", setup.alias},
                     {"model", setup.alias},
                     {"type", "model"},
                     {"capabilities", json::array{"completion"}}};
    return plain({{"models", json::array{old}}, {"object", "list"}, {"data", json::array{row}}});
}

Reply props(Setup const& setup) {
    return plain({{"default_generation_settings", {{"n_ctx", setup.context_each()}}},
                  {"total_slots", setup.parallel},
                  {"model_alias", setup.alias},
                  {"model_path", setup.model},
                  {"modalities", {{"vision", false}, {"video", false}, {"audio", false}}},
                  {"endpoint_slots", true},
                  {"endpoint_props", false},
                  {"endpoint_metrics", setup.metrics},
                  {"chat_template", "{{ messages }}"},
                  {"build_info", "b0-fake"},
                  {"is_sleeping", false}});
}

Reply slots(Setup const& setup, Request const& request, int busy) {
    if (request.query == "fail_on_no_slot=1" && busy >= setup.parallel) {
        return error(503, "no slot available", "unavailable_error");
    }
    json::array rows;
    for (int i = 0; i < setup.parallel; ++i) {
        rows.push_back({{"id", i},
                        {"n_ctx", setup.context_each()},
                        {"speculative", false},
                        {"is_processing", i < busy}});
    }
    return plain(rows);
}

Reply metrics(Setup const& setup, int busy, long served) {
    if (!setup.metrics) {
        return error(501, "This server does not support metrics endpoint. Start it with `--metrics`",
                     "not_supported_error");
    }
    auto gauge = [](std::string const& name, std::string const& kind, long value) {
        return "# TYPE llamacpp:" + name + " " + kind + "\nllamacpp:" + name + " " + std::to_string(value) +
               "\n";
    };
    return {.type = "text/plain; version=0.0.4",
            .body = gauge("tokens_predicted_total", "counter", served * setup.chunks) +
                    gauge("requests_processing", "gauge", busy) + gauge("requests_deferred", "gauge", 0)};
}

Reply tokens(json::object const& body) {
    std::string text;
    if (json::value const* content = body.if_contains("content")) collect_text(*content, text);
    bool const with_pieces = flag(body, "with_pieces");
    json::array out;
    for (Token const& token : tokenize(text)) {
        out.push_back(with_pieces ? json::value{{"id", token.id}, {"piece", token.piece}}
                                  : json::value(token.id));
    }
    return plain({{"tokens", std::move(out)}});
}

Reply text_of(json::object const& body) {
    std::string text;
    if (json::value const* ids = body.if_contains("tokens"); ids != nullptr && ids->is_array()) {
        for (json::value const& token : ids->get_array()) {
            if (token.is_int64()) text += piece_of(token.get_int64());
        }
    }
    return plain({{"content", text}});
}

Reply bad_json(Request const& request, json::error_code const& code) {
    return error(400,
                 "[json.exception.parse_error.101] parse error in " + std::to_string(request.body.size()) +
                     " bytes: " + code.message(),
                 "invalid_request_error");
}

}  // namespace

bool is_work(std::string const& path) {
    for (char const* known : {"/v1/chat/completions", "/chat/completions", "/v1/completions", "/completions",
                              "/completion", "/v1/messages", "/v1/responses", "/v1/embeddings", "/embeddings",
                              "/v1/rerank", "/rerank", "/v1/reranking", "/reranking"}) {
        if (path == known) return true;
    }
    return false;
}

Reply answer_work(Setup const& setup, Request const& request) {
    json::error_code code;
    json::value body = json::parse(request.body, code);
    if (code) return bad_json(request, code);
    if (!body.is_object()) return error(400, "the body must be an object", "invalid_request_error");
    Reply reply;
    if (request.path.find("embeddings") != std::string::npos) {
        reply = embeddings(setup, body.get_object());
    } else if (request.path.find("rerank") != std::string::npos) {
        reply = rerank(setup, body.get_object());
    } else {
        reply = generate(setup, request.path, std::move(body.get_object()));
    }
    if (setup.sse_ping) {
        for (std::string& piece : reply.stream) {
            piece.insert(0, ":\n\n");
        }
    }
    return reply;
}

Reply answer_other(Setup const& setup, Request const& request, int busy, long served) {
    std::string const& path = request.path;
    if (request.method == "GET") {
        if (path == "/health" || path == "/v1/health") return {.body = R"({"status":"ok"})"};
        if (path == "/v1/models" || path == "/models") return models(setup);
        if (path == "/props") return props(setup);
        if (path == "/slots") return slots(setup, request, busy);
        if (path == "/metrics") return metrics(setup, busy, served);
    }
    if (request.method == "POST" && (path == "/tokenize" || path == "/detokenize" ||
                                     path == "/v1/messages/count_tokens" || path == "/apply-template")) {
        json::error_code code;
        json::value const body = json::parse(request.body, code);
        if (code || !body.is_object()) return bad_json(request, code);
        if (path == "/tokenize") return tokens(body.get_object());
        if (path == "/detokenize") return text_of(body.get_object());
        std::string prompt;
        if (json::value const* list = body.get_object().if_contains("messages")) collect_text(*list, prompt);
        if (path == "/apply-template") return plain({{"prompt", prompt}});
        return plain({{"input_tokens", count_tokens(prompt)}});
    }
    return error(404, "File Not Found", "not_found_error");
}

}  // namespace fake
