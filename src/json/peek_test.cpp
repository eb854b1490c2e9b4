#include "json/peek.hpp"

#include <gtest/gtest.h>

namespace hal0::json {
namespace {

using Shape = Peek::Shape;

TEST(Peek, FindsTheModelAtDepthOneOnly) {
    auto const found = peek(R"( {"messages":[{"model":"x"}], "model" : "primary" ,"stream":false} )");
    EXPECT_EQ(found.shape, Shape::Object);
    EXPECT_EQ(found.model, "primary");
}

TEST(Peek, SaysWhetherAStreamIsAskedFor) {
    EXPECT_TRUE(peek(R"({"stream" : true ,"a":{"stream":false}})").stream);
    EXPECT_FALSE(peek(R"({"stream":false,"a":{"stream":true}})").stream);
    EXPECT_FALSE(peek(R"({"stream":"true"})").stream);
    EXPECT_FALSE(peek("{}").stream);
}

TEST(Peek, NothingNamedIsNothing) {
    auto const found = peek("{}");
    EXPECT_EQ(found.shape, Shape::Object);
    EXPECT_FALSE(found.model);
}

TEST(Peek, TheLastOfTwoWins) { EXPECT_EQ(peek(R"({"model":"a","model":"b"})").model, "b"); }

TEST(Peek, ReadsEscapes) {
    EXPECT_EQ(peek(R"({"mod\u0065l":"qwen\/7b \u20ac \ud83d\ude00"})").model, "qwen/7b € 😀");
    EXPECT_EQ(peek(R"({"a":"\\\"","model":"x"})").model, "x");
    EXPECT_EQ(peek(R"({"model":"\q"})").shape, Shape::Malformed);
}

TEST(Peek, AModelThatIsNoText) {
    EXPECT_TRUE(peek(R"({"model":7})").model_is_not_text);
    EXPECT_TRUE(peek(R"({"model":{"a":1}})").model_is_not_text);
    EXPECT_FALSE(peek(R"({"model":null})").model_is_not_text);
}

TEST(Peek, AModelTooLongForANameIsNotTaken) {
    auto const of = [](std::string const& name) { return peek(R"({"model":")" + name + R"("})"); };
    EXPECT_EQ(of(std::string(model_bytes_max, 'a')).model, std::string(model_bytes_max, 'a'));
    for (auto const& name : {std::string(model_bytes_max + 1, 'a'), std::string(10'000, 'a')}) {
        EXPECT_EQ(of(name).shape, Shape::Object);
        EXPECT_TRUE(of(name).model_is_too_long);
        EXPECT_FALSE(of(name).model);
    }
    auto const last = peek(R"({"model":")" + std::string(10'000, 'a') + R"(","model":"m"})");
    EXPECT_FALSE(last.model_is_too_long);
    EXPECT_EQ(last.model, "m");
}

TEST(Peek, SeesABadShape) {
    for (auto const* bad :
         {"{", R"({"a")", R"({"a":)", R"({"a":1)", R"({"a":1,})", R"({"a":[1,2})", R"({"a":{]})",
          R"({"a":"b)", R"({"a":"b\)", R"({} x)", R"({"model":"a"}{)", R"({"a" 1})", R"({1:2})"}) {
        EXPECT_EQ(peek(bad).shape, Shape::Malformed) << bad;
        EXPECT_FALSE(peek(bad).model) << bad;
    }
    for (auto const* other : {"", "  ", "[1]", "7", "null", "\"x\""})
        EXPECT_EQ(peek(other).shape, Shape::NotObject) << other;
}

TEST(Peek, TellsWhereItWentWrong) { EXPECT_EQ(peek(R"({"a":1} x)").fault_at, 8U); }

TEST(Peek, RefusesDepthWithoutRecursion) {
    std::string const deep = R"({"a":)" + std::string(10'000, '[') + std::string(10'000, ']') + "}";
    EXPECT_EQ(peek(deep).shape, Shape::TooDeep);
    std::string const fine = R"({"a":)" + std::string(500, '[') + std::string(500, ']') + R"(,"model":"m"})";
    EXPECT_EQ(peek(fine).model, "m");
}

// Every cut of a good body is malformed or not an object, never a crash or a wrong answer.
TEST(Peek, EveryPrefixOfABodyIsRefused) {
    std::string const body =
        R"({"model":"primary","messages":[{"role":"user","content":"a\"b\\"}],"n":1.5e3,"stream":true})";
    for (std::size_t cut = 0; cut < body.size(); ++cut)
        EXPECT_NE(peek(body.substr(0, cut)).shape, Shape::Object) << cut;
    EXPECT_EQ(peek(body).model, "primary");
}

}  // namespace
}  // namespace hal0::json
