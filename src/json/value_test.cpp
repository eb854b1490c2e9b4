#include "json/value.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "json/writer.hpp"

namespace hal0::json {
namespace {

struct Slot {
    std::string name{};
    std::int64_t context{0};
    std::optional<std::int64_t> pid{};
    std::vector<std::string> args{};
    bool pinned{false};
};

Result<Slot> decode(std::string_view text) {
    HAL0_TRY(value, parse(text));
    Slot slot;
    ObjectReader in{value, "slot"};
    in.required("name", slot.name);
    in.required("context", slot.context);
    in.optional("pid", slot.pid);
    in.optional("args", slot.args);
    in.optional("pinned", slot.pinned);
    HAL0_CHECK(in.finish());
    return slot;
}

TEST(Json, ReadsAnObject) {
    auto const slot =
        decode(R"({"name":"a\u20ac","context":4096,"pid":7,"args":["x","y"],"pinned":true})").value();
    EXPECT_EQ(slot.name, "a€");
    EXPECT_EQ(slot.context, 4096);
    EXPECT_EQ(slot.pid, 7);
    EXPECT_EQ(slot.args, (std::vector<std::string>{"x", "y"}));
    EXPECT_TRUE(slot.pinned);
    EXPECT_FALSE(decode(R"({"name":"a","context":1,"pid":null})")->pid);
}

TEST(Json, ErrorsNameThePlace) {
    auto const message = [](std::string_view text) { return decode(text).error().message; };
    EXPECT_EQ(message(R"({"context":1})"), "'slot.name' is missing");
    EXPECT_EQ(message(R"({"name":1,"context":1})"), "slot.name must be a string");
    EXPECT_EQ(message(R"({"name":"a","context":1.5})"), "slot.context must be a whole number");
    EXPECT_EQ(message(R"({"name":"a","context":1,"args":["x",1]})"), "slot.args must be an array of strings");
    EXPECT_EQ(message(R"({"name":"a","context":1,"pined":true})"),
              "there is no 'slot.pined' here; did you mean 'pinned'?");
    EXPECT_EQ(message("[1]"), "slot must be an object");
}

TEST(Json, BuildsNoMoreThanItMay) {
    ParseLimits const four{.values_max = 4};
    for (auto const* fits : {"[1,2,3]", R"({"a":1,"b":[null]})", R"(["a",{},[]])"})
        EXPECT_TRUE(parse(fits, four).ok()) << fits;
    for (auto const* over :
         {"[1,2,3,4]", R"({"a":1,"b":[null,true]})", R"(["a",{},[],[]])", "[1.5,2,3,4,5"}) {
        auto const value = parse(over, four);
        ASSERT_FALSE(value.ok()) << over;
        EXPECT_EQ(value.error(), (Error{Errc::TooLarge, "JSON with more than 4 values"})) << over;
    }
    std::string many{"[0"};
    for (std::size_t i = 0; i < ParseLimits{}.values_max; ++i)
        many += ",0";
    EXPECT_EQ(parse(many + "]").error().kind, Errc::TooLarge);
}

TEST(Json, ARequestsFaultIsItsSenders) {
    EXPECT_EQ(parse_request("{", 9).error().kind, Errc::Invalid);
    EXPECT_EQ(parse_request("[1,2]", 2).error(),
              (Error{Errc::TooLarge, "the body is JSON with more than 2 values"}));
    EXPECT_TRUE(parse_request("[1,2]", 3).ok());
}

TEST(Json, RefusesWhatIsNotJson) {
    for (auto const* bad :
         {"", "{", "{} x", "{\"a\":01}", "{'a':1}", "\"\xC0\xAF\"", "nul", "[1,]", "{\"a\":1}}"}) {
        auto const value = parse(bad);
        ASSERT_FALSE(value.ok()) << bad;
        EXPECT_EQ(value.error().kind, Errc::Corrupt);
        EXPECT_NE(value.error().message.find("at byte"), std::string::npos);
    }
    EXPECT_FALSE(parse(std::string(65, '[') + std::string(65, ']')).ok());
    EXPECT_TRUE(parse(std::string(64, '[') + std::string(64, ']')).ok());
    EXPECT_FALSE(parse(std::string(100'000, '[')).ok());
}

TEST(Json, ADocumentBecomesTextAgain) {
    std::string const text = R"({"b":[1,2.5,null,"x\n",true],"a":{},"c":[]})";
    EXPECT_EQ(to_text(parse(" " + text).value()), text);
}

TEST(Json, OfTwoMembersTheLastCounts) {
    auto const value = parse(R"({"a":1,"a":2})").value();
    EXPECT_EQ(std::get<std::int64_t>(value.find("a")->data), 2);
    EXPECT_EQ(value.find("b"), nullptr);
}

TEST(Writer, PutsCommasAndEscapes) {
    Writer out;
    out.begin_object();
    out.field("text", "a\"\\\n\x01")
        .field("n", 7)
        .field("flag", true)
        .field("none", std::optional<std::int64_t>{});
    out.field("list", std::vector<std::string>{"x", "y"});
    out.key("empty").begin_array().end_array();
    out.key("inner").begin_object().field("d", 0.1).end_object();
    out.end_object();
    EXPECT_EQ(
        out.text(),
        R"({"text":"a\"\\\n\u0001","n":7,"flag":true,"none":null,"list":["x","y"],"empty":[],"inner":{"d":0.1}})");
    EXPECT_TRUE(parse(out.text()).ok());
}

TEST(Writer, NumbersComeBackTheSame) {
    for (double const number : {0.1, 1e300, -2.5e-9, 123456789.0, -0.0}) {
        Writer out;
        out.value(number);
        auto const back = parse(out.text()).value();
        auto const* exact = std::get_if<double>(&back.data);
        EXPECT_EQ(exact != nullptr ? *exact : static_cast<double>(std::get<std::int64_t>(back.data)), number);
    }
    Writer out;
    EXPECT_EQ(out.value(std::nan("")).text(), "null");
}

TEST(Json, ANumberTooLargeForOneIsAFault) {
    auto const value = parse("[1e309]");
    ASSERT_FALSE(value);
    EXPECT_EQ(value.error().kind, Errc::Corrupt);
    EXPECT_TRUE(std::signbit(std::get<double>(parse("-0.0").value().data)));
    EXPECT_EQ(to_text(parse("-0.0").value()), "-0.0");
}

TEST(Writer, RepairsUtf8) {
    EXPECT_EQ(quoted("a\xC0z\xE2\x82"), "\"a\xEF\xBF\xBDz\xEF\xBF\xBD\xEF\xBF\xBD\"");
}

}  // namespace
}  // namespace hal0::json
