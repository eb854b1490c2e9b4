#include "toml/edit.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include "base/format.hpp"
#include "base/text.hpp"

namespace hal0::toml {
namespace {

struct Splice {
    Span cut{};
    std::string put{};
};

// ---- words

std::string quoted(std::string_view text) {
    std::string out = "\"";
    for (char const c : text) {
        switch (c) {
            case '"': out += "\\\""; break;
            case '\\': out += "\\\\"; break;
            case '\b': out += "\\b"; break;
            case '\t': out += "\\t"; break;
            case '\n': out += "\\n"; break;
            case '\f': out += "\\f"; break;
            case '\r': out += "\\r"; break;
            default:
                if ((c >= 0 && c < ' ') || c == '\x7F') {
                    out += format("\\u{:04X}", static_cast<unsigned>(c));
                } else {
                    out += c;
                }
        }
    }
    return out + '"';
}

std::string key_word(std::string_view name) {
    constexpr std::string_view bare = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-";
    bool const plain = !name.empty() && name.find_first_not_of(bare) == std::string_view::npos;
    return plain ? std::string{name} : quoted(name);
}

std::string dotted(Path::const_iterator from, Path::const_iterator to) {
    std::vector<std::string> words;
    std::transform(from, to, std::back_inserter(words), key_word);
    return join(words, ".");
}

Value value_of(Setting const& setting) {
    Value value;
    if (auto const* items = std::get_if<std::vector<std::string>>(&setting)) {
        Value::Array array;
        for (auto const& item : *items)
            array.push_back(Value{.data = item});
        value.data = std::move(array);
    } else if (auto const* text = std::get_if<std::string>(&setting)) {
        value.data = *text;
    } else if (auto const* number = std::get_if<std::int64_t>(&setting)) {
        value.data = *number;
    } else {
        value.data = std::get<bool>(setting);
    }
    return value;
}

Result<void> check_utf8(Path const& path, Setting const& setting) {
    std::vector<std::string> texts = path;
    if (auto const* text = std::get_if<std::string>(&setting)) texts.push_back(*text);
    if (auto const* items = std::get_if<std::vector<std::string>>(&setting)) {
        texts.insert(texts.end(), items->begin(), items->end());
    }
    if (std::all_of(texts.begin(), texts.end(), valid_utf8)) return {};
    return Error{Errc::Invalid, format("{} can't be set to text that isn't UTF-8", join(path, "."))};
}

// ---- lines of the text

std::size_t line_begin(std::string_view text, std::size_t at) {
    auto const begin = text.substr(0, at).rfind('\n') + 1;  // npos + 1 is 0
    return begin == 0 && text.starts_with(byte_order_mark) ? byte_order_mark.size() : begin;
}

std::size_t line_end(std::string_view text, std::size_t at) {  // behind its line feed
    auto const feed = text.find('\n', at);
    return feed == std::string_view::npos ? text.size() : feed + 1;
}

std::string_view line_break(std::string_view text) {
    auto const feed = text.find('\n');
    return feed != std::string_view::npos && feed > 0 && text[feed - 1] == '\r' ? "\r\n" : "\n";
}

bool ends_open(std::string_view text) {
    return !text.empty() && text != byte_order_mark && text.back() != '\n';
}

// ---- places in the tree

// Calls `visit` for each value that stands in the section of `table` itself: not those under other headers.
template <class F> void for_each_line(Value::Table const& table, F const& visit) {
    for (auto const& member : table) {
        if (member.value.form == Form::Written) visit(member);
        if (member.value.form != Form::Dotted) continue;
        for_each_line(std::get<Value::Table>(member.value.data), visit);
    }
}

Member const* last_line(Value::Table const& table) {
    Member const* last = nullptr;
    for_each_line(table, [&last](Member const& member) {
        if (last == nullptr || member.key.begin > last->key.begin) last = &member;
    });
    return last;
}

// Where the first header of the document begins.
std::optional<std::size_t> first_header(Value const& value) {
    std::optional<std::size_t> first;
    auto const take = [&first](std::optional<std::size_t> at) {
        if (at && (!first || *at < *first)) first = at;
    };
    if (auto const* items = std::get_if<Value::Array>(&value.data)) {
        for (auto const& item : *items)
            take(first_header(item));
    } else if (auto const* members = std::get_if<Value::Table>(&value.data)) {
        for (auto const& [name, key, inner] : *members) {
            if (inner.form == Form::Header || inner.form == Form::Implied) take(inner.span.begin);
            if (inner.form != Form::Written) take(first_header(inner));
        }
    }
    return first;
}

// ---- what to splice

std::string spaced_equals(Document const& document, Member const* model) {
    if (model == nullptr) return " = ";
    auto const between = document.text_of({model->key.end, model->value.span.begin});
    return between == "=" ? "=" : " = ";
}

// What blank the line of `at` begins with.
std::string indent_of(std::string_view text, std::size_t at) {
    auto const begin = line_begin(text, at);
    return std::string{text.substr(begin, text.find_first_not_of(" \t", begin) - begin)};
}

// A line of its own behind the line that holds the byte before `at`.
Splice line_after(std::string_view text, std::size_t at, std::string const& line) {
    auto const end = line_end(text, at);
    auto const feed = line_break(text);
    if (end == text.size() && ends_open(text)) return {{end, end}, format("{}{}", feed, line)};
    return {{end, end}, format("{}{}", line, feed)};
}

// The first key of the root table, in a document that so far has but tables: above the first header and the
// comment that stands right on it.
Splice line_before_header(std::string_view text, std::size_t header, std::string const& line) {
    auto at = line_begin(text, header);
    while (at > 0 && at != byte_order_mark.size()) {
        auto const above = line_begin(text, at - 1);
        if (!trim(text.substr(above, at - above)).starts_with('#')) break;
        at = above;
    }
    auto const feed = line_break(text);
    return {{at, at}, format("{}{}{}", line, feed, feed)};
}

// `[path]` and the key, at the end of the text.
Splice new_table(std::string_view text, Path const& path, std::string const& line) {
    auto const feed = line_break(text);
    auto const header = format("[{}]{}{}", dotted(path.begin(), path.end() - 1), feed, line);
    if (text.empty() || text == byte_order_mark)
        return {{text.size(), text.size()}, header + std::string{feed}};
    if (ends_open(text)) return {{text.size(), text.size()}, format("{}{}{}", feed, feed, header)};
    return {{text.size(), text.size()}, format("{}{}{}", feed, header, feed)};
}

// The way down to the table that shall hold a key, as far as it exists.
struct Way {
    Value const* table{nullptr};  // the last one found
    std::size_t found{0};         // how many names of the path lead to it
    std::size_t section{0};       // how many of these its header stands for; the rest are dotted
};

Result<Way> way_to(Document const& document, Path const& path) {
    Way way{.table = &document.root()};
    for (; way.found + 1 < path.size(); ++way.found) {
        auto const* const next = way.table->find(path[way.found]);
        if (next == nullptr) break;
        auto const name = dotted(path.begin(), path.begin() + static_cast<std::ptrdiff_t>(way.found) + 1);
        if (!next->value.is_table()) {
            return Error{Errc::Conflict, format("{}: '{}' is {}, not a table",
                                                document.place(next->key.begin), name, kind_of(next->value))};
        }
        way.table = &next->value;
        if (next->value.form == Form::Header) way.section = way.found + 1;
    }
    return way;
}

bool within_inline_table(Document const& document, Path const& path) {
    Value const* at = &document.root();
    for (auto const& name : path) {
        auto const* const next = at->find(name);
        if (next == nullptr) return false;
        if (next->value.is_table() && next->value.form == Form::Written) return true;
        at = &next->value;
    }
    return false;
}

Error inline_error(Document const& document, Path const& path) {
    return {
        Errc::Unsupported,
        format("{}: '{}' stands in an inline table ({{ … }}); only the value of a key that is there can be "
               "changed, so write it as a [table] first",
               document.path(), join(path, "."))};
}

Result<Splice> addition(Document const& document, Path const& path, Setting const& setting) {
    HAL0_TRY(way, way_to(document, path));
    if (within_inline_table(document, path)) return inline_error(document, path);
    std::string_view const text = document.text();
    auto const value = written(setting);
    bool const table_exists = way.found + 1 == path.size() && way.table->form != Form::Implied;
    if (!table_exists) return new_table(text, path, format("{} = {}", key_word(path.back()), value));

    auto const* const model = last_line(std::get<Value::Table>(way.table->data));
    auto const key = dotted(path.begin() + static_cast<std::ptrdiff_t>(way.section), path.end());
    auto const indent = model == nullptr ? "" : indent_of(text, model->key.begin);
    auto const line = format("{}{}{}{}", indent, key, spaced_equals(document, model), value);
    if (model != nullptr) return line_after(text, model->value.span.end, line);
    if (path.size() > 1) return line_after(text, way.table->span.end, line);
    if (auto const header = first_header(document.root())) return line_before_header(text, *header, line);
    return Splice{{text.size(), text.size()}, line_after(text, text.size(), line).put};
}

// An array keeps its bytes where its items stay; one with more or less items is written anew, over several
// lines if it was.
std::vector<Splice> array_replacement(Document const& document, Value const& old,
                                      std::vector<std::string> const& items) {
    auto const& before = std::get<Value::Array>(old.data);
    std::vector<Splice> splices;
    if (before.size() == items.size()) {
        for (std::size_t i = 0; i < items.size(); ++i) {
            if (!same(before[i], value_of(items[i]))) splices.push_back({before[i].span, quoted(items[i])});
        }
        return splices;
    }
    std::string_view const text = document.text();
    bool const lines = document.text_of(old.span).find('\n') != std::string_view::npos;
    if (!lines || before.empty() || items.empty()) return {{old.span, written(items)}};
    auto const feed = line_break(text);
    auto const outer = indent_of(text, old.span.begin);
    auto inner = indent_of(text, before.back().span.begin);
    if (inner.size() <= outer.size()) inner = outer + "    ";
    std::string put = "[";
    for (auto const& item : items)
        put += format("{}{}{},", feed, inner, quoted(item));
    put += format("{}{}]", feed, outer);
    return {{old.span, put}};
}

std::vector<Splice> replacement(Document const& document, Value const& old, Setting const& setting) {
    auto const* const items = std::get_if<std::vector<std::string>>(&setting);
    if (items != nullptr && std::holds_alternative<Value::Array>(old.data)) {
        return array_replacement(document, old, *items);
    }
    return {{old.span, written(setting)}};
}

// ---- what the edit should come to

void set_in(Value& table, Path const& path, std::size_t depth, Setting const& setting) {
    auto& members = std::get<Value::Table>(table.data);
    auto at = std::find_if(members.begin(), members.end(),
                           [&](Member const& member) { return member.name == path[depth]; });
    if (at == members.end()) {
        members.push_back({.name = path[depth], .value = {.data = Value::Table{}}});
        at = members.end() - 1;
    }
    if (depth + 1 == path.size()) {
        at->value = value_of(setting);
    } else {
        set_in(at->value, path, depth + 1, setting);
    }
}

// A table made by dotted keys alone goes with the last of them.
void remove_in(Value& table, Path const& path, std::size_t depth) {
    auto& members = std::get<Value::Table>(table.data);
    auto const at = std::find_if(members.begin(), members.end(),
                                 [&](Member const& member) { return member.name == path[depth]; });
    if (depth + 1 < path.size()) {
        remove_in(at->value, path, depth + 1);
        bool const left = at->value.form != Form::Dotted || !std::get<Value::Table>(at->value.data).empty();
        if (left) return;
    }
    members.erase(at);
}

Result<Document> spliced(Document const& document, std::vector<Splice> const& splices,
                         Value const& expected) {
    std::string text = document.text();
    for (auto at = splices.rbegin(); at != splices.rend(); ++at)
        text.replace(at->cut.begin, at->cut.end - at->cut.begin, at->put);
    auto after = Document::parse(std::move(text), document.path());
    if (after.ok() && same(after->root(), expected)) return after;
    return Error{Errc::Internal,
                 format("{}: the edit would have changed more than it should, so nothing was changed; "
                        "please edit the file by hand",
                        document.path())};
}

Member const* member_at(Document const& document, Path const& path) {
    Value const* at = &document.root();
    Member const* found = nullptr;
    for (auto const& name : path) {
        found = at->find(name);
        if (found == nullptr) return nullptr;
        at = &found->value;
    }
    return found;
}

Result<void> check_no_table(Document const& document, Path const& path, Member const& found) {
    if (found.value.form == Form::Written && !found.value.is_table()) return {};
    return Error{Errc::Conflict, format("{}: '{}' is {} here, not a value", document.place(found.key.begin),
                                        join(path, "."), kind_of(found.value))};
}

}  // namespace

std::string written(Setting const& setting) {
    if (auto const* flag = std::get_if<bool>(&setting)) return *flag ? "true" : "false";
    if (auto const* number = std::get_if<std::int64_t>(&setting)) return format("{}", *number);
    if (auto const* text = std::get_if<std::string>(&setting)) return quoted(*text);
    std::vector<std::string> words;
    for (auto const& item : std::get<std::vector<std::string>>(setting))
        words.push_back(quoted(item));
    return format("[{}]", join(words, ", "));
}

Result<Document> with(Document const& document, Path const& path, Setting const& setting) {
    HAL0_CHECK(check_utf8(path, setting));
    Value expected = document.root();
    auto const* const found = member_at(document, path);
    if (found == nullptr) {
        HAL0_TRY(splice, addition(document, path, setting));
        set_in(expected, path, 0, setting);
        return spliced(document, {splice}, expected);
    }
    HAL0_CHECK(check_no_table(document, path, *found));
    if (same(found->value, value_of(setting))) return document;
    set_in(expected, path, 0, setting);
    return spliced(document, replacement(document, found->value, setting), expected);
}

Result<Document> without(Document const& document, Path const& path) {
    auto const* const found = member_at(document, path);
    if (found == nullptr) return document;
    HAL0_CHECK(check_no_table(document, path, *found));
    if (within_inline_table(document, path)) return inline_error(document, path);
    std::string_view const text = document.text();
    Span const line{line_begin(text, found->key.begin), line_end(text, found->value.span.end)};
    Value expected = document.root();
    remove_in(expected, path, 0);
    return spliced(document, {{line, ""}}, expected);
}

}  // namespace hal0::toml
