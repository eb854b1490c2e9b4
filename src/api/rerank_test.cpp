#include "api/rerank.hpp"

#include <gtest/gtest.h>

#include "json/value.hpp"

namespace hal0::api {
namespace {

std::string fault(std::string_view body) {
    auto const request = decode_rerank(body);
    return request ? "" : request.error().message;
}

TEST(Rerank, TakesStringsAndTextObjects) {
    auto const request =
        decode_rerank(
            R"({"query":"q","documents":["a",{"text":"b","id":7}],"top_n":1,"return_documents":true})")
            .value();
    EXPECT_EQ(request.documents, (std::vector<std::string>{"a", "b"}));
    EXPECT_EQ(request.top_n, 1U);
    EXPECT_TRUE(request.return_documents);
}

TEST(Rerank, SaysWhatIsWrongAndWhere) {
    EXPECT_EQ(fault(R"({"documents":["a"]})"), "'query' is missing");
    EXPECT_EQ(fault(R"({"query":"q"})"), "'documents' is missing");
    EXPECT_EQ(fault(R"({"query":"q","documents":[]})"), "documents must not be empty");
    EXPECT_EQ(fault(R"({"query":"q","documents":["a",7]})"),
              "documents[1] must be a string or an object with a string 'text'");
    EXPECT_EQ(fault(R"({"query":["q"],"documents":["a"]})"), "query must be a string");
    EXPECT_EQ(fault(R"({"query":"q","documents":["a"],"top_n":0})"), "top_n must be at least 1");
}

TEST(Rerank, TooMuchIsRefusedBeforeItIsBuilt) {
    auto const kind = [](std::size_t documents) {
        std::string body{R"({"query":"q","documents":["d")"};
        for (std::size_t i = 1; i < documents; ++i)
            body += R"(,"d")";
        auto const request = decode_rerank(body + "]}");
        return request ? std::optional<Error>{} : request.error();
    };
    EXPECT_FALSE(kind(rerank_documents_max));
    EXPECT_EQ(kind(rerank_documents_max + 1)->message,
              "10001 documents; at most 10000 are ranked in one request");
    EXPECT_EQ(kind(rerank_values_max),
              (Error{Errc::TooLarge, "the body is JSON with more than 160000 values"}));
}

TEST(Rerank, MalformedJsonIsTheClientsFault) {
    EXPECT_EQ(decode_rerank(R"({"query":tru,"documents":["a"]})").error().kind, Errc::Invalid);
}

TEST(Rerank, RanksByScoreAndKeepsTheOrderOfEquals) {
    EXPECT_EQ(rank({0.1, 0.9, 0.1, 0.5}, 0), (std::vector<Ranked>{{1, 0.9}, {3, 0.5}, {0, 0.1}, {2, 0.1}}));
    EXPECT_EQ(rank({0.1, 0.9}, 1), (std::vector<Ranked>{{1, 0.9}}));
    EXPECT_EQ(rank({0.1}, 5).size(), 1U);
}

// [1,0], [1,1] and [0,2] as base64 float32, out of order.
constexpr std::string_view three = R"({"data":[{"index":2,"embedding":"AAAAAAAAAEA="},
    {"index":0,"embedding":"AACAPwAAAAA="},{"index":1,"embedding":"AACAPwAAgD8="}],"usage":{"prompt_tokens":9}})";

TEST(Rerank, CosineOfRealVectorsInAnyOrder) {
    auto const scores = cosine_scores(three, 2).value();
    ASSERT_EQ(scores.of_documents.size(), 2U);
    EXPECT_NEAR(scores.of_documents[0], 0.70710678, 1e-7);
    EXPECT_NEAR(scores.of_documents[1], 0, 1e-7);
    EXPECT_EQ(scores.prompt_tokens, 9);
}

TEST(Rerank, AWorkersNonsenseIsAnErrorNotACrash) {
    EXPECT_FALSE(cosine_scores(three, 3).ok());
    EXPECT_FALSE(cosine_scores("{}", 1).ok());
    EXPECT_FALSE(
        cosine_scores(R"({"data":[{"index":0,"embedding":"!!"},{"index":1,"embedding":"AA=="}]})", 1).ok());
    EXPECT_FALSE(cosine_scores(
                     R"({"data":[{"index":0,"embedding":"AACAPw=="},{"index":9,"embedding":"AACAPw=="}]})", 1)
                     .ok());
    EXPECT_FALSE(
        cosine_scores(
            R"({"data":[{"index":0,"embedding":"AACAPw=="},{"index":1,"embedding":"AACAPwAAgD8="}]})", 1)
            .ok());
}

TEST(Rerank, TheWorkersOwnScoresAreTaken) {
    auto const scores =
        worker_scores(R"({"results":[{"index":1,"relevance_score":0.25},{"index":0,"relevance_score":-3}]})",
                      2)
            .value();
    EXPECT_EQ(scores.of_documents, (std::vector<double>{-3, 0.25}));
}

TEST(Rerank, RendersTheUsualBody) {
    RerankRequest const request{
        .model = "", .query = "q", .documents = {"a", "b"}, .top_n = 1, .return_documents = true};
    EXPECT_EQ(
        render_ranking(request, "minilm", {.of_documents = {0.25, 0.5}, .prompt_tokens = 3}),
        R"({"object":"list","model":"minilm","results":[{"index":1,"relevance_score":0.5,"document":{"text":"b"}}],)"
        R"("usage":{"prompt_tokens":3,"total_tokens":3}})");
}

}  // namespace
}  // namespace hal0::api
