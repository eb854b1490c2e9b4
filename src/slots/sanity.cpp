#include "slots/sanity.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <span>
#include <vector>

#include "base/format.hpp"
#include "base/text.hpp"
#include "json/value.hpp"
#include "json/writer.hpp"

namespace hal0::slots {
namespace {

constexpr int answered_well = 200;
constexpr std::string_view no_numbers = "it computes what are no numbers (NaN)";

double number_of(json::Value const* value) {
    if (value == nullptr) return std::nan("");
    if (auto const* const whole = std::get_if<std::int64_t>(&value->data)) return static_cast<double>(*whole);
    if (auto const* const real = std::get_if<double>(&value->data)) return *real;
    return std::nan("");  // llama-server writes NaN as null
}

std::span<json::Value const> array_in(json::Value const& value, std::string_view name) {
    auto const* const member = value.find(name);
    auto const* const array = member == nullptr ? nullptr : std::get_if<json::Value::Array>(&member->data);
    return array == nullptr ? std::span<json::Value const>{} : *array;
}

// ---- chat: what comes after 9?

constexpr std::string_view counting = "2, 3, 4, 5, 6, 7, 8, 9,";
constexpr std::string_view next_number = "10";
constexpr std::int64_t tokens_wanted = 6;
constexpr std::int64_t candidates_wanted = 8;
constexpr double likely = 0.01;
constexpr std::size_t repeated_least = 6;  // tokens

// "10", and not "100": what is written, or could have been.
bool goes_on(std::string_view text) {
    text = trim(text);
    if (!text.starts_with(next_number)) return false;
    text.remove_prefix(next_number.size());
    return text.empty() || text.front() < '0' || text.front() > '9';
}

std::string text_in(json::Value const& value, std::string_view name) {
    auto const* const member = value.find(name);
    auto const* const text = member == nullptr ? nullptr : std::get_if<std::string>(&member->data);
    return text == nullptr ? std::string{} : *text;
}

bool is_likely(json::Value const& candidate) {
    return std::exp(number_of(candidate.find("logprob"))) >= likely;
}

// One of the likeliest first tokens is the number, whatever was written instead.
bool thinks_of_it(json::Value const& first_place) {
    return std::ranges::any_of(array_in(first_place, "top_logprobs"), [](json::Value const& candidate) {
        return goes_on(text_in(candidate, "token")) && is_likely(candidate);
    });
}

std::string chat_fault(json::Value const& answer) {
    auto const places = array_in(answer, "completion_probabilities");
    if (places.empty()) return "it writes nothing";
    bool same = places.size() >= repeated_least;
    for (auto const& place : places) {
        if (!std::isfinite(number_of(place.find("logprob")))) return std::string{no_numbers};
        same = same && number_of(place.find("id")) == number_of(places[0].find("id"));
    }
    if (same) return "it repeats one token";
    if (goes_on(text_in(answer, "content")) || thinks_of_it(places[0])) return {};
    return format("after '{}' it doesn't think of {}", counting, next_number);
}

// ---- embed: what says the same is near

// Each with the next. Words are shared within a pair and not between pairs.
constexpr std::array<std::string_view, 6> sentences{
    "The cat sleeps on the sofa.",         "A cat is asleep on the sofa.",
    "The bank raised its interest rates.", "Interest rates were raised by this bank.",
    "He plays guitar in our band.",        "In our band he is playing guitar."};

using Vector = std::vector<double>;

double dot(Vector const& a, Vector const& b) {
    double sum = 0;
    for (std::size_t i = 0; i < a.size(); ++i)
        sum += a[i] * b[i];
    return sum;
}

// Of length 1, so that products are cosines. Empty where it has no length, or holds no numbers.
Vector unit_vector(std::span<json::Value const> numbers) {
    Vector vector;
    vector.reserve(numbers.size());
    for (auto const& number : numbers)
        vector.push_back(number_of(&number));
    auto const length = std::sqrt(dot(vector, vector));
    if (!std::isfinite(length) || length == 0) return {};
    for (auto& value : vector)
        value /= length;
    return vector;
}

// Whether each of two is nearer to the other than to anyone else.
bool nearest_of_all(std::vector<Vector> const& all, std::size_t a, std::size_t b) {
    auto const between = dot(all[a], all[b]);
    for (std::size_t other = 0; other < all.size(); ++other) {
        if (other == a || other == b) continue;
        if (dot(all[a], all[other]) >= between || dot(all[b], all[other]) >= between) return false;
    }
    return true;
}

std::string embed_fault(json::Value const& answer) {
    constexpr double all_one = 1 - 1e-6;
    std::vector<Vector> all;
    for (auto const& row : array_in(answer, "data")) {
        all.push_back(unit_vector(array_in(row, "embedding")));
        if (all.back().empty()) return "its vectors have no length, or hold what are no numbers (NaN)";
        if (all.back().size() != all.front().size()) return "its vectors are of several sizes";
    }
    if (all.size() != sentences.size())
        return format("{} vectors came for {} texts", all.size(), sentences.size());
    double least = 1;
    for (auto const& vector : all)
        least = std::min(least, dot(all.front(), vector));
    if (least > all_one) return "its vectors are the same for every text";
    for (std::size_t i = 0; i < all.size(); i += 2) {
        if (!nearest_of_all(all, i, i + 1))
            return "its vectors are as near to strangers as to texts that say the same";
    }
    return {};
}

// ---- rerank: not all the same

constexpr std::string_view question = "What do cats like to eat?";
constexpr std::array<std::string_view, 3> documents{
    "Cats like to eat fish and mice.", "The bank raised its interest rates.", "He plays guitar in our band."};

// Which is best is not asked: heads of rerankers are trained for more than this.
std::string rerank_fault(json::Value const& answer) {
    std::vector<double> scores;
    for (auto const& row : array_in(answer, "results"))
        scores.push_back(number_of(row.find("relevance_score")));
    if (scores.size() != documents.size())
        return format("{} scores came for {} texts", scores.size(), documents.size());
    if (!std::ranges::all_of(scores, [](double score) { return std::isfinite(score); }))
        return std::string{no_numbers};
    auto const [least, most] = std::ranges::minmax(scores);
    return most - least < 1e-6 ? "it gives every text the same score" : "";
}

void write_texts(json::Writer& body, std::span<std::string_view const> texts) {
    body.begin_array();
    for (auto const text : texts)
        body.value(text);
    body.end_array();
}

}  // namespace

std::optional<SanityQuestion> sanity_question(models::Kind kind) {
    json::Writer body;
    body.begin_object();
    switch (kind) {
        case models::Kind::Chat:
            body.field("prompt", counting)
                .field("n_predict", tokens_wanted)
                .field("n_probs", candidates_wanted)
                .field("temperature", 0)
                .field("cache_prompt", false);
            body.end_object();
            return SanityQuestion{"/completion", body.take()};
        case models::Kind::Embed:
            body.key("input");
            write_texts(body, sentences);
            body.end_object();
            return SanityQuestion{"/v1/embeddings", body.take()};
        case models::Kind::Rerank:
            body.field("query", question).key("documents");
            write_texts(body, documents);
            body.end_object();
            return SanityQuestion{"/v1/rerank", body.take()};
        case models::Kind::Stt:
        case models::Kind::Tts:
        case models::Kind::Image: break;
    }
    return std::nullopt;
}

std::string sanity_fault(models::Kind kind, int status, std::string_view body) {
    auto const answer = json::parse(body);
    if (status != answered_well || !answer)
        return format("to a question it answers with status {}{}", status,
                      status == answered_well ? ", and no JSON" : format(": {}", clipped(body)));
    switch (kind) {
        case models::Kind::Chat: return chat_fault(*answer);
        case models::Kind::Embed: return embed_fault(*answer);
        case models::Kind::Rerank: return rerank_fault(*answer);
        case models::Kind::Stt:
        case models::Kind::Tts:
        case models::Kind::Image: break;
    }
    return {};
}

}  // namespace hal0::slots
