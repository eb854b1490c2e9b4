// Each recorded box has the findings that its findings.json says, which people wrote from the facts, and the
// lines of their fixes that stand there.
#include <gtest/gtest.h>

#include <algorithm>

#include "doctor/examine.hpp"
#include "doctor/test_boxes.hpp"
#include "json/value.hpp"

namespace hal0::doctor {
namespace {

struct Expected {
    std::vector<std::string> findings{};
    std::vector<std::pair<std::string, std::vector<std::string>>> fixes{};
};

std::vector<std::string> texts(json::Value const& value) {
    std::vector<std::string> out;
    for (auto const& item : std::get<json::Value::Array>(value.data))
        out.push_back(std::get<std::string>(item.data));
    return out;
}

Expected expected_of(std::string const& name) {
    auto const text = os::read_file(directory_of_box(name) + "/findings.json", 1_MiB).value();
    auto const value = json::parse(text).value();
    Expected expected{.findings = texts(*value.find("findings"))};
    for (auto const& fix : std::get<json::Value::Object>(value.find("fix")->data))
        expected.fixes.emplace_back(fix.name, texts(fix.value));
    return expected;
}

class ExaminedBox : public testing::TestWithParam<std::string> {};

TEST_P(ExaminedBox, HasTheFindingsThatItsFactsGive) {
    auto const machine = recorded_box(GetParam());
    auto const expected = expected_of(GetParam());
    auto const findings = examine(facts_of(*machine));
    std::vector<std::string> found;
    for (auto const& finding : findings) {
        found.push_back(in_short(finding));
        EXPECT_FALSE(finding.headline.empty() || finding.evidence.empty() || finding.why.empty() ||
                     finding.fix.empty() || finding.reference.empty())
            << finding.id;
    }
    EXPECT_EQ(found, expected.findings);
    for (auto const& [id, lines] : expected.fixes) {
        auto const is_it = [&id = id](Finding const& finding) { return finding.id == id; };
        auto const finding = std::find_if(findings.begin(), findings.end(), is_it);
        ASSERT_NE(finding, findings.end()) << id;
        for (auto const& line : lines) {
            bool const has = std::find(finding->fix.begin(), finding->fix.end(), line) != finding->fix.end();
            EXPECT_TRUE(has) << id << " lacks\n  " << line << "\nin\n" << shown({*finding});
        }
    }
}

std::string test_name(testing::TestParamInfo<std::string> const& box) {
    auto name = box.param;
    std::replace(name.begin(), name.end(), '-', '_');
    return name;
}
INSTANTIATE_TEST_SUITE_P(Boxes, ExaminedBox, testing::ValuesIn(box_names()), test_name);

}  // namespace
}  // namespace hal0::doctor
