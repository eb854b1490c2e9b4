#include "api/answer_figures.hpp"

#include <gtest/gtest.h>

#include <string>

namespace hal0::api {
namespace {

using history::AnswerFigures;

// As llama-server 11434 sends them.
constexpr std::string_view chat_timings =
    R"("timings":{"cache_n":31,"prompt_n":1,"prompt_ms":18.5,"prompt_per_token_ms":18.5,"prompt_per_second":54.05,)"
    R"("predicted_n":4,"predicted_ms":53.25,"predicted_per_token_ms":13.3,"predicted_per_second":75.1}})";
constexpr std::string_view chat_usage =
    R"("usage":{"completion_tokens":4,"prompt_tokens":32,"total_tokens":36,"prompt_tokens_details":{"cached_tokens":31}})";
constexpr AnswerFigures told{.prompt_tokens = 32,
                             .cached_tokens = 31,
                             .generated_tokens = 4,
                             .prompt_ms = 18.5F,
                             .generated_ms = 53.25F};

AnswerFigures figures_of(std::initializer_list<std::string> pieces) {
    AnswerFigures figures;
    for (auto const& piece : pieces)
        read_figures(piece, figures);
    return figures;
}

TEST(AnswerFigures, OfAChatInOnePiece) {
    std::string const body = R"({"choices":[{"message":{"content":"a { b"}}],)" + std::string{chat_usage} +
                             R"(,"id":"chatcmpl-x",)" + std::string{chat_timings};
    EXPECT_EQ(figures_of({body}), told);
    EXPECT_EQ(figures_of({body.substr(body.size() - 300)}), told) << "its end is enough";
}

TEST(AnswerFigures, OfAStreamItsLastEvents) {
    std::string const delta = "data: {\"choices\":[{\"delta\":{\"content\":\" I\"}}],\"id\":\"x\"}\n\n";
    std::string const last =
        "data: {\"choices\":[{\"delta\":{}}],\"id\":\"x\"," + std::string{chat_timings} + "\n\n";
    std::string const done = "data: [DONE]\n\n";
    EXPECT_EQ(figures_of({delta, last, done}), told);
    EXPECT_EQ(figures_of({delta + last + done}), told) << "read at once";
    EXPECT_EQ(figures_of({delta, done}), AnswerFigures{});
}

TEST(AnswerFigures, OfMessagesBothEnds) {
    AnswerFigures const expected{.prompt_tokens = 32, .cached_tokens = 31, .generated_tokens = 4};
    EXPECT_EQ(figures_of({R"({"type":"message","content":[{"type":"text","text":"x"}],"usage":)"
                          R"({"cache_read_input_tokens":31,"input_tokens":1,"output_tokens":4}})"}),
              expected);
    EXPECT_EQ(
        figures_of(
            {"event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"usage\":{\"cache_read_"
             "input_tokens\":31,\"input_tokens\":1,\"output_tokens\":0}}}\n\nevent: "
             "content_block_start\ndata: "
             "{\"type\":\"content_block_start\",\"content_block\":{\"type\":\"text\",\"text\":\"\"}}\n\n",
             "event: content_block_delta\ndata: {\"delta\":{\"text\":\"G\"}}\n\n",
             "event: message_delta\ndata: "
             "{\"delta\":{\"stop_reason\":\"end_turn\"},\"usage\":{\"output_tokens\":4}}\n\n"
             "event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n"}),
        expected);
}

TEST(AnswerFigures, OfResponsesAndEmbeddings) {
    EXPECT_EQ(figures_of({R"({"output":[],"usage":{"input_tokens":32,"output_tokens":4,"total_tokens":36,)"
                          R"("input_tokens_details":{"cached_tokens":31}}})"}),
              (AnswerFigures{.prompt_tokens = 32, .cached_tokens = 31, .generated_tokens = 4}));
    EXPECT_EQ(
        figures_of(
            {R"({"model":"m","object":"list","usage":{"prompt_tokens":8,"total_tokens":8},"data":[{"embedding":[0.1],)"
             R"("index":0},{"embedding":[0.2]},{"embedding":[0.2]},{"embedding":[0.2]},{"embedding":[0.2]}]})"}),
        (AnswerFigures{.prompt_tokens = 8}));
}

TEST(AnswerFigures, WhatAModelSaysIsNoFigure) {
    EXPECT_EQ(figures_of({R"({"choices":[{"text":"\"timings\":{\"prompt_n\":7}"}]})"}), AnswerFigures{});
    EXPECT_EQ(figures_of({R"({"choices":[{"text":"usage\":{\"prompt_tokens\":7}"}]})"}), AnswerFigures{});
}

TEST(AnswerFigures, NonsenseIsLeftAlone) {
    for (auto const* text :
         {"", "{", R"("timings":{)", R"("timings":{"prompt_n")", R"("timings":{"prompt_n":)",
          R"("timings":{"prompt_n":-5}})", R"("timings":{"prompt_n":99999999999999999999}})",
          R"("timings":{"prompt_n":"7"}})", R"("timings":{{{{"})"})
        EXPECT_EQ(figures_of({text}), AnswerFigures{}) << text;
}

}  // namespace
}  // namespace hal0::api
