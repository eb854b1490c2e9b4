#include "json/value.hpp"

#include <algorithm>
#include <boost/json/basic_parser_impl.hpp>
#include <cmath>
#include <limits>
#include <type_traits>
#include <utility>

#include "base/format.hpp"
#include "base/text.hpp"
#include "json/writer.hpp"

namespace hal0::json {
namespace {

// Builds our tree from the parser's events: Boost's own tree, allocator and output are not linked in.
class Builder {
  public:
    explicit Builder(std::size_t values_max) : values_left_{values_max} {}

    static constexpr std::size_t max_object_size = std::numeric_limits<std::size_t>::max();
    static constexpr std::size_t max_array_size = std::numeric_limits<std::size_t>::max();
    static constexpr std::size_t max_key_size = std::numeric_limits<std::size_t>::max();
    static constexpr std::size_t max_string_size = std::numeric_limits<std::size_t>::max();
    using error_code = boost::json::error_code;
    using string_view = boost::json::string_view;

    bool on_document_begin(error_code&) { return true; }
    bool on_document_end(error_code&) { return true; }
    bool on_object_begin(error_code&) { return open(Value{Value::Object{}}); }
    bool on_object_end(std::size_t, error_code& fault) { return close(fault); }
    bool on_array_begin(error_code&) { return open(Value{Value::Array{}}); }
    bool on_array_end(std::size_t, error_code& fault) { return close(fault); }
    bool on_key_part(string_view part, std::size_t, error_code&) {
        text_.append(part.data(), part.size());
        return true;
    }
    bool on_key(string_view part, std::size_t, error_code&) {
        text_.append(part.data(), part.size());
        keys_.push_back(std::exchange(text_, {}));
        return true;
    }
    bool on_string_part(string_view part, std::size_t, error_code&) {
        text_.append(part.data(), part.size());
        return true;
    }
    bool on_string(string_view part, std::size_t, error_code& fault) {
        text_.append(part.data(), part.size());
        return add(Value{std::exchange(text_, {})}, fault);
    }
    bool on_number_part(string_view, error_code&) { return true; }
    bool on_int64(std::int64_t number, string_view, error_code& fault) { return add(Value{number}, fault); }
    bool on_uint64(std::uint64_t number, string_view, error_code& fault) {
        return add(Value{static_cast<double>(number)}, fault);
    }
    bool on_double(double number, string_view, error_code& fault) {
        if (std::isfinite(number)) return add(Value{number}, fault);
        fault = boost::json::error::exponent_overflow;  // 1e309 is no number of ours, and infinity no JSON
        return false;
    }
    bool on_bool(bool flag, error_code& fault) { return add(Value{flag}, fault); }
    bool on_null(error_code& fault) { return add(Value{}, fault); }
    bool on_comment_part(string_view, error_code&) { return true; }
    bool on_comment(string_view, error_code&) { return true; }

    Value take() { return std::move(root_); }
    [[nodiscard]] bool overfull() const { return overfull_; }

  private:
    bool open(Value value) {
        stack_.push_back(std::move(value));
        return true;
    }
    bool close(error_code& fault) {
        auto value = std::move(stack_.back());
        stack_.pop_back();
        return add(std::move(value), fault);
    }
    bool add(Value value, error_code& fault) {
        overfull_ = values_left_ == 0;
        if (overfull_) {
            fault = boost::json::error::exception;  // the parser wants one; nobody reads which
            return false;
        }
        --values_left_;
        if (stack_.empty()) {
            root_ = std::move(value);
        } else if (auto* array = std::get_if<Value::Array>(&stack_.back().data)) {
            array->push_back(std::move(value));
        } else {
            std::get<Value::Object>(stack_.back().data)
                .push_back({std::move(keys_.back()), std::move(value)});
            keys_.pop_back();
        }
        return true;
    }

