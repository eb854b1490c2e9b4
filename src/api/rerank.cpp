#include "api/rerank.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstring>
#include <numeric>
#include <utility>

#include "api/errors.hpp"
#include "base/format.hpp"
#include "http/worker_errors.hpp"
#include "json/value.hpp"
#include "json/writer.hpp"

namespace hal0::api {
namespace {

using json::Value;

Result<std::string> decode_document(Value const& value, std::string const& path) {
    if (auto const* text = std::get_if<std::string>(&value.data)) return *text;
    std::string text;
    json::ObjectReader in{value, path};
    in.required("text", text);
    if (!in.finish_lenient())
        return Error{Errc::Invalid, format("{} must be a string or an object with a string 'text'", path)};
    return text;
}

// RFC 4648 §4; nothing when a character is none of its.
std::optional<std::string> from_base64(std::string_view text) {
    static constexpr auto values = [] {
        constexpr std::string_view digits =
            "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        std::array<std::int8_t, 256> table{};
        table.fill(-1);
        for (std::size_t i = 0; i < digits.size(); ++i)
            table.at(static_cast<unsigned char>(digits[i])) = static_cast<std::int8_t>(i);
        return table;
    }();
    while (text.ends_with('='))
        text.remove_suffix(1);
    std::string out;
    out.reserve(text.size() * 3 / 4);
    std::uint32_t bits = 0;
    unsigned have = 0;
    for (char const c : text) {
        auto const value = values.at(static_cast<unsigned char>(c));
        if (value < 0) return std::nullopt;
        bits = (bits << 6U) | static_cast<std::uint32_t>(value);
        have += 6;
        if (have < 8) continue;
        have -= 8;
        out += static_cast<char>((bits >> have) & 0xFFU);
    }
    return out;
}

Error unexpected(std::string_view what) { return {Errc::Corrupt, std::string{what}}; }

// What is wrong is in our own words: nothing in them needs escaping.
http::Response unreadable(Error const& why) {
    auto error = http::worker_errors::bad_answer;
    auto const message = format("{} ({})", error.message, why.message);
    error.message = message;
    return failure_response("/v1/rerank", error);
}

Result<std::vector<float>> decode_vector(Value const& item) {
    static_assert(std::endian::native == std::endian::little);
    auto const* embedding = item.find("embedding");
    auto const* text = embedding == nullptr ? nullptr : std::get_if<std::string>(&embedding->data);
    if (text == nullptr) return unexpected("an embedding is missing");
    auto const bytes = from_base64(*text);
    if (!bytes || bytes->size() % sizeof(float) != 0 || bytes->empty())
        return unexpected("an embedding is malformed");
    std::vector<float> vector(bytes->size() / sizeof(float));
    std::memcpy(vector.data(), bytes->data(), bytes->size());
    return vector;
}

double cosine(std::vector<float> const& a, std::vector<float> const& b) {
    double dot = 0;
    double norm_a = 0;
    double norm_b = 0;
    for (std::size_t i = 0; i < a.size(); ++i) {
        dot += double{a[i]} * double{b[i]};
        norm_a += double{a[i]} * double{a[i]};
        norm_b += double{b[i]} * double{b[i]};
    }
    double const norms = std::sqrt(norm_a) * std::sqrt(norm_b);
    return norms > 0 ? dot / norms : 0;
}

std::int64_t tokens_of(Value const& answer) {
    std::int64_t tokens = 0;
    if (auto const* usage = answer.find("usage")) {
        json::ObjectReader in{*usage, "usage"};
        in.optional("prompt_tokens", tokens);
    }
    return tokens;
}

// Where in the answer's list each input stands: `index` says it, whatever the order.
Result<std::size_t> index_of(Value const& item, std::size_t count) {
    std::int64_t index = -1;
    json::ObjectReader in{item, "data"};
    in.required("index", index);
    if (index < 0 || static_cast<std::size_t>(index) >= count) return unexpected("an index is out of range");
    return static_cast<std::size_t>(index);
}

// Within `answer`.
Result<Value::Array const*> list_of(Value const& answer, std::string_view name, std::size_t count) {
    auto const* member = answer.find(name);
    auto const* list = member == nullptr ? nullptr : std::get_if<Value::Array>(&member->data);
    if (list == nullptr || list->size() != count)
        return unexpected(format("'{}' does not have {} entries", name, count));
    return list;
}

}  // namespace

Result<RerankRequest> decode_rerank(std::string_view body) {
    HAL0_TRY(value, json::parse_request(body, rerank_values_max));
    RerankRequest request;
    std::optional<std::int64_t> top_n;
    json::ObjectReader in{value, ""};
    in.optional("model", request.model);
    in.required("query", request.query);
    in.list("documents", request.documents, decode_document);
    in.optional("top_n", top_n);
    in.optional("return_documents", request.return_documents);
    auto const read = in.finish_lenient();  // clients send more than is looked at here
    if (!read) return Error{Errc::Invalid, read.error().message};
    if (request.documents.empty())
        return Error{Errc::Invalid, "documents must not be empty"}.with("param", "documents");
    if (request.documents.size() > rerank_documents_max) {
        return Error{Errc::TooLarge, format("{} documents; at most {} are ranked in one request",
                                            request.documents.size(), rerank_documents_max)};
    }
    if (top_n && *top_n < 1) return Error{Errc::Invalid, "top_n must be at least 1"}.with("param", "top_n");
    request.top_n = static_cast<std::size_t>(top_n.value_or(0));
    return request;
}

std::vector<Ranked> rank(std::vector<double> const& scores, std::size_t top_n) {
    std::vector<Ranked> ranked;
    ranked.reserve(scores.size());
    for (std::size_t i = 0; i < scores.size(); ++i)
        ranked.push_back({i, scores[i]});
    std::stable_sort(ranked.begin(), ranked.end(),
                     [](Ranked const& a, Ranked const& b) { return a.score > b.score; });
    if (top_n > 0 && top_n < ranked.size()) ranked.resize(top_n);
    return ranked;
}

Result<Scores> cosine_scores(std::string_view embeddings_body, std::size_t documents) {
    HAL0_TRY(answer, json::parse(embeddings_body));
    HAL0_TRY(list, list_of(answer, "data", documents + 1));
    std::vector<std::vector<float>> vectors(documents + 1);
    for (auto const& item : *list) {
        HAL0_TRY(index, index_of(item, vectors.size()));
        HAL0_TRY(vector, decode_vector(item));
        vectors[index] = std::move(vector);
    }
    Scores scores{.of_documents = {}, .prompt_tokens = tokens_of(answer)};
    for (std::size_t i = 1; i < vectors.size(); ++i) {
        if (vectors[i].size() != vectors[0].size()) return unexpected("embeddings differ in length");
        scores.of_documents.push_back(cosine(vectors[0], vectors[i]));
    }
    return scores;
}

Result<Scores> worker_scores(std::string_view rerank_body, std::size_t documents) {
    HAL0_TRY(answer, json::parse(rerank_body));
    HAL0_TRY(list, list_of(answer, "results", documents));
    Scores scores{.of_documents = std::vector<double>(documents), .prompt_tokens = tokens_of(answer)};
    for (auto const& item : *list) {
        HAL0_TRY(index, index_of(item, documents));
        json::ObjectReader in{item, "results"};
        in.required("relevance_score", scores.of_documents[index]);
        HAL0_CHECK(in.finish_lenient());
    }
    return scores;
}

std::string embeddings_request(RerankRequest const& request) {
    json::Writer out;
    out.begin_object().field("encoding_format", "base64").key("input").begin_array().value(request.query);
    for (auto const& document : request.documents)
        out.value(document);
    out.end_array().end_object();
    return out.take();
}

std::string worker_rerank_request(RerankRequest const& request) {
    json::Writer out;
    out.begin_object().field("query", request.query).field("documents", request.documents);
    out.field("top_n", request.documents.size()).end_object();
    return out.take();
}

std::string render_ranking(RerankRequest const& request, std::string_view model, Scores const& scores) {
    json::Writer out;
    out.begin_object()
        .field("object", "list")
        .field("model", request.model.empty() ? model : std::string_view{request.model});
    out.key("results").begin_array();
    for (auto const& entry : rank(scores.of_documents, request.top_n)) {
        out.begin_object().field("index", entry.index).field("relevance_score", entry.score);
        if (request.return_documents) {
            out.key("document").begin_object().field("text", request.documents[entry.index]).end_object();
        }
        out.end_object();
    }
    out.end_array().key("usage").begin_object();
    out.field("prompt_tokens", scores.prompt_tokens).field("total_tokens", scores.prompt_tokens);
    out.end_object().end_object();
    return out.take();
}

RerankJob::RerankJob(os::Loop& loop, os::Inbox& inbox, os::Pool& pool, RerankWorker worker, Done done)
    : loop_{loop},
      inbox_{inbox},
      pool_{pool},
      worker_{std::move(worker)},
      done_{std::move(done)},
      self_{std::make_shared<RerankJob*>(this)} {}

void RerankJob::start(std::string body) {
    struct Prepared {
        RerankRequest request{};
        std::string worker_body{};
    };
    pool_.run(
        inbox_,
        [body = std::move(body), cross_encoder = worker_.cross_encoder]() -> Result<Prepared> {
            HAL0_TRY(request, decode_rerank(body));
            auto text = cross_encoder ? worker_rerank_request(request) : embeddings_request(request);
            return Prepared{std::move(request), std::move(text)};
        },
        [alive = std::weak_ptr{self_}](Result<Prepared> prepared) {
            auto const self = alive.lock();
            if (!self) return;
            if (!prepared) return (*self)->done_(error_response("/v1/rerank", prepared.error()));
            (*self)->ask(std::move(prepared->request), std::move(prepared->worker_body));
        });
}

void RerankJob::ask(RerankRequest request, std::string worker_body) {
    request_ = std::move(request);
    http::ClientRequest call{
        .peer = worker_.address,
        .method = http::Method::Post,
        .target = worker_.cross_encoder ? worker_.path : "/v1/embeddings",
        .headers = {{"content-type", "application/json"}, {"authorization", "Bearer " + worker_.key}},
        .body = std::move(worker_body),
        .deadline = std::chrono::minutes{30},
        .answer_max = 512_MiB};
    call_ = http::Call::start(loop_, std::move(call),
                              [this](Result<http::ClientAnswer> answer) { take(std::move(answer)); });
}

void RerankJob::take(Result<http::ClientAnswer> answer) {
    if (!answer) return done_(failure(answer.error().kind));
    if (answer->status != 200) return done_({.status = answer->status, .body = std::move(answer->body)});
    pool_.run(
        inbox_,
        [request = std::move(request_), body = std::move(answer->body),
         worker = worker_]() -> Result<std::string> {
            HAL0_TRY(scores, worker.cross_encoder ? worker_scores(body, request.documents.size())
                                                  : cosine_scores(body, request.documents.size()));
            return render_ranking(request, worker.model, scores);
        },
        [alive = std::weak_ptr{self_}](Result<std::string> body) {
            auto const self = alive.lock();
            if (!self) return;
            if (!body) return (*self)->done_(unreadable(body.error()));
            (*self)->done_({.body = std::move(body).value()});
        });
}

http::Response RerankJob::failure(Errc kind) const {
    namespace told = http::worker_errors;
    if (kind == Errc::Unavailable || kind == Errc::Forbidden)
        return failure_response("/v1/rerank", call_->connected() ? told::died : told::unreachable);
    return failure_response("/v1/rerank", kind == Errc::Timeout ? told::silent : told::bad_answer);
}

}  // namespace hal0::api
