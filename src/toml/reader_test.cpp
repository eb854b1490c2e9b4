#include "toml/reader.hpp"

#include <gtest/gtest.h>

namespace hal0::toml {
namespace {

struct Slot {
    std::string model{};
    std::int64_t context{4096};
    std::optional<std::string> kind{};
    std::vector<std::string> args{};
    std::vector<std::string> listen{};
    bool enabled{true};
    std::string colour{"red"};
    std::vector<std::string> unknown{};
};

Result<Slot> decode(std::string text) {
    HAL0_TRY(document, Document::parse(std::move(text), "slots/a.toml"));
    Slot slot;
    TableReader in{document};
    in.required("model", slot.model);
    in.optional("context", slot.context);
    in.optional("kind", slot.kind);
    in.optional("args", slot.args);
    in.one_or_more("listen", slot.listen);
    in.optional("enabled", slot.enabled);
    if (slot.context < 128) in.refuse("context", "must be at least 128");
    if (auto const* look = in.table("look")) {
        TableReader inner{document, *look, "look"};
        inner.required("colour", slot.colour);
        HAL0_CHECK(inner.finish());
        slot.unknown = inner.unknown();
    }
    HAL0_CHECK(in.finish());
    auto const more = in.unknown();
    slot.unknown.insert(slot.unknown.end(), more.begin(), more.end());
    return slot;
}

TEST(TableReader, FillsFields) {
    auto const slot = decode(
                          "model = 'tiny'\ncontext = 0x1000\nargs = [\n'-v', # loud\n]\nlisten = 'here'\n"
                          "enabled = false\nlook.colour = 'blue'\n")
                          .value();
    EXPECT_EQ(slot.model, "tiny");
    EXPECT_EQ(slot.context, 4096);
    EXPECT_FALSE(slot.kind);
    EXPECT_EQ(slot.args, std::vector<std::string>{"-v"});
    EXPECT_EQ(slot.listen, std::vector<std::string>{"here"});
    EXPECT_FALSE(slot.enabled);
    EXPECT_EQ(slot.colour, "blue");
    EXPECT_TRUE(slot.unknown.empty());
    EXPECT_EQ(decode("model = 'tiny'\nlisten = ['a', 'b']")->listen, (std::vector<std::string>{"a", "b"}));
}

TEST(TableReader, FaultsNameFileLineColumnAndKey) {
    auto const message = [](char const* text) { return decode(text).error().message; };
    EXPECT_EQ(message("context = 1024\n"), "slots/a.toml: 'model' is missing");
    EXPECT_EQ(message("# mine\nmodel = 7\n"), "slots/a.toml:2:9: model must be a string, not a whole number");
    EXPECT_EQ(message("model = 'm'\ncontext = \"4096\"\n"),
              "slots/a.toml:2:11: context must be a whole number, not a string");
    EXPECT_EQ(message("model = 'm'\nargs = [\n  '-v',\n  3.5]\n"),
              "slots/a.toml:4:3: args must be an array of strings, not a number with a fraction");
    EXPECT_EQ(message("model = 'm'\nargs = '-v'\n"),
              "slots/a.toml:2:8: args must be an array of strings, not a string");
    EXPECT_EQ(message("model = 'm'\nenabled = 2001-01-01\n"),
              "slots/a.toml:2:11: enabled must be true or false, not a date or time");
    EXPECT_EQ(message("model = 'm'\ncontext = 5\n"), "slots/a.toml:2:11: context must be at least 128");
    EXPECT_EQ(message("model = 'm'\nlook = 1\n"),
              "slots/a.toml:2:8: look must be a table, not a whole number");
    EXPECT_EQ(message("model = 'm'\n\n[look]\n"), "slots/a.toml:3:1: 'look.colour' is missing");
    EXPECT_EQ(message("model = 1\ncontext = 'x'\n"),  // the first one counts
              "slots/a.toml:1:9: model must be a string, not a whole number");
}

TEST(TableReader, UnknownKeysAreNamedWithTheNearestKnown) {
    auto const slot =
        decode("model = 'm'\ncontxt = 1\nzzz.y = 2\n[look]\ncolour = 'x'\ncolor = 'y'\n").value();
    EXPECT_EQ(slot.unknown,
              (std::vector<std::string>{
                  "slots/a.toml:6:1: 'look.color' means nothing here and is ignored; did you mean 'colour'?",
                  "slots/a.toml:2:1: 'contxt' means nothing here and is ignored; did you mean 'context'?",
                  "slots/a.toml:3:1: 'zzz' means nothing here and is ignored"}));
}

}  // namespace
}  // namespace hal0::toml
