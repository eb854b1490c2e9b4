#include "toml/edit.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "toml/test_document.hpp"

namespace hal0::toml {
namespace {

using Strings = std::vector<std::string>;

std::string set(std::string text, Path const& path, Setting const& setting) {
    auto const after = with(read(std::move(text)), path, setting);
    return after.ok() ? after->text() : after.error().message;
}
std::string removed(std::string text, Path const& path) {
    auto const after = without(read(std::move(text)), path);
    return after.ok() ? after->text() : after.error().message;
}

struct Case {
    char const* before;
    Path path;
    Setting setting;
    char const* after;
};

TEST(Edit, AValueIsReplacedWhereItStands) {
    for (auto const& [before, path, setting, after] : std::vector<Case>{
             {"a = 1 # one\n", {"a"}, std::int64_t{2}, "a = 2 # one\n"},
             {"a=1", {"a"}, std::int64_t{-20}, "a=-20"},
             {"  a\t=\t'x'\t#'\r\nb = 1\r\n",
              {"a"},
              std::string{"y\"\\"},
              "  a\t=\t\"y\\\"\\\\\"\t#'\r\nb = 1\r\n"},
             {"a = \"\"\"\nlong\n\"\"\" # c\n", {"a"}, std::string{"s"}, "a = \"s\" # c\n"},
             {"a = true\n", {"a"}, std::string{"true"}, "a = \"true\"\n"},
             {"\xEF\xBB\xBF\"a\" = true # ☕\n", {"a"}, false, "\xEF\xBB\xBF\"a\" = false # ☕\n"},
             {"[t]\na.b = 1\n[t.a.c]\n", {"t", "a", "b"}, std::int64_t{2}, "[t]\na.b = 2\n[t.a.c]\n"},
             {"t = { a = 1, b = 'x' } # c\n", {"t", "b"}, std::string{"z"}, "t = { a = 1, b = \"z\" } # c\n"},
             {"a = [1, 2] # c\n", {"a"}, std::string{"x"}, "a = \"x\" # c\n"},
             {"a = '-v'\n", {"a"}, Strings{"-v", "x"}, "a = [\"-v\", \"x\"]\n"},
         })
        EXPECT_EQ(set(before, path, setting), after);
}

TEST(Edit, AValueThatSaysSoAlreadyKeepsItsLook) {
    EXPECT_EQ(set("a = 0xff", {"a"}, std::int64_t{255}), "a = 0xff");
    EXPECT_EQ(set("a = '''\nx'''", {"a"}, std::string{"x"}), "a = '''\nx'''");
    EXPECT_EQ(set("a = ['x', # c\n]", {"a"}, Strings{"x"}), "a = ['x', # c\n]");
}

TEST(Edit, AnArrayKeepsItsItemsAndItsShape) {
    std::string const lines = "a = [ # args\n  '-v',   # loud\n  '-x' # last\n]\n";
    EXPECT_EQ(set(lines, {"a"}, Strings{"-q", "-x"}), "a = [ # args\n  \"-q\",   # loud\n  '-x' # last\n]\n");
    EXPECT_EQ(set(lines, {"a"}, Strings{"-v", "-x", "-y"}), "a = [\n  \"-v\",\n  \"-x\",\n  \"-y\",\n]\n");
    EXPECT_EQ(set("  a = ['x',\r\n'y']\r\n", {"a"}, Strings{"z"}), "  a = [\r\n      \"z\",\r\n  ]\r\n");
    EXPECT_EQ(set(lines, {"a"}, Strings{}), "a = []\n");
    EXPECT_EQ(set("a = ['x', 'y',]", {"a"}, Strings{"x", "y", "z"}), "a = [\"x\", \"y\", \"z\"]");
}

TEST(Edit, StringsComeBackAsTheyWere) {
    std::string every;
    for (char c = 1; c < 127; ++c)
        every += c;
    every += '\0';
    every += "\x7F ü☕ 🍺 \"\"\" ''' \\";
    auto const after = with(read("a = 1\n"), {"a"}, every).value();
    EXPECT_EQ(std::get<std::string>(after.root().find("a")->value.data), every);
    EXPECT_EQ(std::count(after.text().begin(), after.text().end(), '\n'), 1);
    EXPECT_EQ(with(after, {"a"}, std::string{"\xC0"}).error().kind, Errc::Invalid);
    EXPECT_EQ(with(after, {"b"}, Strings{"ok", "\xFF"}).error().kind, Errc::Invalid);
}

TEST(Edit, ANewKeyIsTheLastOfItsTable) {
    for (auto const& [before, path, setting, after] : std::vector<Case>{
             {"", {"a"}, true, "a = true\n"},
             {"\xEF\xBB\xBF",
              {"a"},
              true,
              "\xEF\xBB\xBF"
              "a = true\n"},
             {"# only words", {"a"}, true, "# only words\na = true"},
             {"a = 1\n# b = 2\n", {"c"}, true, "a = 1\nc = true\n# b = 2\n"},
             {"a = 1 # one", {"c"}, true, "a = 1 # one\nc = true"},
             {"a=1\r\n\r\n[t]\r\n", {"c"}, std::string{"x"}, "a=1\r\nc=\"x\"\r\n\r\n[t]\r\n"},
             {"  a = [\n1]\n", {"c"}, true, "  a = [\n1]\n  c = true\n"},
             {"x.y = 1\n[t]\nb = 1", {"c"}, true, "x.y = 1\nc = true\n[t]\nb = 1"},
             {"# top\n\n# of t\n# too\n[t]\n", {"c"}, true, "# top\n\nc = true\n\n# of t\n# too\n[t]\n"},
             {"# of t\n[[t]]\n", {"c"}, true, "c = true\n\n# of t\n[[t]]\n"},
             {"\xEF\xBB\xBF# of t\n[t.u]\n[t]\n",
              {"c"},
              true,
              "\xEF\xBB\xBF"
              "c = true\n\n# of t\n[t.u]\n[t]\n"},
             {"[t] # t\n[u]\n", {"t", "c"}, true, "[t] # t\nc = true\n[u]\n"},
             {"[t]", {"t", "c"}, true, "[t]\nc = true"},
             {"[t.u]\nx = 1\n[t]\ny = 1\n[v]\n",
              {"t", "c"},
              true,
              "[t.u]\nx = 1\n[t]\ny = 1\nc = true\n[v]\n"},
             {"[t]\na.b = 1\nz = 1\n", {"t", "a", "c"}, true, "[t]\na.b = 1\na.c = true\nz = 1\n"},
             {"a = 1\n", {"t", "c"}, true, "a = 1\n\n[t]\nc = true\n"},
             {"a = 1", {"t", "c d"}, true, "a = 1\n\n[t]\n\"c d\" = true"},
             {"", {"a.b", "c", "d"}, true, "[\"a.b\".c]\nd = true\n"},
             {"[t.u]\nx = 1\n", {"t", "c"}, true, "[t.u]\nx = 1\n\n[t]\nc = true\n"},
         })
        EXPECT_EQ(set(before, path, setting), after);
}

TEST(Edit, ARemovedKeyTakesItsLine) {
    EXPECT_EQ(removed("a = 1 # one\r\n# two\r\nb = 2\r\n", {"a"}), "# two\r\nb = 2\r\n");
    EXPECT_EQ(removed("a = 1\n  b = [ # x\n 1 ]  # y\nc = 3", {"b"}), "a = 1\nc = 3");
    EXPECT_EQ(removed("a = 1\nb = 2", {"b"}), "a = 1\n");
    EXPECT_EQ(removed("\xEF\xBB\xBF"
                      "a = 1\nb = 2",
                      {"a"}),
              "\xEF\xBB\xBF"
              "b = 2");
    EXPECT_EQ(removed("[t]\na.b = 1\na.c = 2\n", {"t", "a", "c"}), "[t]\na.b = 1\n");
    EXPECT_EQ(removed("[t]\na.b = 1\n", {"t", "a", "b"}), "[t]\n");
    EXPECT_EQ(removed("a = 1\n", {"b"}), "a = 1\n");
}

TEST(Edit, WhatCannotBeEditedIsRefused) {
    auto const document = read("a = 1\nt = { x = 1 }\n[u]\nz.y = 1\n[[v]]\nw = 1\n");
    EXPECT_EQ(set(document.text(), {"a", "b"}, true), "f.toml:1:1: 'a' is a whole number, not a table");
    EXPECT_EQ(set(document.text(), {"u"}, true), "f.toml:3:2: 'u' is a table here, not a value");
    EXPECT_EQ(set(document.text(), {"v", "w"}, true), "f.toml:5:3: 'v' is an array, not a table");
    EXPECT_EQ(with(document, {"u", "z"}, true).error().kind, Errc::Conflict);
    EXPECT_EQ(with(document, {"v"}, true).error().kind, Errc::Conflict);
    EXPECT_EQ(with(document, {"t", "y"}, true).error().kind, Errc::Unsupported);
    EXPECT_EQ(without(document, {"t", "x"}).error().kind, Errc::Unsupported);
    EXPECT_EQ(without(document, {"u"}).error().kind, Errc::Conflict);
}

// ---- every edit of many documents

Strings const lines{
    "# words = 'of no meaning'",
    "",
    "a = 1",
    "  b = 'x'   # b = 2",
    "c=0xff",
    "d = [ # d\n  'x', # \"\n\n  'y'\n]",
    "e = \"\"\"\n[t]\na = 2\n\"\"\"",
    "f.g = 1",
    "f.h = '''\n#'''",
    "i = { a = 1, b = { a = \"}\" } }",
    "\"j k\" = 2.5",
    "l = 1999-12-31T23:59:59Z",
    "'ü' = \"☕\"",
};
Strings const headers{"", "[t] # t", "# u\n[u.v]", "[w]\n", "[u]", "[[x]]", "[[x]]"};

std::uint32_t next_random(std::uint32_t& state) {  // xorshift: the same documents in each run
    state ^= state << 13U;
    state ^= state >> 17U;
    state ^= state << 5U;
    return state;
}

std::string random_document(std::uint32_t& state) {
    std::string text = next_random(state) % 4 == 0 ? "\xEF\xBB\xBF" : "";
    for (auto const& header : headers) {
        if (next_random(state) % 2 == 0) continue;
        text += header + "\n";
        for (auto const& line : lines) {
            if (next_random(state) % 3 == 0) text += line + "\n";
        }
    }
    if (next_random(state) % 3 == 0 && text.ends_with('\n')) text.pop_back();
    if (next_random(state) % 3 != 0) return text;
    std::string crlf;
    for (char const c : text)
        crlf += c == '\n' ? std::string{"\r\n"} : std::string{c};
    return crlf;
}

struct Difference {
    std::string gone{};
    std::string come{};
};

// What is between the longest common beginning and the longest common end.
Difference difference(std::string const& before, std::string const& after) {
    auto const shorter = std::min(before.size(), after.size());
    std::size_t head = 0;
    while (head < shorter && before[head] == after[head])
        ++head;
    std::size_t tail = 0;
    while (tail < shorter - head && before[before.size() - 1 - tail] == after[after.size() - 1 - tail])
        ++tail;
    return {before.substr(head, before.size() - head - tail), after.substr(head, after.size() - head - tail)};
}

Value const* find(Document const& document, Path const& path) {
    Value const* at = &document.root();
    for (auto const& name : path) {
        auto const* const next = at->find(name);
        if (next == nullptr) return nullptr;
        at = &next->value;
    }
    return at;
}

std::vector<Path> const paths{{"a"},           {"b"},      {"c"},           {"d"},
                              {"e"},           {"f", "g"}, {"f", "new"},    {"j k"},
                              {"new"},         {"ü"},      {"i", "b", "a"}, {"t", "a"},
                              {"t", "d"},      {"t", "q"}, {"t", "f", "h"}, {"u", "v", "f", "h"},
                              {"u", "v", "n"}, {"u", "q"}, {"w", "x", "y"}};
std::vector<Setting> const settings{std::int64_t{7}, std::string{"[u]\n# \"\\"}, Strings{"x", "#", "]"},
                                    true};

// Each edit that is possible comes out as asked; what is gone stood in the value, or in the line removed.
void try_edits(Document const& document, Path const& path, int& done) {
    auto const* const old = find(document, path);
    for (auto const& setting : settings) {
        auto const after = with(document, path, setting);
        ASSERT_TRUE(after.ok() || after.error().kind != Errc::Internal) << after.error().message;
        if (!after.ok()) continue;
        ++done;
        auto const changed = difference(document.text(), after->text());
        auto const replaced = old == nullptr ? std::string_view{} : document.text_of(old->span);
        EXPECT_NE(replaced.find(changed.gone), std::string_view::npos) << changed.gone;
        auto const* const now = find(*after, path);
        ASSERT_NE(now, nullptr);
        if (old == nullptr) {
            EXPECT_NE(changed.come.find(after->text_of(now->span)), std::string::npos);
        }
    }
    auto const less = without(document, path);
    ASSERT_TRUE(less.ok() || less.error().kind != Errc::Internal) << less.error().message;
    if (!less.ok()) return;
    EXPECT_EQ(find(*less, path), nullptr);
    EXPECT_EQ(difference(document.text(), less->text()).come, "");
}

TEST(Edit, OfManyDocumentsTheRestOfTheBytesStands) {
    std::uint32_t state = 2463534242;
    int documents = 0;
    int edits = 0;
    for (int round = 0; round < 30; ++round) {
        auto const document = Document::parse(random_document(state), "f.toml");
        if (!document.ok()) continue;  // the second [[x]] without the first key of its table, and the like
        ++documents;
        for (auto const& path : paths) {
            SCOPED_TRACE(path.back() + " in:\n" + document->text());
            try_edits(*document, path, edits);
        }
    }
    EXPECT_GT(documents, 25);
    EXPECT_GT(edits, 1000);
}

}  // namespace
}  // namespace hal0::toml
