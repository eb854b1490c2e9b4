#include "slots/sanity.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "base/format.hpp"
#include "os/file.hpp"

namespace hal0::slots {
namespace {

using models::Kind;

std::string recorded(std::string const& name) {
    return os::read_file("tests/cases/sanity/" + name, 1_MiB).value();
}

// A place of completion_probabilities with one candidate.
std::string place(std::string const& token, double probability) {
    auto const one =
        format(R"("id":{},"token":"{}","logprob":{})", token.size(), token, std::log(probability));
    return "{" + one + R"(,"top_logprobs":[{)" + one + "}]}";
}
std::string chat(std::string const& places, std::string const& content = "") {
    return sanity_fault(Kind::Chat, 200,
                        R"({"content":")" + content + R"(","completion_probabilities":[)" + places + "]}");
}

TEST(Sanity, RealAnswersAreSane) {
    EXPECT_EQ(sanity_fault(Kind::Chat, 200, recorded("smollm2-135m.json")), "");
    EXPECT_EQ(sanity_fault(Kind::Embed, 200, recorded("all-minilm-l6.json")), "");
    EXPECT_EQ(sanity_fault(Kind::Rerank, 200, recorded("rerank-test.json")), "");
}

TEST(Sanity, TheNumberIsWrittenOrCouldHaveBeen) {
    EXPECT_EQ(chat(place(" 10", 0.9)), "");
    EXPECT_EQ(chat(place("\\n", 0.9), "\\n 10, 11"), "") << "in tokens of any kind, candidates or not";
    EXPECT_NE(chat(place(" 10", 0.001)), "") << "hardly thought of";
    EXPECT_NE(chat(place(" 1", 0.9), " 1 1"), "");
    EXPECT_NE(chat(place(" ", 0.9), " 100"), "");
    EXPECT_NE(chat(place("1", 0.9), "101010"), "") << "a loop";
    EXPECT_NE(chat(place(" 3", 0.9), " 3 10"), "");
}

// A drafted token has no candidates (server-context.cpp of llama.cpp): what is written counts.
TEST(Sanity, DraftedTokensAreSane) {
    auto const drafted = R"(,{"id":9,"token":"1","logprob":0.0,"top_logprobs":[]})";
    EXPECT_EQ(chat(place(" ", 0.6) + drafted + drafted, " 10"), "");
}

TEST(Sanity, OneTokenForEverIsGarbageAlsoTheRightOne) {
    std::string places = place(" 1", 0.9);
    for (int i = 0; i < 7; ++i)
        places += "," + place(" 1", 0.9);
    EXPECT_EQ(chat(places), "it repeats one token");
}

TEST(Sanity, WhatIsNoAnswerIsAFault) {
    EXPECT_EQ(sanity_fault(Kind::Chat, 500, "oh"), "to a question it answers with status 500: oh");
    EXPECT_EQ(sanity_fault(Kind::Chat, 200, "oh"), "to a question it answers with status 200, and no JSON");
    for (auto const kind : {Kind::Chat, Kind::Embed, Kind::Rerank}) {
        for (auto const* const body : {"{}", "[]", "7", R"({"data":[{}]})", R"({"data":7,"results":[7]})",
                                       R"({"completion_probabilities":[7,{"top_logprobs":[7]}]})"})
            EXPECT_NE(sanity_fault(kind, 200, body), "") << to_string(kind) << body;
    }
}

TEST(Sanity, KindsThatNobodyCanJudgeAreNotAsked) {
    EXPECT_TRUE(sanity_question(Kind::Chat) && sanity_question(Kind::Embed) && sanity_question(Kind::Rerank));
    for (auto const kind : {Kind::Stt, Kind::Tts, Kind::Image})
        EXPECT_FALSE(sanity_question(kind)) << to_string(kind);
}

}  // namespace
}  // namespace hal0::slots
