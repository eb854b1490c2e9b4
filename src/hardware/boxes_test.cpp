// Each folder of tests/boxes is a test: what is probed of the recorded box is what expected.json says, which
// people wrote from the sources that files.txt names.
#include <gtest/gtest.h>

#include <algorithm>

#include "base/format.hpp"
#include "hardware/counters.hpp"
#include "hardware/probe.hpp"
#include "hardware/recorded_machine.hpp"
#include "hardware/test_expected.hpp"
#include "json/value.hpp"
#include "os/file.hpp"

namespace hal0::hardware {
namespace {

constexpr char const* boxes = "tests/boxes";

std::vector<std::string> box_names() {
    std::vector<std::string> names;
    for (auto& name : os::list_directory(boxes).value_or({})) {
        if (os::exists(format("{}/{}/{}", boxes, name, recorded_files_name)))
            names.push_back(std::move(name));
    }
    return names;
}

class RecordedBox : public testing::TestWithParam<std::string> {};

TEST_P(RecordedBox, IsWhatItsSourcesSay) {
    auto const directory = format("{}/{}", boxes, GetParam());
    auto const machine = RecordedMachine::open(directory);
    ASSERT_TRUE(machine.ok()) << machine.error().message;
    auto const expected_text = os::read_file(directory + "/expected.json", 1_MiB);
    ASSERT_TRUE(expected_text.ok());
    auto const expected = json::parse(*expected_text);
    ASSERT_TRUE(expected.ok()) << expected.error().message;

    auto const report = probe(**machine, {.store = "/models"});
    auto const counters = read_counters(**machine, report);
    auto const report_text = wire::encode(report);
    for (auto const& member : std::get<json::Value::Object>(expected->data)) {
        auto const text = member.name == "counters" ? wire::encode(counters) : report_text;
        expect_holds(json::parse(text).value(), member.value, member.name);
    }
    EXPECT_EQ(decode_report(report_text).value(), report);
}

std::string test_name(testing::TestParamInfo<std::string> const& box) {
    auto name = box.param;
    std::replace(name.begin(), name.end(), '-', '_');
    return name;
}
INSTANTIATE_TEST_SUITE_P(Boxes, RecordedBox, testing::ValuesIn(box_names()), test_name);

TEST(RecordedBoxes, AreAllThere) { EXPECT_GE(box_names().size(), 30U); }

}  // namespace
}  // namespace hal0::hardware
