#pragma once
// One declaration per body drives its encoding, its decoding and its documentation. A body is a struct with a
// `title` and a static fields() that shows each member to a visitor:
//
//     struct Point {
//         static constexpr BodyTitle title{"Point", "Where something is."};
//         std::int64_t x{0};
//         std::optional<std::string> label{};  // std::optional: may be null, and absent in a request
//         template <class Self, class F> static void fields(Self& self, F& f) {
//             f("x", self.x, "columns from the left");
//             f("label", self.label, "what stands beside it");
//         }
//     };
//
// Members are strings, booleans, int64s, doubles, Bytes (as an integer), lists of strings, RawJson, other
// bodies and lists of them.
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "base/result.hpp"
#include "base/text.hpp"
#include "base/units.hpp"
#include "json/value.hpp"
#include "json/writer.hpp"

namespace hal0::wire {

struct BodyTitle {
    std::string_view name{};
    std::string_view what{};
};

template <class T>
concept Body = requires { T::title.name; };

// JSON that goes through as it is: what it means is its maker's and its reader's business.
struct RawJson {
    std::string text{"null"};
    bool operator==(RawJson const&) const = default;
};

// What to do with members that the declaration doesn't have: a daemon refuses them in requests (a typo must
// not pass for success), a client skips them in answers (they come from a newer daemon).
enum class Unknown { Refuse, Skip };

namespace detail {

template <class T> inline constexpr bool is_list = false;
template <class T> inline constexpr bool is_list<std::vector<T>> = true;
template <class T> inline constexpr bool is_optional = false;
template <class T> inline constexpr bool is_optional<std::optional<T>> = true;

template <class T> void write(json::Writer& out, T const& what) {
    if constexpr (Body<T>) {
        auto member = [&out](std::string_view name, auto const& value, std::string_view) {
            out.key(name);
            write(out, value);
        };
        out.begin_object();
        T::fields(what, member);
        out.end_object();
    } else if constexpr (is_optional<T>) {
        what ? write(out, *what) : void(out.null());
    } else if constexpr (is_list<T>) {
        out.begin_array();
        for (auto const& item : what)
            write(out, item);
        out.end_array();
    } else if constexpr (std::is_same_v<T, RawJson>) {
        out.raw(what.text);
    } else if constexpr (std::is_same_v<T, Bytes>) {
        out.value(what.count);
    } else {
        out.value(what);
    }
}

template <Body T> Result<T> read_body(json::Value const& value, std::string const& path, Unknown unknown);

template <class T>
void read_member(json::ObjectReader& in, std::string_view name, T& member, Unknown unknown);

// A member that may be null or absent: it is empty then.
template <class T>
void read_optional(json::ObjectReader& in, std::string_view name, std::optional<T>& member, Unknown unknown) {
    if constexpr (Body<T>) {
        auto const* value = in.member(name);
        if (value == nullptr || value->is_null()) return member.reset();
        in.object(name, member,
                  [unknown](json::Value const& inner, std::string const& path) -> Result<std::optional<T>> {
                      HAL0_TRY(body, read_body<T>(inner, path, unknown));
                      return std::optional{std::move(body)};
                  });
    } else if constexpr (is_list<T>) {
        auto const* value = in.member(name);
        if (value == nullptr || value->is_null()) return member.reset();
        read_member(in, name, member.emplace(), unknown);
    } else if constexpr (std::is_same_v<T, Bytes>) {
        std::optional<std::int64_t> count;
        in.optional(name, count);
        member = count ? std::optional{Bytes{*count}} : std::nullopt;
    } else {
        in.optional(name, member);
    }
}

template <class T>
void read_member(json::ObjectReader& in, std::string_view name, T& member, Unknown unknown) {
    auto const body = [unknown]<class B>(std::type_identity<B>) {
        return [unknown](json::Value const& value, std::string const& path) {
            return read_body<B>(value, path, unknown);
        };
    };
    if constexpr (Body<T>) {
        in.object(name, member, body(std::type_identity<T>{}));
    } else if constexpr (std::is_same_v<T, RawJson>) {
        in.object(name, member, [](json::Value const& value, std::string const&) -> Result<RawJson> {
            return RawJson{json::to_text(value)};
        });
    } else if constexpr (is_optional<T>) {
        read_optional(in, name, member, unknown);
    } else if constexpr (std::is_same_v<T, Bytes>) {
        in.required(name, member.count);
    } else if constexpr (is_list<T>) {
        if constexpr (Body<typename T::value_type>) {
            in.list(name, member, body(std::type_identity<typename T::value_type>{}));
        } else {
            in.required(name, member);
        }
    } else {
        in.required(name, member);
    }
}

template <Body T> Result<T> read_body(json::Value const& value, std::string const& path, Unknown unknown) {
    T body{};
    json::ObjectReader in{value, path};
    auto member = [&in, unknown](std::string_view name, auto& field, std::string_view) {
        read_member(in, name, field, unknown);
    };
    T::fields(body, member);
    HAL0_CHECK(unknown == Unknown::Refuse ? in.finish() : in.finish_lenient());
    return body;
}

template <class T> std::string type_name() {
    if constexpr (Body<T>) {
        return "[" + std::string{T::title.name} + "](#" + lower(T::title.name) + ")";
    } else if constexpr (is_optional<T>) {
        return type_name<typename T::value_type>() + " or null";
    } else if constexpr (is_list<T>) {
        return "list of " + type_name<typename T::value_type>() + (Body<typename T::value_type> ? "" : "s");
    } else if constexpr (std::is_same_v<T, RawJson>) {
        return "JSON";
    } else if constexpr (std::is_same_v<T, bool>) {
        return "boolean";
    } else if constexpr (std::is_same_v<T, std::int64_t>) {
        return "integer";
    } else if constexpr (std::is_same_v<T, double>) {
        return "number";
    } else if constexpr (std::is_same_v<T, Bytes>) {
        return "bytes";
    } else {
        static_assert(std::is_same_v<T, std::string>);
        return "string";
    }
}

}  // namespace detail

// A body, or a std::vector of bodies as a JSON array.
template <class T> std::string encode(T const& body) {
    json::Writer out;
    detail::write(out, body);
    return out.take();
}

// Reads an answer: a body (`decode<SlotView>`) or a list of them (`decode<std::vector<SlotView>>`). Members
// it doesn't know are skipped. Corrupt when it isn't JSON, Invalid when it isn't this body.
template <class T> Result<T> decode(std::string_view text) {
    HAL0_TRY(value, json::parse(text));
    if constexpr (Body<T>) {
        return detail::read_body<T>(value, "", Unknown::Skip);
    } else {
        auto const* array = std::get_if<json::Value::Array>(&value.data);
        if (array == nullptr) return Error{Errc::Invalid, "the body must be an array"};
        T list{};
        for (auto const& item : *array) {
            HAL0_TRY(body, detail::read_body<typename T::value_type>(
                               item, "[" + std::to_string(list.size()) + "]", Unknown::Skip));
            list.push_back(std::move(body));
        }
        return list;
    }
}

inline constexpr std::size_t request_values_max = 10'000;  // in its JSON

// Reads a request; an empty text counts as {}. Every fault is Invalid and names the place; an unknown member
// is one, with the nearest that is known. TooLarge over request_values_max.
template <Body T> Result<T> decode_request(std::string_view text) {
    HAL0_TRY(value, json::parse_request(text.empty() ? "{}" : text, request_values_max));
    return detail::read_body<T>(value, "", Unknown::Refuse);
}

struct BodyDoc;
struct FieldDoc {
    std::string name{};
    std::string type{};  // "integer or null", "list of [SlotView](#slotview)": Markdown
    std::string meaning{};
    BodyDoc (*body)(){nullptr};  // of a member that is, or may be, a body, and of a list of bodies
};
struct BodyDoc {
    std::string name{};
    std::string what{};
    std::vector<FieldDoc> fields{};
};

template <Body T> BodyDoc describe();

namespace detail {

template <class T> constexpr auto describe_inner() -> BodyDoc (*)() {
    if constexpr (Body<T>) {
        return &describe<T>;
    } else if constexpr (is_list<T> || is_optional<T>) {
        return describe_inner<typename T::value_type>();
    } else {
        return nullptr;
    }
}

}  // namespace detail

template <Body T> BodyDoc describe() {
    BodyDoc doc{std::string{T::title.name}, std::string{T::title.what}, {}};
    auto member = [&doc]<class M>(std::string_view name, M const&, std::string_view meaning) {
        doc.fields.push_back(
            {std::string{name}, detail::type_name<M>(), std::string{meaning}, detail::describe_inner<M>()});
    };
    T const body{};
    T::fields(body, member);
    return doc;
}

}  // namespace hal0::wire
