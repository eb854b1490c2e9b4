#include <gtest/gtest.h>

#include "api/test_admin.hpp"
#include "wire/history_views.hpp"

namespace hal0::api {
namespace {

class AdminHistoryTest : public AdminTest {
  protected:
    AdminHistoryTest() {
        auto const now = std::chrono::system_clock::now();
        history::RequestRecord one{
            .id = "r1", .slot = "primary", .began = now, .outcome = "ok", .figures = {30, 10, 8, 200, 400}};
        auto two = one;
        two.id = "r2";
        two.slot = "embed";
        two.figures = {};
        past.add(std::vector{one, two, one});
        past.add(history::LoadRecord{
            .slot = "primary", .began = now, .seconds = 1.5, .outcome = "failed", .why = "no room"});
        past.add(history::Event{
            .id = {100, 1}, .time = now, .type = "slot.state", .subject = "primary", .data = "{}"});
    }
    template <class View> std::vector<View> list(std::string const& target) {
        auto const ticket = send(http::Method::Get, target);
        until([&] { return port.answers[ticket].head.has_value(); });
        auto views = wire::decode<std::vector<View>>(port.answers[ticket].head->body);
        EXPECT_TRUE(views.ok()) << port.answers[ticket].head->body;
        return views.ok() ? *views : std::vector<View>{};
    }
};

TEST_F(AdminHistoryTest, TellsOfRequests) {
    auto const all = list<wire::RequestView>("/api/requests");
    ASSERT_EQ(all.size(), 3U);
    EXPECT_EQ(all[0].number, 3);
    EXPECT_EQ(all[0].prompt_tokens, 30);
    EXPECT_EQ(all[0].prompt_tokens_per_s, 100.0);
    EXPECT_EQ(all[0].generated_tokens_per_s, 20.0);
    EXPECT_EQ(all[1].id, "r2");
    EXPECT_EQ(all[1].prompt_tokens, std::nullopt);
    EXPECT_EQ(list<wire::RequestView>("/api/requests?slot=primary&before=3").size(), 1U);
    EXPECT_EQ(list<wire::RequestView>("/api/requests?limit=2").size(), 2U);
}

TEST_F(AdminHistoryTest, TellsOfLoadsAndEvents) {
    auto const loads = list<wire::LoadView>("/api/loads?slot=primary");
    ASSERT_EQ(loads.size(), 1U);
    EXPECT_EQ(loads[0].why, "no room");
    auto const events_told = list<wire::EventView>("/api/events/past?subject=primary");
    ASSERT_EQ(events_told.size(), 1U);
    EXPECT_EQ(events_told[0].id, "100-1");
    EXPECT_EQ(list<wire::EventView>("/api/events/past?before=100-1").size(), 0U);
}

TEST_F(AdminHistoryTest, RefusesWhatIsNoQuestion) {
    for (auto const* target : {"/api/requests?limit=1001", "/api/requests?before=x", "/api/loads?limit=-1",
                               "/api/events/past?before=7", "/api/requests?model=m"})
        EXPECT_EQ(get(target).status, 400) << target;
}

}  // namespace
}  // namespace hal0::api
