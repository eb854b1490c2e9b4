#include "os/bus.hpp"

#include <gtest/gtest.h>

#include "os/test_manager.hpp"

namespace hal0::os {
namespace {

constexpr char const* systemd = "org.freedesktop.systemd1";
constexpr char const* manager_path = "/org/freedesktop/systemd1";
constexpr char const* manager_interface = "org.freedesktop.systemd1.Manager";

BusCall of_manager(std::string member, std::vector<BusBasic> arguments = {}) {
    return {systemd, manager_path, manager_interface, std::move(member), std::move(arguments)};
}

Environment variables(BusFields fields) {
    return [fields = std::move(fields)](char const* name) { return text_of(fields, name); };
}

TEST(BusAddress, IsTheVariablesOrTheUsualOne) {
    EXPECT_EQ(system_bus_address(variables({})), "unix:path=/run/dbus/system_bus_socket");
    EXPECT_EQ(system_bus_address(variables({{"DBUS_SYSTEM_BUS_ADDRESS", std::string{"unix:path=/x"}}})),
              "unix:path=/x");
    EXPECT_EQ(user_bus_address(1000, variables({})), "unix:path=/run/user/1000/bus") << "by sudo or cron";
    EXPECT_EQ(user_bus_address(1000, variables({{"DBUS_SESSION_BUS_ADDRESS", std::string{"unix:path=/y"}}})),
              "unix:path=/y");
}

TEST(BusAddress, OfAnObjectEscapesWhatPathsCantHave) {
    EXPECT_EQ(bus_path("/org/freedesktop/systemd1/unit", "hal0-slot@a.service"),
              "/org/freedesktop/systemd1/unit/hal0_2dslot_40a_2eservice");
}

TEST(BusWithout, AnAddressNobodyListensAtIsAnError) {
    auto const loop = Loop::make().value();
    auto const bus = Bus::open(*loop, "unix:path=/nowhere/bus", [] {});
    ASSERT_FALSE(bus.ok());
    EXPECT_EQ(bus.error().kind, Errc::NotFound);
    EXPECT_NE(bus.error().message.find("/nowhere/bus"), std::string::npos) << bus.error().message;
}

class BusTest : public testing::Test {
  protected:
    void SetUp() override {
        if (!manager.lacking().empty()) GTEST_SKIP() << manager.lacking();
        bus = Bus::open(*loop, manager.address(), [this] { lost = true; }).value();
    }
    template <class Condition> bool until(Condition condition) {
        auto const deadline = Clock::now() + std::chrono::seconds{20};
        while (!condition() && Clock::now() < deadline)
            loop->run_once(std::chrono::milliseconds{20});
        return condition();
    }
    Result<BusValues> answer(BusCall const& call) {
        std::optional<Result<BusValues>> reply;
        auto const handle = bus->call(call, [&reply](Result<BusValues> told) { reply = std::move(told); });
        if (!handle) return handle.error();
        EXPECT_FALSE(reply.has_value()) << "answered from within";
        if (!until([&reply] { return reply.has_value(); })) return Error{Errc::Internal, "never answered"};
        return *std::move(reply);
    }

