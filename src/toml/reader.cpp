#include "toml/reader.hpp"

#include <algorithm>

#include "base/format.hpp"
#include "base/text.hpp"

namespace hal0::toml {

TableReader::TableReader(Document const& document, Value const& table, std::string name)
    : document_{document}, table_{table}, name_{std::move(name)} {}

Member const* TableReader::member(std::string_view name) {
    asked_.emplace_back(name);
    return table_.find(name);
}

Value const* TableReader::table(std::string_view name) {
    auto const* const found = member(name);
    if (found == nullptr) return nullptr;
    if (found->value.is_table()) return &found->value;
    wrong(*found, found->value, "a table");
    return nullptr;
}

void TableReader::one_or_more(std::string_view name, std::vector<std::string>& field) {
    auto const* const found = member(name);
    if (found == nullptr) return;
    if (auto const* text = std::get_if<std::string>(&found->value.data)) {
        field = {*text};
    } else {
        read(*found, field);
    }
}

std::string TableReader::full_name(std::string_view name) const {
    return name_.empty() ? std::string{name} : format("{}.{}", name_, name);
}

void TableReader::fail(Error error) {
    if (!fault_) fault_ = std::move(error);
}
void TableReader::missing(std::string_view name) {
    auto const place = name_.empty() ? document_.path() : document_.place(table_.span.begin);
    fail({Errc::Invalid, format("{}: '{}' is missing", place, full_name(name))});
}
void TableReader::wrong(Member const& found, Value const& at, std::string_view wanted) {
    fail({Errc::Invalid, format("{}: {} must be {}, not {}", document_.place(at.span.begin),
                                full_name(found.name), wanted, kind_of(at))});
}
void TableReader::refuse(std::string_view name, std::string_view why) {
    auto const* const found = table_.find(name);
    auto const place = found == nullptr ? document_.path() : document_.place(found->value.span.begin);
    fail({Errc::Invalid, format("{}: {} {}", place, full_name(name), why)});
}

void TableReader::read(Member const& found, std::string& field) {
    auto const* const text = std::get_if<std::string>(&found.value.data);
    if (text == nullptr) return wrong(found, found.value, "a string");
    field = *text;
}

void TableReader::read(Member const& found, bool& field) {
    auto const* const flag = std::get_if<bool>(&found.value.data);
    if (flag == nullptr) return wrong(found, found.value, "true or false");
    field = *flag;
}

void TableReader::read(Member const& found, std::int64_t& field) {
    auto const* const number = std::get_if<std::int64_t>(&found.value.data);
    if (number == nullptr) return wrong(found, found.value, "a whole number");
    field = *number;
}

void TableReader::read(Member const& found, std::vector<std::string>& field) {
    auto const* const array = std::get_if<Value::Array>(&found.value.data);
    if (array == nullptr) return wrong(found, found.value, "an array of strings");
    std::vector<std::string> items;
    for (auto const& item : *array) {
        auto const* const text = std::get_if<std::string>(&item.data);
        if (text == nullptr) return wrong(found, item, "an array of strings");
        items.push_back(*text);
    }
    field = std::move(items);
}

Result<void> TableReader::finish() const {
    if (fault_) return *fault_;
    return {};
}

std::vector<std::string> TableReader::unknown() const {
    std::vector<std::string> lines;
    for (auto const& [name, key, value] : std::get<Value::Table>(table_.data)) {
        if (std::find(asked_.begin(), asked_.end(), name) != asked_.end()) continue;
        auto const near = nearest(name, asked_);
        lines.push_back(format("{}: '{}' means nothing here and is ignored{}", document_.place(key.begin),
                               full_name(name), near ? format("; did you mean '{}'?", *near) : ""));
    }
    return lines;
}

}  // namespace hal0::toml
