#include "wire/views.hpp"

#include <gtest/gtest.h>

#include <set>

namespace hal0::wire {
namespace {

SlotView a_slot() {
    SlotView slot;
    slot.name = "primary";
    slot.kind = "chat";
    slot.state = "ready";
    slot.cause = "loaded in 0.8 s";
    slot.pid = 42;
    slot.since = "2025-01-31T09:30:00Z";
    slot.memory = std::int64_t{1} << 33;
    slot.context = 4096;
    slot.adopted = true;
    slot.warnings = {"line 3: no key 'modle'"};
    return slot;
}

// Gives every member a value that is neither its default nor any other member's, so that a round trip shows
// one that is missing or taken for another.
struct Fill {
    int next{1};
    void operator()(std::string_view name, std::string& field, std::string_view) { field = name; }
    void operator()(std::string_view, std::int64_t& field, std::string_view) { field = next++; }
    void operator()(std::string_view, bool& field, std::string_view) { field = !field; }
    void operator()(std::string_view name, std::vector<std::string>& field, std::string_view) {
        field = {std::string{name}, "\"\n"};
    }
    void operator()(std::string_view, RawJson& field, std::string_view) {
        field.text = R"({"b":[1,2.5,null,"x"],"a":{}})";
    }
    template <class T> void operator()(std::string_view name, std::optional<T>& field, std::string_view) {
        (*this)(name, field.emplace(), "");
    }
    template <Body T> void operator()(std::string_view, T& field, std::string_view) {
        T::fields(field, *this);
    }
    template <Body T> void operator()(std::string_view, std::vector<T>& field, std::string_view) {
        T::fields(field.emplace_back(), *this);
        field.emplace_back();
    }
};

template <class T> class EveryBody : public testing::Test {};
using Bodies = testing::Types<SlotView, SlotExplain, SlotCreate, SlotSwap, ModelView, ModelPull, EngineView,
                              EngineInstall, JobView, StatusView, EventView>;
TYPED_TEST_SUITE(EveryBody, Bodies);

TYPED_TEST(EveryBody, ComesBackAsItWasSent) {
    TypeParam full;
    Fill fill;
    TypeParam::fields(full, fill);
    ASSERT_NE(full, TypeParam{});
    EXPECT_EQ(decode<TypeParam>(encode(full)).value(), full);
    EXPECT_EQ(decode<TypeParam>(encode(TypeParam{})).value(), TypeParam{});
}

TYPED_TEST(EveryBody, SaysWhatEachMemberMeans) {
    auto const doc = describe<TypeParam>();
    std::set<std::string> names;
    for (auto const& field : doc.fields) {
        EXPECT_TRUE(names.insert(field.name).second) << field.name << " stands twice";
        EXPECT_FALSE(field.meaning.empty()) << field.name;
    }
}

TEST(Views, ListsAreArraysAtTopLevel) {
    std::vector<SlotView> const slots{a_slot(), SlotView{}};
    auto const text = encode(slots);
    EXPECT_EQ(text.substr(0, 19), R"([{"name":"primary",)");
    EXPECT_EQ(decode<std::vector<SlotView>>(text).value(), slots);
    EXPECT_EQ(decode<std::vector<SlotView>>("[]")->size(), 0u);
    EXPECT_EQ(decode<std::vector<SlotView>>("{}").error().message, "the body must be an array");
    EXPECT_EQ(decode<std::vector<SlotSwap>>(R"([{"model":"m"},{"model":1}])").error().message,
              "[1].model must be a string");
}

TEST(Views, AbsentIsNull) {
    SlotView const none;
    auto const text = encode(none);
    EXPECT_NE(text.find(R"("pid":null)"), std::string::npos);
    EXPECT_NE(encode(a_slot()).find(R"("pid":42)"), std::string::npos);
}

TEST(Views, AnAnswerOfANewerDaemonIsRead) {
    EXPECT_EQ(decode<SlotSwap>(R"({"model":"m","later":[1]})")->model, "m");
}

TEST(Views, ARequestSaysWhatIsWrongWithIt) {
    auto const message = [](std::string_view text) {
        auto const error = decode_request<SlotCreate>(text).error();
        EXPECT_EQ(error.kind, Errc::Invalid);
        return error.message;
    };
    EXPECT_EQ(message(""), "'name' is missing");
    EXPECT_EQ(message(R"({"name":"a"})"), "'model' is missing");
    EXPECT_EQ(message(R"({"name":"a","model":"m","context":"8k"})"), "context must be a whole number");
    EXPECT_EQ(message(R"({"name":"a","model":"m","contxt":1})"),
              "there is no 'contxt' here; did you mean 'context'?");
    EXPECT_EQ(message("[]"), "the body must be an object");
    EXPECT_EQ(message("{").substr(0, 32), "the body is not JSON at byte 1: ");
    EXPECT_EQ(decode_request<SlotCreate>(R"({"name":"a","model":"m","parallel":null})")->parallel,
              std::nullopt);
}

TEST(Views, ARequestOfTooManyValuesIsNotBuilt) {
    std::string body = R"({"name":"a","model":"m","extra_args":["")";
    for (std::size_t i = 0; i < request_values_max; ++i)
        body += R"(,"")";
    EXPECT_EQ(decode_request<SlotCreate>(body + "]}").error().kind, Errc::TooLarge);
}

TEST(Views, TypesAreNamedForTheReader) {
    auto const doc = describe<StatusView>();
    auto const type = [&doc](std::string_view name) {
        for (auto const& field : doc.fields) {
            if (field.name == name) return field.type;
        }
        return std::string{};
    };
    EXPECT_EQ(type("version"), "string");
    EXPECT_EQ(type("listen"), "list of strings");
    EXPECT_EQ(type("slots"), "list of [SlotView](#slotview)");
    EXPECT_EQ(doc.fields.at(5).name, "places");
    EXPECT_EQ(doc.fields.at(5).body().name, "PlacesView");
    EXPECT_EQ(describe<SlotView>().fields.at(11).type, "integer or null");
}

struct Inner {
    static constexpr BodyTitle title{"Inner", "A body that may be missing."};
    Bytes size{};
    bool operator==(Inner const&) const = default;
    template <class Self, class F> static void fields(Self& self, F& f) { f("size", self.size, "its size"); }
};
struct Outer {
    static constexpr BodyTitle title{"Outer", "What may have one."};
    std::optional<Inner> inner{};
    std::optional<Bytes> left{};
    bool operator==(Outer const&) const = default;
    template <class Self, class F> static void fields(Self& self, F& f) {
        f("inner", self.inner, "a body, or nothing");
        f("left", self.left, "a size, or nothing");
    }
};

TEST(Bodies, AndSizesMayBeNull) {
    Outer const full{.inner = Inner{Bytes{5}}, .left = Bytes{7}};
    EXPECT_EQ(encode(full), R"({"inner":{"size":5},"left":7})");
    EXPECT_EQ(decode<Outer>(encode(full)).value(), full);
    EXPECT_EQ(encode(Outer{}), R"({"inner":null,"left":null})");
    EXPECT_EQ(decode<Outer>(encode(Outer{})).value(), Outer{});
    EXPECT_EQ(decode<Outer>("{}").value(), Outer{});
    EXPECT_EQ(decode<Outer>(R"({"inner":{"size":"5"}})").error().message,
              "inner.size must be a whole number");
    EXPECT_EQ(decode<Outer>(R"({"inner":{}})").error().message, "'inner.size' is missing");
    auto const doc = describe<Outer>();
    EXPECT_EQ(doc.fields.at(0).type, "[Inner](#inner) or null");
    EXPECT_EQ(doc.fields.at(0).body().name, "Inner");
    EXPECT_EQ(doc.fields.at(1).type, "bytes or null");
}

}  // namespace
}  // namespace hal0::wire