    TestManager manager{};
    std::unique_ptr<Loop> loop{Loop::make().value()};
    bool lost{false};
    std::unique_ptr<Bus> bus{};
};

TEST_F(BusTest, CallsAreAnsweredWithWhatTheySay) {
    auto const unit = answer(of_manager("LoadUnit", {std::string{"default.target"}}));
    ASSERT_TRUE(unit.ok()) << unit.error().message;
    auto const path = text_at(*unit, 0);
    EXPECT_EQ(path, bus_path("/org/freedesktop/systemd1/unit", "default.target"));
    BusCall const all{systemd, path, "org.freedesktop.DBus.Properties", "GetAll", {std::string{}}};
    auto const told = answer(all);
    ASSERT_TRUE(told.ok()) << told.error().message;
    auto const* const fields = fields_at(*told, 0);
    ASSERT_NE(fields, nullptr);
    EXPECT_EQ(text_of(*fields, "LoadState"), "loaded");
    EXPECT_EQ(text_of(*fields, "Id"), "default.target");
    EXPECT_GT(number_of(*fields, "ActiveEnterTimestampMonotonic").value_or(0), 0);
    EXPECT_EQ(number_of(*fields, "Id"), std::nullopt);
    EXPECT_EQ(text_of(*fields, "Requires"), std::nullopt) << "a list is passed over";
    auto const asked = bus->ask(all, std::chrono::seconds{5});
    ASSERT_TRUE(asked.ok()) << asked.error().message;
    EXPECT_EQ(text_of(*fields_at(*asked, 0), "Id"), "default.target");
}

TEST_F(BusTest, RefusalsHaveAKindAndTheOthersWords) {
    auto const none = answer(of_manager("GetUnit", {std::string{"nothing.service"}}));
    ASSERT_FALSE(none.ok());
    EXPECT_EQ(none.error().kind, Errc::NotFound);
    EXPECT_EQ(none.error().message,
              "asking org.freedesktop.systemd1 for GetUnit: Unit nothing.service not loaded.");
    auto const nobody = answer({"org.example.nobody", "/", "org.example", "Do", {}});
    ASSERT_FALSE(nobody.ok());
    EXPECT_EQ(nobody.error().kind, Errc::Unavailable) << nobody.error().message;
    auto const wrong = bus->ask(of_manager("GetUnit", {std::int32_t{1}}), std::chrono::seconds{5});
    ASSERT_FALSE(wrong.ok());
    EXPECT_EQ(wrong.error().kind, Errc::Invalid) << wrong.error().message;
    EXPECT_FALSE(bus->call({"not a name", "/", "a.b", "C", {}}, [](auto const&) {}).ok());
}

TEST_F(BusTest, SignalsAreHeardWhereTheyAreOfTheOneListenedTo) {
    manager.put_unit("one.service", "[Service]\nType=oneshot\nExecStart=/bin/true\n");
    manager.put_unit("two.service", "[Service]\nType=oneshot\nExecStart=/bin/true\n");
    ASSERT_TRUE(answer(of_manager("Subscribe")).ok());
    std::vector<std::string> heard;
    BusSignal const jobs{systemd, manager_path, manager_interface, "JobRemoved"};
    BusSignal const others{systemd, "/elsewhere", manager_interface, "JobRemoved"};
    auto const deaf = bus->listen(others, [&heard](BusValues const&) { heard.emplace_back("another's"); });
    ASSERT_TRUE(deaf.ok());
    auto handle = bus->listen(jobs, [&heard](BusValues const& told) { heard.push_back(text_at(told, 2)); });
    ASSERT_TRUE(handle.ok());
    for (std::string const unit : {"one.service", "two.service"})
        ASSERT_TRUE(answer(of_manager("StartUnit", {unit, std::string{"replace"}})).ok());
    EXPECT_TRUE(until([&heard] { return heard.size() == 2; }));
    EXPECT_EQ(heard, (std::vector<std::string>{"one.service", "two.service"}));

    // Who is told may give up listening there and then.
    std::unique_ptr<BusHandle> once;
    int told = 0;
    once = bus->listen(jobs,
                       [&](BusValues const&) {
                           ++told;
                           once.reset();
                       })
               .value();
    *handle = nullptr;
    for (int i = 0; i < 2; ++i)
        ASSERT_TRUE(
            answer(of_manager("StartUnit", {std::string{"two.service"}, std::string{"replace"}})).ok());
    EXPECT_TRUE(until([&told] { return told > 0; }));
    ASSERT_TRUE(answer(of_manager("StartUnit", {std::string{"two.service"}, std::string{"replace"}})).ok());
    loop->run_once(std::chrono::milliseconds{50});
    EXPECT_EQ(told, 1);
    EXPECT_EQ(heard.size(), 2U);
}

TEST_F(BusTest, ACallThatIsGivenUpGoesOutAndIsNotAnswered) {
    manager.put_unit("one.service", "[Service]\nType=oneshot\nRemainAfterExit=yes\nExecStart=/bin/true\n");
    bool told = false;
    (void)bus->call(of_manager("StartUnit", {std::string{"one.service"}, std::string{"replace"}}),
                    [&told](auto const&) { told = true; });
    EXPECT_TRUE(until([this] { return answer(of_manager("GetUnit", {std::string{"one.service"}})).ok(); }));
    EXPECT_FALSE(told);
}

TEST_F(BusTest, WhenItIsLostWhoWaitsIsToldFirst) {
    ASSERT_TRUE(answer(of_manager("Subscribe")).ok());
    // Nothing answers this one: systemd is stopped before it is asked.
    std::vector<std::string> order;
    ASSERT_TRUE(answer(of_manager("LoadUnit", {std::string{"default.target"}})).ok());
    auto const waiting = bus->call(
        {"org.freedesktop.DBus",
         "/org/freedesktop/DBus",
         "org.freedesktop.DBus",
         "StartServiceByName",
         {std::string{systemd}, std::uint32_t{0}}},
        [&order](Result<BusValues> const& reply) { order.push_back(reply ? "answered" : "failed"); });
    ASSERT_TRUE(waiting.ok());
    manager.stop();
    EXPECT_TRUE(until([this] { return lost; }));
    ASSERT_EQ(order.size(), 1U);
    EXPECT_FALSE(bus->call(of_manager("Subscribe"), [](auto const&) {}).ok());
}

}  // namespace
}  // namespace hal0::os
