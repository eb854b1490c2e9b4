#include "slots/unit_name.hpp"

#include <gtest/gtest.h>

namespace hal0::slots {
namespace {

TEST(UnitName, SaysTheSlotAndWhereItsHomeIsNotTheUsualOne) {
    EXPECT_EQ(unit_name({"my-slot", ""}).value(), "hal0-slot@my-slot.service") << "as people type it";
    EXPECT_EQ(unit_name({"a", "/root/.hal0/run"}).value(), "hal0-slot@a:-root-.hal0-run.service");
    // As systemd-escape has it.
    EXPECT_EQ(unit_name({"a", "/my home/of-'things'/$x\\%i/ä"}).value(),
              "hal0-slot@a:-my\\x20home-of\\x2d\\x27things\\x27-\\x24x\\x5c\\x25i-\\xc3\\xa4.service");
    EXPECT_EQ(unit_name({"../a", ""}).error().kind, Errc::Invalid);
}

TEST(UnitName, ComesBackFromItsInstance) {
    for (UnitInstance const& instance : {UnitInstance{"a", ""}, UnitInstance{"my-slot_2", "/root/.hal0-run"},
                                         UnitInstance{"a", "/my home/of-'things'/$x\\%i/ä:b"}}) {
        auto const name = unit_name(instance).value();
        auto const at = name.find('@') + 1;
        auto const text = name.substr(at, name.rfind(".service") - at);
        EXPECT_EQ(decode_instance(text).value(), instance) << text;
    }
    for (std::string const bad : {"", "A", "a:", "a:relative", "a:-x\\x2", "a:-x\\y20", "a:-x\\xzz", "../a"})
        EXPECT_EQ(decode_instance(bad).error().kind, Errc::Invalid) << bad;
}

TEST(UnitName, OneThatSystemdDoesNotTakeIsRefusedWithAWayOut) {
    auto const name = unit_name({"a", "/" + std::string(60, '-')});
    ASSERT_FALSE(name.ok());
    EXPECT_EQ(name.error().kind, Errc::TooLarge);
    EXPECT_NE(name.error().message.find("launcher = \"process\""), std::string::npos) << name.error().message;
}

TEST(UnitName, WhoBelongsToAUnitIsToldByItsControlGroups) {
    std::string const unit = "hal0-slot@a.service";
    std::string const own = "/system.slice/system-hal0\\x2dslot.slice/hal0-slot@a.service";
    EXPECT_TRUE(in_unit("0::" + own + "\n", unit));
    EXPECT_TRUE(in_unit("4:memory:/\n1:name=systemd:" + own + "/below\n0::/\n", unit));
    EXPECT_FALSE(in_unit("0::/system.slice/hal0-slot@ab.service\n", unit));
    EXPECT_FALSE(in_unit("0::/user.slice/session-1.scope\n", unit));
    EXPECT_FALSE(in_unit("", unit));
}

TEST(UnitName, AServiceOfTheSystemHasNoVariablesOneOfAUserHasHome) {
    auto const of_the_system = environment_of_units(Manager::System);
    auto const of_a_user = environment_of_units(Manager::User);
    EXPECT_EQ(of_the_system("HOME"), std::nullopt);
    EXPECT_EQ(of_a_user("HOME"), os::environment_of_process("HOME"));
    EXPECT_EQ(of_a_user("PATH"), std::nullopt);
}

}  // namespace
}  // namespace hal0::slots