    std::size_t values_left_;
    bool overfull_{false};
    Value root_{};
    std::vector<Value> stack_{};
    std::vector<std::string> keys_{};
    std::string text_{};
};

void write(Writer& out, Value const& value);

void write_object(Writer& out, Value::Object const& members) {
    out.begin_object();
    for (auto const& [name, value] : members) {
        out.key(name);
        write(out, value);
    }
    out.end_object();
}

void write_array(Writer& out, Value::Array const& items) {
    out.begin_array();
    for (auto const& item : items)
        write(out, item);
    out.end_array();
}

void write(Writer& out, Value const& value) {
    std::visit(
        [&out]<class T>(T const& what) {
            if constexpr (std::is_same_v<T, Value::Object>) {
                write_object(out, what);
            } else if constexpr (std::is_same_v<T, Value::Array>) {
                write_array(out, what);
            } else if constexpr (std::is_same_v<T, std::nullptr_t>) {
                out.null();
            } else {
                out.value(what);
            }
        },
        value.data);
}

}  // namespace

std::string to_text(Value const& value) {
    Writer out;
    write(out, value);
    return out.take();
}

Result<Value> parse(std::string_view text, ParseLimits const& limits) {
    boost::json::parse_options options;
    options.max_depth = limits.depth_max;
    boost::json::basic_parser<Builder> parser{options, limits.values_max};
    boost::json::error_code fault;
    auto const used = parser.write_some(false, text.data(), text.size(), fault);
    if (!fault && trim(text.substr(used)).empty() && parser.done()) return parser.handler().take();
    if (!fault)
        return Error{Errc::Corrupt, format("not JSON at byte {}: something follows the document", used)};
    if (parser.handler().overfull())
        return Error{Errc::TooLarge, format("JSON with more than {} values", limits.values_max)};
    return Error{Errc::Corrupt, format("not JSON at byte {}: {}", used, fault.message())};
}

Result<Value> parse_request(std::string_view body, std::size_t values_max) {
    auto value = parse(body, {.values_max = values_max});
    if (value) return value;
    auto const kind = value.error().kind == Errc::TooLarge ? Errc::TooLarge : Errc::Invalid;
    return Error{kind, "the body is " + value.error().message};
}

Value const* Value::find(std::string_view name) const {
    auto const* object = std::get_if<Object>(&data);
    if (object == nullptr) return nullptr;
    auto const at =
        std::find_if(object->rbegin(), object->rend(), [name](Member const& m) { return m.name == name; });
    return at == object->rend() ? nullptr : &at->value;
}

ObjectReader::ObjectReader(Value const& value, std::string path)
    : object_{std::get_if<Value::Object>(&value.data)}, path_{std::move(path)} {
    if (object_ == nullptr) wrong(path_.empty() ? "the body" : path_, "an object");
}

Value const* ObjectReader::member(std::string_view name) {
    asked_.emplace_back(name);
    if (object_ == nullptr) return nullptr;
    auto const at =
        std::find_if(object_->rbegin(), object_->rend(), [name](Member const& m) { return m.name == name; });
    return at == object_->rend() ? nullptr : &at->value;
}

void ObjectReader::fail(Error error) {
    if (!fault_) fault_ = std::move(error);
}
void ObjectReader::missing(std::string_view name) {
    fail({Errc::Invalid, format("'{}' is missing", path_of(name))});
}
void ObjectReader::wrong(std::string const& path, std::string_view wanted) {
    fail({Errc::Invalid, format("{} must be {}", path, wanted)});
}

std::string ObjectReader::path_of(std::string_view name) const {
    return path_.empty() ? std::string{name} : format("{}.{}", path_, name);
}

void ObjectReader::read(Value const& value, std::string const& path, std::string& field) {
    auto const* text = std::get_if<std::string>(&value.data);
    if (text == nullptr) return wrong(path, "a string");
    field = *text;
}

void ObjectReader::read(Value const& value, std::string const& path, bool& field) {
    auto const* flag = std::get_if<bool>(&value.data);
    if (flag == nullptr) return wrong(path, "true or false");
    field = *flag;
}

void ObjectReader::read(Value const& value, std::string const& path, std::int64_t& field) {
    auto const* number = std::get_if<std::int64_t>(&value.data);
    if (number == nullptr) return wrong(path, "a whole number");
    field = *number;
}

void ObjectReader::read(Value const& value, std::string const& path, double& field) {
    if (auto const* number = std::get_if<double>(&value.data)) {
        field = *number;
    } else if (auto const* whole = std::get_if<std::int64_t>(&value.data)) {
        field = static_cast<double>(*whole);
    } else {
        wrong(path, "a number");
    }
}

void ObjectReader::read(Value const& value, std::string const& path, std::vector<std::string>& field) {
    auto const* array = std::get_if<Value::Array>(&value.data);
    if (array == nullptr) return wrong(path, "an array of strings");
    field.clear();
    for (auto const& item : *array) {
        auto const* text = std::get_if<std::string>(&item.data);
        if (text == nullptr) return wrong(path, "an array of strings");
        field.push_back(*text);
    }
}

Result<void> ObjectReader::finish() const {
    HAL0_CHECK(finish_lenient());
    for (auto const& [name, value] : *object_) {
        if (std::find(asked_.begin(), asked_.end(), name) != asked_.end()) continue;
        auto const near = nearest(name, asked_);
        return Error{Errc::Invalid, format("there is no '{}' here{}", clipped(path_of(name)),
                                           near ? format("; did you mean '{}'?", *near) : "")};
    }
    return {};
}

Result<void> ObjectReader::finish_lenient() const {
    if (fault_) return *fault_;
    return {};
}

}  // namespace hal0::json
