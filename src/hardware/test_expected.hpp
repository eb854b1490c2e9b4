#pragma once
// For tests: what people wrote down of a JSON document, held against the whole of it.
#include <gtest/gtest.h>

#include <string>

#include "base/format.hpp"
#include "json/value.hpp"

namespace hal0::hardware {

// Of objects the members that are expected, of arrays all elements, of the rest its value.
inline void expect_holds(json::Value const& found, json::Value const& expected, std::string const& path) {
    if (auto const* object = std::get_if<json::Value::Object>(&expected.data)) {
        for (auto const& [name, value] : *object) {
            auto const* const member = found.find(name);
            if (member == nullptr)
                ADD_FAILURE() << path << " has no '" << name << "'";
            else
                expect_holds(*member, value, path + "." + name);
        }
        return;
    }
    auto const* const expected_list = std::get_if<json::Value::Array>(&expected.data);
    auto const* const found_list = std::get_if<json::Value::Array>(&found.data);
    if (expected_list != nullptr && found_list != nullptr && expected_list->size() == found_list->size()) {
        for (std::size_t i = 0; i < expected_list->size(); ++i)
            expect_holds((*found_list)[i], (*expected_list)[i], format("{}[{}]", path, i));
        return;
    }
    EXPECT_EQ(json::to_text(found), json::to_text(expected)) << path;
}

}  // namespace hal0::hardware
