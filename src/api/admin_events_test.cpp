#include <gtest/gtest.h>

#include "api/event_types.hpp"
#include "api/test_admin.hpp"
#include "http/sse.hpp"

namespace hal0::api {
namespace {

using namespace std::chrono_literals;
using http::Method;

// ---- events

class EventsTest : public AdminTest {
  protected:
    void publish(EventType const& type, std::string const& subject) {
        events.publish(std::chrono::system_clock::now(), std::string{type.name}, subject, R"({"n":1})");
    }
    std::vector<http::SseEvent> heard(dispatch::Ticket ticket) {
        std::vector<http::SseEvent> out;
        http::SseReader reader;
        auto const take = [&out](http::SseEvent const& event) { out.push_back(event); };
        reader.feed(port.answers[ticket].head->body, take);
        reader.feed(port.answers[ticket].streamed, take);
        return out;
    }
    std::string subjects(dispatch::Ticket ticket) {
        std::string out;
        for (auto const& event : heard(ticket))
            out += wire::decode<wire::EventView>(event.data)->subject + " ";
        return out;
    }
};

TEST_F(EventsTest, AreToldAsTheyHappen) {
    publish(slot_state, "before");
    auto const ticket = send(Method::Get, "/api/events");
    EXPECT_EQ(port.answers[ticket].head->content_type, "text/event-stream");
    EXPECT_EQ(port.answers[ticket].head->body, "id: 100-1\n\n");
    publish(slot_state, "primary");
    auto const events_heard = heard(ticket);
    ASSERT_EQ(events_heard.size(), 1u);
    EXPECT_EQ(events_heard[0].id, "100-2");
    EXPECT_EQ(events_heard[0].type, "slot.state");
    auto const view = wire::decode<wire::EventView>(events_heard[0].data).value();
    EXPECT_EQ(view.subject, "primary");
    EXPECT_EQ(view.data.text, R"({"n":1})");
}

TEST_F(EventsTest, AreResumedWhereTheyWereLeft) {
    for (auto const* subject : {"a", "b", "c"})
        publish(slot_state, subject);
    EXPECT_EQ(subjects(send(Method::Get, "/api/events", "", "100-1")), "b c ");
    EXPECT_EQ(subjects(send(Method::Get, "/api/events?last_event_id=100-2")), "c ");
    auto const ticket = send(Method::Get, "/api/events", "", "100-3");
    publish(slot_state, "d");
    EXPECT_EQ(subjects(ticket), "d ");
}

TEST_F(EventsTest, SayWhenSomeAreGone) {
    for (int i = 0; i < 20; ++i)
        publish(slot_state, "a");
    for (auto const* last : {"100-1", "99-7", "nonsense"}) {
        auto const ticket = send(Method::Get, "/api/events?types=job", "", last);
        until([&] { return port.answers[ticket].streaming; });
        publish(job_changed, "job");
        auto const all = heard(ticket);
        ASSERT_EQ(all.size(), 2u) << last;
        EXPECT_EQ(all[0].type, "resync");
        EXPECT_EQ(all[1].type, "job");
        admin.gone(ticket);
    }
}

// Of an earlier daemon, and of this one what it has no more in memory.
TEST_F(EventsTest, AreResumedFromTheHistory) {
    {
        history::Store earlier{{.path = dir / "hal0.db", .epoch = 90, .kept_for = 24h}};
        history::Event const one{.id = {90, 1},
                                 .time = std::chrono::system_clock::now(),
                                 .type = "slot.state",
                                 .subject = "one",
                                 .data = "{}"};
        history::Event const two{.id = {90, 2},
                                 .time = std::chrono::system_clock::now(),
                                 .type = "slot.state",
                                 .subject = "two",
                                 .data = "{}"};
        ASSERT_TRUE(earlier.write({.events = {one, two}}, std::chrono::system_clock::now()).ok());
        ASSERT_TRUE(earlier.end_epoch().ok());
    }
    auto const listener = events.subscribe([this](history::Event const& event) { past.add(event); });
    for (int i = 1; i <= 10; ++i)  // eight are in memory
        publish(slot_state, std::to_string(i).c_str());
    auto const resumed = [this](std::string const& last) {
        auto const ticket = send(Method::Get, "/api/events", "", last);
        until([&] { return port.answers[ticket].streaming; });
        publish(slot_state, "now");
        return subjects(ticket);
    };
    EXPECT_EQ(resumed("90-1"), "two 1 2 3 4 5 6 7 8 9 10 now ");
    EXPECT_EQ(resumed("100-1").substr(0, 4), "2 3 ");
    EXPECT_EQ(resumed("90-3"), " now ") << "it never was: a resync";
    events.unsubscribe(listener);
}

TEST_F(EventsTest, AreOfTheWantedTypesOnly) {
    auto const ticket = send(Method::Get, "/api/events?types=slot.removed,job");
    publish(slot_state, "a");
    publish(job_changed, "b");
    publish(slot_removed, "c");
    EXPECT_EQ(subjects(ticket), "b c ");
    EXPECT_EQ(
        error_of(get("/api/events?types=slots")).message,
        "there are no events of type 'slots'; there are slot.state, slot.removed, slot.slow, job, resync");
}

TEST_F(EventsTest, AClientThatLeftIsToldNothing) {
    auto const ticket = send(Method::Get, "/api/events");
    admin.gone(ticket);
    loop->run_once(0ms);
    publish(slot_state, "a");
    EXPECT_EQ(subjects(ticket), "");
}

TEST_F(EventsTest, ASilentStreamHasAHeartbeatAndEndsWithTheDaemon) {
    auto const ticket = send(Method::Get, "/api/events");
    auto const& answer = port.answers[ticket];
    until([&] { return answer.streamed.starts_with(": still here\n\n: still here\n\n"); });
    EXPECT_EQ(subjects(ticket), "");
    admin.end({Errc::Unavailable, "over"});
    EXPECT_TRUE(answer.finished);
    publish(slot_state, "a");
    EXPECT_EQ(subjects(ticket), "");
}

TEST_F(EventsTest, TooManyAtOnceAreRefused) {
    for (std::size_t i = 0; i < admin_streams_max; ++i)
        EXPECT_TRUE(port.answers[send(Method::Get, "/api/events")].streaming);
    EXPECT_EQ(get("/api/events").status, 503);
    EXPECT_EQ(ask(Method::Head, "/api/events").status, 200);
}

TEST_F(AdminTest, MemoryIsReadWhenItIsAskedFor) {
    EXPECT_TRUE(house.asked.empty());
    auto const answer = get("/api/memory");
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(wire::decode<wire::MemoryView>(answer.body).value().pools.at(0).id, "unified");
    EXPECT_EQ(house.asked, std::vector<std::string>{"memory"});
    EXPECT_EQ(ask(Method::Post, "/api/memory").status, 405);
}

TEST_F(AdminTest, FitIsAskedByAQuery) {
    EXPECT_EQ(get("/api/fit?model=m&context=8192&kv_type=q8_0").status, 200);
    auto const refused = get("/api/fit?model=%2Fmodels%2Fa%20b.gguf");
    EXPECT_EQ(refused.status, 403);
    EXPECT_NE(error_of(refused).message.find("not taken over TCP"), std::string::npos);
    over_unix_socket = true;
    EXPECT_EQ(get("/api/"
                  "fit?model=%2Fmodels%2Fa%20b.gguf&parallel=4&ubatch=64&cache_ram_mib=512&flash_attention="
                  "on&device=gpu0&"
                  "engine=e")
                  .status,
              200);
    EXPECT_EQ(house.fits, (std::vector<wire::FitQuestion>{{.model = "m", .context = 8192, .kv_type = "q8_0"},
                                                          {.model = "/models/a b.gguf",
                                                           .parallel = 4,
                                                           .ubatch = 64,
                                                           .cache_ram_mib = 512,
                                                           .flash_attention = "on",
                                                           .device = "gpu0",
                                                           .engine = "e"}}));
    EXPECT_EQ(get("/api/fit?model=m&draft=d&mtp=true&mmproj=p").status, 200);
    EXPECT_EQ(house.fits.back(), (wire::FitQuestion{.model = "m", .mmproj = "p", .draft = "d", .mtp = true}));
    over_unix_socket = false;
    EXPECT_EQ(get("/api/fit?model=m&draft=d&mtp=false").status, 200);
    EXPECT_EQ(get("/api/fit?model=m&draft=%2Fd.gguf").status, 403);
    EXPECT_EQ(get("/api/fit?model=m&mmproj=p").status, 403);
    EXPECT_EQ(get("/api/fit?model=m&mtp=perhaps").status, 400);
    EXPECT_EQ(get("/api/fit").status, 400);
    EXPECT_EQ(get("/api/fit?model=m&context=many").status, 400);
    EXPECT_EQ(get("/api/fit?model=m&ctx=8192").status, 400);
    EXPECT_EQ(house.fits.size(), 4U);
}

}  // namespace
}  // namespace hal0::api
