#pragma once
// Whether a worker that says it is ready puts out sense. Backends have been seen to produce garbage at full
// speed (a driver's fault, a kernel compiled wrongly), and only what comes out tells. One small question for
// each kind of work, and a judge of its answer. Pure.
#include <optional>
#include <string>
#include <string_view>

#include "models/kind.hpp"

namespace hal0::slots {

struct SanityQuestion {
    std::string target{};  // POSTed to the worker
    std::string body{};    // JSON
};
// Nothing for kinds whose output nobody here can judge yet.
//   chat    numbers in a row, which every language model goes on with; with the likeliest tokens (n_probs of
//           llama-server's /completion)
//   embed   three pairs of sentences that say the same
//   rerank  one question and three texts
std::optional<SanityQuestion> sanity_question(models::Kind kind);

// What is wrong with the answer, for people: "it repeats one token". Empty where nothing is. Caught are
// numbers that are none (NaN), one token for ever, likeliest tokens that have nothing to do with the
// question, vectors that are all the same, without length, or as near to strangers as to their like, and one
// score for all texts.
std::string sanity_fault(models::Kind kind, int status, std::string_view body);

}  // namespace hal0::slots
