// What only systemd's keeping has; what all launchers must do is in slot_test.cpp.
#include "slots/systemd_launcher.hpp"

#include "slots/test_house.hpp"

namespace hal0::slots {
namespace {

using namespace std::chrono_literals;

constexpr char const* systemd = "org.freedesktop.systemd1";

class SystemdKept : public testing::Test {
  protected:
    void SetUp() override {
        if (!test_manager().lacking().empty()) GTEST_SKIP() << test_manager().lacking();
    }
    static std::string unit_of(House const& house, std::string const& slot) {
        return unit_name({.slot = slot, .runtime = house.places.runtime}).value();
    }
    static std::vector<int> processes_of(std::string const& unit) {
        std::vector<int> found;
        for (auto const& entry : std::filesystem::directory_iterator{"/proc"}) {
            auto const pid = to_int(entry.path().filename().string());
            if (pid && in_unit(os::cgroups_of(static_cast<int>(*pid)), unit))
                found.push_back(static_cast<int>(*pid));
        }
        return found;
    }
    static os::BusFields properties_of(House& house, std::string const& unit) {
        auto const bus = os::Bus::open(*house.loop, test_manager().address(), [] {}).value();
        os::BusCall const all{systemd,
                              os::bus_path("/org/freedesktop/systemd1/unit", unit),
                              "org.freedesktop.DBus.Properties",
                              "GetAll",
                              {std::string{}}};
        return *os::fields_at(bus->ask(all, 5s).value(), 0);
    }
};

TEST_F(SystemdKept, AWorkerIsTheMainProcessOfItsUnit) {
    House house{"home", Keeper::Systemd};
    house.model("tiny");
    house.file("primary", "model = \"tiny\"\n");
    house.start();
    ASSERT_TRUE(house.reaches("primary", State::Ready));
    auto const unit = unit_of(house, "primary");
    auto const properties = properties_of(house, unit);
    EXPECT_EQ(os::number_of(properties, "MainPID"), house.status("primary").pid);
    EXPECT_EQ(house.holder("primary"), house.status("primary").pid);
    EXPECT_EQ(os::text_of(properties, "ActiveState"), "active");
    auto const lines = house.table->explain("primary").value();
    EXPECT_TRUE(std::any_of(lines.begin(), lines.end(), [&](std::string const& line) {
        return line.find("of " + unit) != std::string::npos;
    }));
    auto const log = os::read_file(run_dir(house.places, "primary").log, 1_MiB).value();
    EXPECT_NE(log.find("tiny with llama.cpp 1"), std::string::npos) << log;
}

// Out of the reach of a signal to the group.
TEST_F(SystemdKept, WhatAWorkerLeavesInASessionOfItsOwnIsKilledToo) {
    House house{"home", Keeper::Systemd};
    house.model("parent", {"grandchild-holds-stdout=1000", "grandchild-own-session"});
    house.file("primary", "model = \"parent\"\nenabled = false\n");
    house.start();
    auto const unit = unit_of(house, "primary");
    ASSERT_TRUE(house.outcome([&](Done done) { house.table->load("primary", std::move(done)); }));
    ASSERT_EQ(processes_of(unit).size(), 2U);
    ASSERT_TRUE(house.outcome([&](Done done) { house.table->unload("primary", std::move(done)); }));
    EXPECT_EQ(processes_of(unit).size(), 0U) << "told before it was over";
}

TEST_F(SystemdKept, AWorkerThatWeHadToKillIsNoFailedUnit) {
    House house{"home", Keeper::Systemd};
    house.model("deaf", {"ignore-term"});
    house.file("primary", "model = \"deaf\"\n");
    house.start();
    ASSERT_TRUE(house.reaches("primary", State::Ready));
    ASSERT_TRUE(house.outcome([&](Done done) { house.table->unload("primary", std::move(done)); }));
    auto const unit = unit_of(house, "primary");
    EXPECT_TRUE(
        house.until([&] { return os::text_of(properties_of(house, unit), "ActiveState") == "inactive"; }));
}

TEST_F(SystemdKept, AnUnloadBeforeThereIsAProcessCallsTheStartOff) {
    House house{"home", Keeper::Systemd};
    house.model("tiny");
    house.file("primary", "model = \"tiny\"\nenabled = false\n");
    house.start();
    std::optional<Result<SlotStatus>> load;
    house.table->load("primary", [&](Result<SlotStatus> told) { load = std::move(told); });
    ASSERT_TRUE(house.outcome([&](Done done) { house.table->unload("primary", std::move(done)); }));
    EXPECT_EQ(house.status("primary").state, State::Offline);
    ASSERT_TRUE(load && !load->ok());
    EXPECT_EQ(load->error().kind, Errc::Conflict);
    EXPECT_EQ(processes_of(unit_of(house, "primary")).size(), 0U);
}

TEST_F(SystemdKept, AWorkerOfTheOtherLauncherIsTakenOverBothWays) {
    House house{"home", Keeper::Process};
    house.model("tiny");
    house.file("primary", "model = \"tiny\"\n");
    house.start();
    ASSERT_TRUE(house.reaches("primary", State::Ready));
    auto const first = house.status("primary").pid;
    house.keep_by(Keeper::Systemd);
    house.start();
    ASSERT_TRUE(house.reaches("primary", State::Ready));
    EXPECT_EQ(house.status("primary").pid, first);
    ASSERT_TRUE(house.outcome([&](Done done) { house.table->restart("primary", std::move(done)); }));
    auto const second = house.status("primary").pid;
    EXPECT_NE(second, first);
    EXPECT_EQ(processes_of(unit_of(house, "primary")), std::vector<int>{second.value_or(0)});
    house.keep_by(Keeper::Process);
    house.start();
    ASSERT_TRUE(house.reaches("primary", State::Ready));
    EXPECT_EQ(house.status("primary").pid, second);
    ASSERT_TRUE(house.outcome([&](Done done) { house.table->unload("primary", std::move(done)); }));
    EXPECT_FALSE(house.holder("primary"));
}

TEST_F(SystemdKept, AProgramThatCantBeRunIsAnErrorAtOnce) {
    House house{"home", Keeper::Systemd};
    test_manager().put_unit(std::string{unit_template}, "[Service]\nType=exec\nExecStart=/nowhere/hal0 %i\n");
    house.model("tiny");
    house.file("primary", "model = \"tiny\"\nenabled = false\n");
    house.start();
    auto const load = house.outcome([&](Done done) { house.table->load("primary", std::move(done)); });
    ASSERT_FALSE(load.ok());
    EXPECT_NE(load.error().message.find("systemd could not run the program"), std::string::npos)
        << load.error().message;
    EXPECT_NE(load.error().message.find("203"), std::string::npos) << load.error().message;
}

TEST_F(SystemdKept, WithoutItsTemplateItSaysSo) {
    os::TestManager bare;
    auto const loop = os::Loop::make().value();
    SystemdLauncher launcher{UnitManager::open(*loop, bare.address()).value(), {.runtime = "/x"}, "/x"};
    auto const checked = launcher.check();
    ASSERT_FALSE(checked.ok());
    EXPECT_EQ(checked.error().kind, Errc::NotFound);
    EXPECT_NE(checked.error().message.find("hal0-slot@"), std::string::npos) << checked.error().message;
}

// The bus may be restarted under us: its models go on, and so does the keeping.
TEST_F(SystemdKept, WithTheBusGoneWorkersGoOnAndTheirEndsAreSeen) {
    House house{"home", Keeper::Systemd};
    house.model("tiny");
    house.file("a", "model = \"tiny\"\n");
    house.file("b", "model = \"tiny\"\n");
    house.start();
    ASSERT_TRUE(house.reaches("a", State::Ready));
    ASSERT_TRUE(house.reaches("b", State::Ready));
    {
        auto const bus = os::Bus::open(*house.loop, test_manager().address(), [] {}).value();
        auto const asked = bus->ask({systemd,
                                     "/org/freedesktop/systemd1",
                                     "org.freedesktop.systemd1.Manager",
                                     "RestartUnit",
                                     {std::string{"dbus.service"}, std::string{"replace"}}},
                                    5s);
        ASSERT_TRUE(asked.ok()) << asked.error().message;
    }
    house.loop->run_once(200ms);
    ::kill(*house.status("a").pid, SIGKILL);
    ASSERT_TRUE(house.reaches("a", State::Error));
    EXPECT_EQ(house.status("b").state, State::Ready);
    ASSERT_TRUE(house.reaches("a", State::Ready)) << "connected again, it is started again";
    ::kill(*house.status("b").pid, SIGKILL);
    ASSERT_TRUE(house.reaches("b", State::Error));
    EXPECT_NE(house.status("b").cause.find("killed by SIGKILL (9)"), std::string::npos)
        << house.status("b").cause;
}

}  // namespace
}  // namespace hal0::slots
