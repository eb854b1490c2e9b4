#pragma once
// Ranking documents against a query (the body Jina and Cohere made usual): by the worker's own rerank where
// the slot holds a cross-encoder, else by the cosine of real embeddings.
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/no_copy.hpp"
#include "base/result.hpp"
#include "http/client.hpp"
#include "os/inbox.hpp"
#include "os/pool.hpp"

namespace hal0::api {

inline constexpr std::size_t rerank_documents_max = 10'000;
inline constexpr std::size_t rerank_values_max = 16 * rerank_documents_max;  // in the JSON of a request

struct RerankRequest {
    std::string model{};  // as the client named it; echoed
    std::string query{};
    std::vector<std::string> documents{};
    std::size_t top_n{0};  // 0: all
    bool return_documents{false};
};
// Invalid with the place of the fault: documents are strings or {"text": …}, at least one; top_n is at least
// 1. TooLarge over rerank_documents_max or rerank_values_max.
Result<RerankRequest> decode_rerank(std::string_view body);

struct Ranked {
    std::size_t index{0};
    double score{0};
    bool operator==(Ranked const&) const = default;
};
// The scores in falling order (equal ones in the order of the documents), the first top_n of them.
std::vector<Ranked> rank(std::vector<double> const& scores, std::size_t top_n);

// Of the worker's /v1/embeddings answer (encoding_format base64: float32, little-endian): the cosine of input
// 0 with each other. Corrupt when that isn't what the worker sent.
struct Scores {
    std::vector<double> of_documents{};
    std::int64_t prompt_tokens{0};
};
Result<Scores> cosine_scores(std::string_view embeddings_body, std::size_t documents);
// Of the worker's own rerank answer.
Result<Scores> worker_scores(std::string_view rerank_body, std::size_t documents);

std::string embeddings_request(RerankRequest const& request);
std::string worker_rerank_request(RerankRequest const& request);
std::string render_ranking(RerankRequest const& request, std::string_view model, Scores const& scores);

struct RerankWorker {
    os::Address address{};
    std::string key{};
    std::string path{};   // its rerank route
    std::string model{};  // named in the answer when the client named none
    bool cross_encoder{false};
};

// One ranking under way: reads and computes on the pool, asks the worker on the loop. A worker that fails is
// told of as the relay tells of one. Destroying it cancels it; `done` is then not called.
class RerankJob final : NoCopy {
  public:
    using Done = std::function<void(http::Response)>;
    RerankJob(os::Loop& loop, os::Inbox& inbox, os::Pool& pool, RerankWorker worker, Done done);
    void start(std::string body);

  private:
    void ask(RerankRequest request, std::string worker_body);
    void take(Result<http::ClientAnswer> answer);
    [[nodiscard]] http::Response failure(Errc kind) const;  // of the call

    os::Loop& loop_;
    os::Inbox& inbox_;
    os::Pool& pool_;
    RerankWorker worker_;
    Done done_;
    RerankRequest request_{};
    std::unique_ptr<http::Call> call_{};
    // What comes back from the pool looks here first: when the job is gone, so is what this points to.
    std::shared_ptr<RerankJob*> self_;
};

}  // namespace hal0::api
