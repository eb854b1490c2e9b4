#pragma once
// What is kept of requests and loads: figures and names, never a text that a client sent or was sent.
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/units.hpp"

namespace hal0::history {

// What a worker told of one answer of its. -1: it told nothing of that. Small, for there is one on each
// connection.
struct AnswerFigures {
    std::int32_t prompt_tokens{-1};  // the cached ones among them
    std::int32_t cached_tokens{-1};
    std::int32_t generated_tokens{-1};
    float prompt_ms{-1};
    float generated_ms{-1};
    [[nodiscard]] bool any() const { return prompt_tokens >= 0 || generated_tokens >= 0; }
    bool operator==(AnswerFigures const&) const = default;
};

struct RequestRecord {
    std::int64_t number{0};  // its place in the history; 0 before it has one
    std::string id{};        // as its client was told
    std::string slot{};
    std::string model{};
    std::string path{};  // of the endpoint
    WallTime began{};
    std::int64_t status{0};  // the worker's, or hal0's own where no worker answered; 0: none was sent
    std::string outcome{};   // "ok", "client_gone", …
    double waited_s{0};      // for its slot to come up
    std::optional<double> first_byte_s{};  // from there on
    double total_s{0};
    AnswerFigures figures{};
    bool stream{false};
    std::int64_t in_flight{1};  // on its slot, this one with them
    std::int64_t answer_bytes{0};
    bool operator==(RequestRecord const&) const = default;
};

struct LoadRecord {
    std::int64_t number{0};
    std::string slot{};
    std::string model{};
    std::string engine{};
    std::string version{};
    std::string backend{};
    std::string settings{};  // what makes its speed another: two loads with the same can be compared
    WallTime began{};
    double seconds{0};                     // to the worker's word that it is ready, or to its end
    std::string outcome{};                 // "ready" or "failed"
    std::string why{};                     // it failed; empty where it didn't
    std::optional<std::int64_t> memory{};  // bytes that its process holds when it is ready
    bool operator==(LoadRecord const&) const = default;
};

// Which of them, the newest first.
struct Query {
    std::optional<std::string> slot{};
    std::optional<std::int64_t> before{};  // only with a lower number
    std::int64_t limit{50};
};

}  // namespace hal0::history
