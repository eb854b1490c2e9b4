// JSON of any bytes: parsed, written and parsed again, looked into, and taken for each kind of body.
#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "json/peek.hpp"
#include "json/value.hpp"
#include "target.hpp"
#include "wire/codec.hpp"
#include "wire/status.hpp"
#include "wire/views.hpp"

namespace {

using namespace hal0;

bool same(json::Value const& a, json::Value const& b);

// A number can come back as one of the other kind (1e3, 1000), or off by what the last digit is worth.
bool same_number(json::Value const& a, json::Value const& b) {
    auto const number = [](json::Value const& value) -> std::optional<double> {
        if (auto const* const whole = std::get_if<std::int64_t>(&value.data))
            return static_cast<double>(*whole);
        if (auto const* const real = std::get_if<double>(&value.data)) return *real;
        return std::nullopt;
    };
    auto const x = number(a), y = number(b);
    return x && y && std::abs(*x - *y) <= 1e-12 * std::abs(*x);
}

template <class List, class Same> bool same_list(List const& a, List const& b, Same const& equal) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(), equal);
}

bool same(json::Value const& a, json::Value const& b) {
    if (auto const* const list = std::get_if<json::Value::Array>(&a.data)) {
        auto const* const other = std::get_if<json::Value::Array>(&b.data);
        return other != nullptr && same_list(*list, *other, same);
    }
    if (auto const* const object = std::get_if<json::Value::Object>(&a.data)) {
        auto const* const other = std::get_if<json::Value::Object>(&b.data);
        return other != nullptr && same_list(*object, *other, [](auto const& x, auto const& y) {
                   return x.name == y.name && same(x.value, y.value);
               });
    }
    if (auto const* const text = std::get_if<std::string>(&a.data)) {
        auto const* const other = std::get_if<std::string>(&b.data);
        return other != nullptr && *text == *other;
    }
    if (auto const* const flag = std::get_if<bool>(&a.data)) {
        auto const* const other = std::get_if<bool>(&b.data);
        return other != nullptr && *flag == *other;
    }
    return a.is_null() ? b.is_null() : same_number(a, b);
}

// What has been read can be written, and is then read the same.
void there_and_back(std::string_view text) {
    auto const value = json::parse(text);
    if (!value) return;
    auto const again = json::parse(json::to_text(*value));
    if (!again || !same(*value, *again)) std::abort();
}

template <class Body> void answer(std::string_view text) {
    auto const body = wire::decode<Body>(text);
    if (body && !wire::decode<Body>(wire::encode(*body))) std::abort();
}

template <class Body> void request(std::string_view text) { (void)wire::decode_request<Body>(text); }

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* bytes, std::size_t count) {
    std::string_view const text{reinterpret_cast<char const*>(bytes), count};
    there_and_back(text);
    (void)json::peek(text);
    answer<wire::SlotView>(text);
    answer<std::vector<wire::ModelView>>(text);
    answer<wire::EventView>(text);
    answer<wire::JobView>(text);
    answer<wire::StatusView>(text);
    request<wire::SlotCreate>(text);
    request<wire::SlotSwap>(text);
    request<wire::ModelPull>(text);
    request<wire::EngineInstall>(text);
    return 0;
}
