#pragma once
// What llama-server would say: the bodies and streams of its endpoints, as build 11434 was seen to send them,
// with words of our own. Pure functions of the request: faults come later, when the answer is sent.
#include <string>
#include <vector>

#include "peer.hpp"

namespace fake {

struct Setup {
    std::string model{}, alias{};
    long context{4096};  // tokens, of all parallel requests together
    int parallel{1};
    bool embeddings{false}, reranking{false}, metrics{false};
    long chunks{8};         // tokens of an answer, unless the request wants fewer
    long chunk_bytes{0};    // each token is padded to this length
    long dims{384};         // of an embedding
    std::string garbage{};  // as a broken model does it: "1" or "same", "random", "nan"; empty: none
    bool end_without_done{false};
    bool sse_ping{false};  // a comment before each event

    [[nodiscard]] long context_each() const { return context / parallel; }
};

struct Reply {
    int status{200};
    std::string type{"application/json; charset=utf-8"};
    std::string body{};
    std::vector<std::string> stream{};  // not empty: an SSE answer; each is the payload of one HTTP chunk
};

Reply error(int status, std::string const& message, std::string const& type);
// Work is what a model computes for; the rest tells about the server. Only work is counted, and only work
// fails.
[[nodiscard]] bool is_work(std::string const& path);
Reply answer_work(Setup const& setup, Request const& request);
Reply answer_other(Setup const& setup, Request const& request, int busy, long served);

}  // namespace fake
