#include "toml/document.hpp"

#include <gtest/gtest.h>

#include <limits>

#include "toml/test_document.hpp"

namespace hal0::toml {
namespace {

std::string fault(std::string text) { return Document::parse(std::move(text), "f.toml").error().message; }

Value const& at(Document const& document, std::vector<std::string> const& names) {
    Value const* value = &document.root();
    for (auto const& name : names)
        value = &value->find(name)->value;
    return *value;
}

// Every kind of thing TOML has, as people mix it.
std::string const mixed =
    "\xEF\xBB\xBF# ünï, before all\r\n"
    "title = \"caf\\u00e9 ☕ # no comment\" # one\r\n"
    "mask=0xff\r\n"
    "  big   = 1_000_000   \r\n"
    "ratio = -2.5e-3\r\n"
    "nothing = nan\r\n"
    "when = 1979-05-27 07:32:00Z\r\n"
    "path = 'C:\\no\\escape'\r\n"
    "text = \"\"\"\r\n"
    "[not a header]\r\n"
    "two \"\"quotes\"\" # and no comment \\\r\n"
    "  über\"\"\"\"\"\r\n"
    "\"quoted key\".'and another'.bare = true\r\n"
    "list = [ # ☕\r\n"
    "  \"a\", # first\r\n"
    "  'b'\r\n"
    "  , ]\r\n"
    "point = { x = 1, y.z = [ { deep = 'yes' } ] }\r\n"
    "[a.b.c] # header\r\n"
    "k = 0b101\r\n"
    "[a]\r\n"
    "k = 0o17\r\n"
    "[[many]]\r\n"
    "n = 1\r\n"
    "[[many]]\r\n"
    "n = 2";

TEST(Document, ReadsWhatPeopleWrite) {
    auto const document = read(mixed);
    auto const& root = document.root();
    EXPECT_EQ(std::get<std::string>(at(document, {"title"}).data), "café ☕ # no comment");
    EXPECT_EQ(std::get<std::int64_t>(at(document, {"mask"}).data), 255);
    EXPECT_EQ(std::get<std::int64_t>(at(document, {"big"}).data), 1'000'000);
    EXPECT_EQ(std::get<double>(at(document, {"ratio"}).data), -2.5e-3);
    EXPECT_EQ(std::get<Moment>(at(document, {"when"}).data).text, "1979-05-27 07:32:00Z");
    EXPECT_EQ(std::get<std::string>(at(document, {"path"}).data), "C:\\no\\escape");
    EXPECT_EQ(std::get<std::string>(at(document, {"text"}).data),
              "[not a header]\ntwo \"\"quotes\"\" # and no comment über\"\"");
    EXPECT_TRUE(std::get<bool>(at(document, {"quoted key", "and another", "bare"}).data));
    EXPECT_EQ(std::get<Value::Array>(at(document, {"list"}).data).size(), 2U);
    EXPECT_EQ(std::get<Value::Array>(at(document, {"point", "y", "z"}).data).size(), 1U);
    EXPECT_EQ(std::get<std::int64_t>(at(document, {"a", "b", "c", "k"}).data), 5);
    EXPECT_EQ(std::get<Value::Table>(root.data).front().name, "title");
    EXPECT_EQ(root.find("none"), nullptr);
    EXPECT_TRUE(same(root, read(mixed).root()));  // nan too
}

TEST(Document, KnowsWhereEachValueStands) {
    auto const document = read(mixed);
    auto const text = [&](std::vector<std::string> const& names) {
        return document.text_of(at(document, names).span);
    };
    EXPECT_EQ(text({"title"}), "\"caf\\u00e9 ☕ # no comment\"");
    EXPECT_EQ(text({"mask"}), "0xff");
    EXPECT_EQ(text({"big"}), "1_000_000");
    EXPECT_EQ(text({"nothing"}), "nan");
    EXPECT_EQ(text({"text"}),
              "\"\"\"\r\n[not a header]\r\ntwo \"\"quotes\"\" # and no comment \\\r\n  über\"\"\"\"\"");
    EXPECT_EQ(text({"list"}), "[ # ☕\r\n  \"a\", # first\r\n  'b'\r\n  , ]");
    EXPECT_EQ(text({"point"}), "{ x = 1, y.z = [ { deep = 'yes' } ] }");
    EXPECT_EQ(text({"a"}), "[a]");
    EXPECT_EQ(text({"a", "b"}), "[a.b.c]");
    EXPECT_TRUE(text({"many"}).starts_with("[[many]]"));
    EXPECT_EQ(document.text_of(std::get<Value::Array>(at(document, {"many"}).data)[1].find("n")->value.span),
              "2");
    EXPECT_EQ(document.text_of(document.root().find("quoted key")->key), "\"quoted key\"");
    EXPECT_EQ(document.place(at(document, {"title"}).span.begin), "f.toml:2:9");
    EXPECT_EQ(document.place(3), "f.toml:1:1");  // the mark at the beginning is no column
}

TEST(Document, KnowsHowEachTableCameAbout) {
    auto const document = read(mixed);
    EXPECT_EQ(at(document, {"a"}).form, Form::Header);
    EXPECT_EQ(at(document, {"a", "b"}).form, Form::Implied);
    EXPECT_EQ(at(document, {"a", "b", "c"}).form, Form::Header);
    EXPECT_EQ(at(document, {"many"}).form, Form::Header);
    EXPECT_EQ(at(document, {"quoted key"}).form, Form::Dotted);
    EXPECT_EQ(at(document, {"point"}).form, Form::Written);
    EXPECT_EQ(at(document, {"list"}).form, Form::Written);
    EXPECT_EQ(at(read("[ x . y ]\n[ x ]\n"), {"x"}).form, Form::Header);
    EXPECT_EQ(at(read("[ x . y ]\n"), {"x"}).form, Form::Implied);
    EXPECT_EQ(at(read("[ x . y ]\n"), {"x", "y"}).form, Form::Header);
}

TEST(Document, FaultsNameThePlace) {
    EXPECT_EQ(fault("a = 1\nb 2\n"), "f.toml:2:3: not TOML: expected '=', saw '2'");
    EXPECT_EQ(fault("a = 1\n\na = 2"), "f.toml:3:5: not TOML: cannot redefine existing integer 'a'");
    EXPECT_EQ(fault("a = \"open\n"),
              "f.toml:1:10: not TOML: unescaped control characters other than TAB (U+0009) are explicitly "
              "prohibited");
    EXPECT_EQ(fault("# ü ☕\nü = 1"),
              "f.toml:2:1: not TOML: expected keys, tables, whitespace or comments, saw 'ü'");
    for (auto const* bad : {"a",
                            "a =",
                            "= 1",
                            "[a",
                            "[a]]",
                            "a = [1,",
                            "a = {b = 1",
                            "a = {\nb = 1}",
                            "a = 'x",
                            "a = tru",
                            "a = 01",
                            "a = 1.",
                            "a = \"\\q\"",
                            "a = \"\\ud800\"",
                            "a.b = 1\na = 2",
                            "a = 1\n[a]",
                            "\xff = 1",
                            "a = \"\xC0\xAF\"",
                            "a = 1\rb = 2",
                            "a = 99999999999999999999",
                            "[[a]]\n[a]",
                            "a = 2000-13-01",
                            "[=]",
                            "[ü]",
                            "a = [ü",
                            "a = \"\"\"\\ü"}) {
        auto const document = Document::parse(bad, "f.toml");
        ASSERT_FALSE(document.ok()) << bad;
        EXPECT_EQ(document.error().kind, Errc::Corrupt);
        EXPECT_TRUE(document.error().message.starts_with("f.toml:")) << document.error().message;
    }
    for (auto const* good : {"", "\xEF\xBB\xBF", "\n", "# only this", " \t ", "\xEF\xBB\xBF# x"})
        EXPECT_TRUE(Document::parse(good, "f.toml").ok()) << good;
}

// A key of many parts or a value in many others would otherwise use up the stack.
TEST(Document, DepthHasALimit) {
    std::string key = "k";
    for (std::size_t i = 1; i < depth_max; ++i)
        key += ".k";
    EXPECT_TRUE(Document::parse(key + " = 1", "f.toml").ok());
    EXPECT_EQ(fault(key + ".k = 1"), "f.toml:1:128: not TOML we read: a key of more than 64 parts");
    EXPECT_FALSE(Document::parse("x = {" + key + " . \"k\" = 1}", "f.toml").ok());
    EXPECT_FALSE(Document::parse("[" + key + ".'k']", "f.toml").ok());
    EXPECT_FALSE(Document::parse("x = " + std::string(100'000, '['), "f.toml").ok());
    std::string million = "k";
    for (int i = 0; i < 500'000; ++i)
        million += ".k";
    EXPECT_FALSE(Document::parse(million + " = 1", "f.toml").ok());

    std::string const dots(200, '.');
    EXPECT_TRUE(Document::parse("#" + dots + "\na = \"" + dots + "\\\"" + dots + "\"\nb = '" + dots +
                                    "'\nc = \"\"\"\n\"" + dots + "\"\"\"\"\nd = [1.5, '''" + dots + "''']\n",
                                "f.toml")
                    .ok());
}

}  // namespace
}  // namespace hal0::toml
