#include "api/admin.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <optional>

#include "api/event_types.hpp"
#include "api/fake_house.hpp"
#include "base/format.hpp"
#include "http/sse.hpp"
#include "os/child.hpp"
#include "os/test_dir.hpp"
#include "wire/status.hpp"

namespace hal0::api {
namespace {

using namespace std::chrono_literals;
using http::Method;

// What a data loop would have sent to its clients, by ticket.
class Recorder final : public AnswerPort {
  public:
    struct Answer {
        std::optional<http::Response> head{};
        std::string streamed{};  // after the head's own body
        bool streaming{false};
        bool finished{false};
    };
    std::map<dispatch::Ticket, Answer> answers{};

    void respond(dispatch::Ticket ticket, http::Response response) override {
        EXPECT_FALSE(answers[ticket].head.has_value()) << "answered twice";
        answers[ticket].head = std::move(response);
        answers[ticket].finished = true;
    }
    void begin_stream(dispatch::Ticket ticket, http::Response head_and_first) override {
        answers[ticket].head = std::move(head_and_first);
        answers[ticket].streaming = true;
    }
    void write(dispatch::Ticket ticket, std::string bytes) override {
        EXPECT_TRUE(answers[ticket].streaming);
        answers[ticket].streamed += bytes;
    }
    void finish(dispatch::Ticket ticket) override {
        answers[ticket].streaming = false;
        answers[ticket].finished = true;
    }
};

class AdminTest : public testing::Test {
  protected:
    AdminTest() {
        admin.add_loop(port);
        house.all_slots.resize(2);
        house.all_slots[0].name = "embed";
        house.all_slots[1].name = "primary";
        house.log = dir / "primary.log";
    }
    dispatch::Ticket send(Method method, std::string const& target, std::string body = "",
                          std::string last_event_id = "") {
        auto const mark = std::min(target.find('?'), target.size());
        dispatch::Ticket const ticket{.loop = 0, .connection = 1, .generation = ++generation};
        admin.request({.ticket = ticket,
                       .method = method,
                       .method_text = std::string{http::method_name(method)},
                       .path = target.substr(0, mark),
                       .query = target.substr(std::min(mark + 1, target.size())),
                       .body = std::move(body),
                       .last_event_id = std::move(last_event_id),
                       .over_unix_socket = over_unix_socket});
        loop->run_once(0ms);
        return ticket;
    }
    http::Response ask(Method method, std::string const& target, std::string body = "") {
        auto const& head = port.answers[send(method, target, std::move(body))].head;
        EXPECT_TRUE(head.has_value()) << target << " was not answered";
        return head.value_or(http::Response{});
    }
    http::Response get(std::string const& target) { return ask(Method::Get, target); }
    Error error_of(http::Response const& response) {
        EXPECT_GE(response.status, 400);
        return wire::decode_error(response.status, response.body);
    }
    void until(std::function<bool()> const& true_now) {
        while (!true_now())
            loop->run_once(10s);
    }

    bool over_unix_socket{false};
    os::TestDir dir;
    std::unique_ptr<os::Loop> loop{os::Loop::make().value()};
    std::unique_ptr<os::Inbox> inbox{os::Inbox::make(*loop).value()};
    FakeHouse house;
    history::EventStream events{100, 8};
    jobs::Jobs jobs{*loop,
                    {.command = {"/bin/sh", "-c", "read line < $2", "job"}, .logs = dir / "logs"},
                    [](jobs::Job const&) {}};
    Recorder port;
    std::uint32_t generation{0};
    Admin admin{{*loop, *inbox, house, jobs, events, 1ms}};
};

// ---- the table

TEST_F(AdminTest, AnUnknownPathSaysWhatIsNear) {
    auto const answer = get("/api/slot");
    EXPECT_EQ(answer.status, 404);
    EXPECT_EQ(error_of(answer).message, "there is nothing at /api/slot; did you mean /api/slots?");
    EXPECT_EQ(get("/api/slots/").status, 404);
    EXPECT_EQ(get("/api/").status, 404);
}

TEST_F(AdminTest, AMethodThatAPathDoesNotHave) {
    auto const answer = ask(Method::Put, "/api/slots");
    EXPECT_EQ(answer.status, 405);
    EXPECT_EQ(answer.headers.at(0).name, "allow");
    EXPECT_EQ(answer.headers.at(0).value, "GET, HEAD, POST, OPTIONS");
    EXPECT_EQ(ask(Method::Options, "/api/slots/primary").status, 204);
    EXPECT_EQ(ask(Method::Options, "/api/slots/primary").headers.at(0).value, "GET, HEAD, DELETE, OPTIONS");
    EXPECT_EQ(ask(Method::Head, "/api/slots").status, 200);
}

TEST_F(AdminTest, WhatIsWrongWithAQueryOrABodyIsSaid) {
    EXPECT_EQ(error_of(ask(Method::Post, "/api/slots/primary/load?wat=false")).message,
              "/api/slots/{name}/load has no query parameter 'wat'; did you mean 'wait'?");
    EXPECT_EQ(error_of(ask(Method::Post, "/api/slots/primary/load?wait=no")).message,
              "'wait' is true or false, not 'no'");
    for (auto const* const twice : {"wait=true&wait=false", "wait=true&wait=true", "wait&%77ait"}) {
        auto const refused = ask(Method::Post, format("/api/slots/primary/load?{}", twice));
        EXPECT_EQ(refused.status, 400) << twice;
        EXPECT_EQ(error_of(refused).message, "'wait' is given twice in the query: say it once");
    }
    EXPECT_EQ(error_of(ask(Method::Post, "/api/slots/primary/load", R"({"wait":false})")).message,
              "POST /api/slots/{name}/load takes no body");
    EXPECT_EQ(error_of(get("/api/slots/%zz")).message, "'%zz' in the path is not well percent-encoded");
    auto const answer = ask(Method::Post, "/api/slots", R"({"name":"a","modle":"m"})");
    EXPECT_EQ(answer.status, 400);
    EXPECT_EQ(error_of(answer).message, "'model' is missing");
    EXPECT_EQ(error_of(ask(Method::Post, "/api/models/pull", "{")).kind, Errc::Invalid);
    EXPECT_TRUE(house.asked.empty());
}

// ---- the daemon and the slots

TEST_F(AdminTest, StatusHasTheSlotsAndTheJobsThatRun) {
    auto const fifo = dir / "fifo";  // the fake job reads it, and nobody ever writes
    ASSERT_TRUE(os::run_to_end({.argv = {"mkfifo", fifo}}).ok());
    auto const job = jobs.start("model.pull", fifo).value();
    auto const status = wire::decode<wire::StatusView>(get("/api/status").body).value();
    EXPECT_EQ(status.version, "0.1.0");
    EXPECT_EQ(status.slots.size(), 2u);
    ASSERT_EQ(status.jobs.size(), 1u);
    EXPECT_EQ(status.jobs[0].id, job.id);
}

TEST_F(AdminTest, AStopIsAnsweredWhenTheSlotsAreDown) {
    auto const ticket = send(Method::Post, "/api/stop");
    EXPECT_EQ(house.asked, (std::vector<std::string>{"stop"}));
    EXPECT_FALSE(port.answers[ticket].head.has_value());
    house.down();
    EXPECT_EQ(port.answers[ticket].head->status, 204);
    EXPECT_EQ(get("/api/stop").status, 405);
}

TEST_F(AdminTest, SlotsAreListedShownAndExplained) {
    EXPECT_EQ(wire::decode<std::vector<wire::SlotView>>(get("/api/slots").body).value(), house.all_slots);
    EXPECT_EQ(wire::decode<wire::SlotView>(get("/api/slots/pri%6Dary").body)->name, "primary");
    EXPECT_EQ(get("/api/slots/nobody").status, 404);
    EXPECT_EQ(wire::decode<wire::SlotArgv>(get("/api/slots/primary/argv").body)->arguments.at(0).flag,
              "--metrics");
    EXPECT_EQ(
        wire::decode<std::vector<wire::SettingDiffView>>(get("/api/slots/primary/diff").body)->at(0).what,
        "--ctx-size");
    EXPECT_EQ(get("/api/slots/nobody/diff").status, 404);
    EXPECT_EQ(get("/api/reload").status, 405);
    EXPECT_EQ(ask(Method::Post, "/api/reload").status, 200);
    EXPECT_EQ(house.asked.back(), "reload");
    EXPECT_EQ(wire::decode<wire::SlotExplain>(get("/api/slots/primary/explain").body)->lines.at(0),
              "it is up");
}

TEST_F(AdminTest, AnOperationIsAnsweredWhenItIsOver) {
    auto const ticket = send(Method::Post, "/api/slots/primary/load");
    EXPECT_EQ(house.asked.at(0), "load primary");
    EXPECT_FALSE(port.answers[ticket].head.has_value());
    house.pending.at(0)(house.all_slots[1]);
    EXPECT_EQ(port.answers[ticket].head->status, 200);
    EXPECT_EQ(wire::decode<wire::SlotView>(port.answers[ticket].head->body).value(), house.all_slots[1]);

    auto const second = send(Method::Post, "/api/slots/primary/restart");
    house.pending.at(1)(Error{Errc::NoSpace, "it does not fit"});
    EXPECT_EQ(port.answers[second].head->status, 507);
    EXPECT_EQ(error_of(*port.answers[second].head).message, "it does not fit");
}

TEST_F(AdminTest, OneNeedNotWaitForAnOperation) {
    auto const answer = ask(Method::Post, "/api/slots/primary/swap?wait=false", R"({"model":"other"})");
    EXPECT_EQ(answer.status, 202);
    EXPECT_EQ(wire::decode<wire::SlotView>(answer.body)->name, "primary");
    EXPECT_EQ(house.asked, (std::vector<std::string>{"swap primary to other"}));
    house.pending.at(0)(Error{Errc::Io, "too late to be told"});
    EXPECT_EQ(ask(Method::Post, "/api/slots/nobody/unload?wait=false").status, 404);
    EXPECT_EQ(house.asked.size(), 1u);
}

// It would show nowhere: nothing in the slot changes.
TEST_F(AdminTest, WhatIsWrongFromTheStartIsToldToThoseWhoDontWaitToo) {
    house.refusal = Error{Errc::NotFound, "there is no model 'zzz'"};
    auto const answer = ask(Method::Post, "/api/slots/primary/swap?wait=false", R"({"model":"zzz"})");
    EXPECT_EQ(answer.status, 404);
    EXPECT_EQ(error_of(answer).message, "there is no model 'zzz'");
}

TEST_F(AdminTest, WhoWaitsIsToldWhenTheDaemonEnds) {
    auto const waits = send(Method::Post, "/api/slots/primary/load");
    auto const left = send(Method::Post, "/api/slots/primary/load");
    admin.gone(left);
    loop->run_once(0ms);
    admin.end({Errc::Unavailable, "hal0 is stopping"});
    EXPECT_EQ(port.answers[waits].head->status, 503);
    EXPECT_FALSE(port.answers[left].head.has_value());
    house.pending.at(0)(wire::SlotView{});  // its end comes too late to be told, and once is enough
}

TEST_F(AdminTest, WhatTakesASlotDownCanCutItsRequestsOff) {
    send(Method::Post, "/api/slots/primary/unload?force=true");
    send(Method::Post, "/api/slots/primary/restart?force=true&wait=false");
    send(Method::Delete, "/api/slots/primary?force=true");
    EXPECT_EQ(house.asked, (std::vector<std::string>{"unload primary by force", "restart primary by force",
                                                     "remove primary by force"}));
    EXPECT_EQ(ask(Method::Delete, "/api/slots/primary?force=yes").status, 400);
}

TEST_F(AdminTest, SlotsAreMadeAndRemoved) {
    auto const ticket = send(Method::Post, "/api/slots", R"({"name":"code","model":"m","context":8192})");
    EXPECT_EQ(house.asked.at(0), "create code with m");
    house.pending.at(0)(wire::SlotView{.name = "code"});
    EXPECT_EQ(port.answers[ticket].head->status, 201);
    EXPECT_EQ(ask(Method::Delete, "/api/slots/primary").status, 204);
    EXPECT_EQ(ask(Method::Delete, "/api/slots/nobody").status, 404);
}

// Whoever may give an engine arguments can make it write files and run tools.
TEST_F(AdminTest, ArgumentsForTheEngineAreTakenOverTheUnixSocketOnly) {
    auto const* const body = R"({"name":"code","model":"m","extra_args":["--log-file","/x"]})";
    auto const refused = ask(Method::Post, "/api/slots", body);
    EXPECT_EQ(refused.status, 403);
    EXPECT_NE(error_of(refused).message.find("not taken over TCP"), std::string::npos);
    EXPECT_TRUE(house.asked.empty());
    over_unix_socket = true;
    send(Method::Post, "/api/slots", body);
    EXPECT_EQ(house.asked, (std::vector<std::string>{"create code with m"}));
}

// ---- logs

TEST_F(AdminTest, TheLastLinesOfALog) {
    EXPECT_EQ(get("/api/slots/primary/logs").body, "");
    auto const usual = std::exchange(house.log, dir / "never/ran.log");
    EXPECT_EQ(get("/api/slots/primary/logs").status, 200);
    EXPECT_TRUE(port.answers[send(Method::Get, "/api/slots/primary/logs?follow=true")].streaming);
    house.log = usual;
    std::ofstream{house.log} << "one\ntwo\nthree\n";
    auto const answer = get("/api/slots/primary/logs?lines=2");
    EXPECT_EQ(answer.content_type, "text/plain; charset=utf-8");
    EXPECT_EQ(answer.body, "two\nthree\n");
    EXPECT_EQ(get("/api/slots/primary/logs").body, "one\ntwo\nthree\n");
    EXPECT_EQ(get("/api/slots/primary/logs?lines=3").body, "one\ntwo\nthree\n");
    EXPECT_EQ(get("/api/slots/primary/logs?lines=0").body, "");
    EXPECT_EQ(get("/api/slots/primary/logs?lines=-1").status, 400);
    EXPECT_EQ(get("/api/slots/nobody/logs").status, 404);
    std::ofstream{house.log, std::ios::app} << "unfinished";
    EXPECT_EQ(get("/api/slots/primary/logs?lines=2").body, "three\nunfinished");
}

TEST_F(AdminTest, ALogIsFollowedUntilItsClientLeaves) {
    std::ofstream{house.log} << "one\ntwo\n";
    auto const ticket = send(Method::Get, "/api/slots/primary/logs?lines=1&follow=true");
    auto const& answer = port.answers[ticket];
    EXPECT_TRUE(answer.streaming);
    EXPECT_EQ(answer.head->body, "two\n");
    std::ofstream{house.log, std::ios::app} << "three\n";
    until([&] { return answer.streamed == "three\n"; });
    admin.gone(ticket);
    loop->run_once(10s);
    std::ofstream{house.log, std::ios::app} << "four\n";
    loop->run_once(0ms);
    EXPECT_EQ(answer.streamed, "three\n");
}

// ---- models, engines, jobs

TEST_F(AdminTest, APullBecomesAJobThatCanBeJoinedAndCancelled) {
    auto const fifo = dir / "fifo";  // the fake job reads it, and nobody ever writes
    ASSERT_TRUE(os::run_to_end({.argv = {"mkfifo", fifo}}).ok());
    house.all_models.push_back({.id = fifo, .state = "available"});
    auto const body = R"({"id":")" + fifo + R"("})";
    auto const answer = ask(Method::Post, "/api/models/pull", body);
    EXPECT_EQ(answer.status, 202);
    auto const job = wire::decode<wire::JobView>(answer.body).value();
    EXPECT_EQ(job.kind, "model.pull");
    EXPECT_EQ(job.state, "running");
    EXPECT_EQ(wire::decode<wire::JobView>(ask(Method::Post, "/api/models/pull", body).body)->id, job.id);
    EXPECT_EQ(wire::decode<std::vector<wire::JobView>>(get("/api/jobs").body)->size(), 1u);
    EXPECT_EQ(ask(Method::Post, "/api/jobs/" + job.id + "/cancel").status, 202);
    auto const now = [&] { return wire::decode<wire::JobView>(get("/api/jobs/" + job.id).body).value(); };
    while (now().state == "running")
        loop->run_once(10s);
    EXPECT_EQ(now().state, "cancelled");
    EXPECT_EQ(ask(Method::Post, "/api/jobs/" + job.id + "/cancel").status, 409);
    EXPECT_EQ(get("/api/jobs/nobody").status, 404);
}

TEST_F(AdminTest, WhatIsThereAlreadyNeedsNoJob) {
    house.all_models.push_back({.id = "smol", .state = "present"});
    auto const answer = ask(Method::Post, "/api/models/pull", R"({"id":"smol"})");
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(wire::decode<wire::JobView>(answer.body)->state, "done");
    EXPECT_EQ(ask(Method::Post, "/api/models/pull", R"({"id":"nobody"})").status, 404);
    EXPECT_TRUE(jobs.list().empty());
    EXPECT_EQ(wire::decode<wire::ModelView>(get("/api/models/smol").body)->id, "smol");
}

// Reading 40 GB takes minutes: it must hold up neither this loop nor the threads that requests are read on.
TEST_F(AdminTest, AModelIsVerifiedByAJob) {
    house.all_models.push_back({.id = "smol", .state = "present"});
    auto const answer = ask(Method::Post, "/api/models/smol/verify");
    EXPECT_EQ(answer.status, 202);
    auto const job = wire::decode<wire::JobView>(answer.body).value();
    EXPECT_EQ(job.kind + " " + job.subject, "model.verify smol");
    EXPECT_EQ(jobs.list().size(), 1u);
    EXPECT_EQ(ask(Method::Post, "/api/models/nobody/verify").status, 404);
    while (jobs.find(job.id)->state == jobs::State::Running)
        loop->run_once(10s);
}

TEST_F(AdminTest, AnEngineInUseIsNotRemoved) {
    house.all_engines.push_back(
        {.id = "llama.cpp", .key = "k1", .state = "installed", .used_by = {"primary"}});
    house.all_engines.push_back({.id = "llama.cpp", .key = "k2", .state = "installed"});
    auto const answer = ask(Method::Delete, "/api/engines/llama.cpp/k1");
    EXPECT_EQ(answer.status, 409);
    EXPECT_EQ(error_of(answer).message, "the workers of primary run it; unload them first");
    EXPECT_EQ(ask(Method::Delete, "/api/engines/llama.cpp/k3").status, 404);
    EXPECT_EQ(ask(Method::Delete, "/api/engines/llama.cpp/k2").status, 204);
    EXPECT_EQ(house.asked, (std::vector<std::string>{"remove llama.cpp k2"}));
    EXPECT_EQ(ask(Method::Post, "/api/engines/install", R"({"id":"llama.cpp"})").status, 200);
}

// ---- events

class EventsTest : public AdminTest {
  protected:
    void publish(EventType const& type, std::string const& subject) {
        events.publish({}, std::string{type.name}, subject, R"({"n":1})");
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
        publish(job_changed, "job");
        auto const all = heard(ticket);
        ASSERT_EQ(all.size(), 2u) << last;
        EXPECT_EQ(all[0].type, "resync");
        EXPECT_EQ(all[1].type, "job");
        admin.gone(ticket);
    }
}

TEST_F(EventsTest, AreOfTheWantedTypesOnly) {
    auto const ticket = send(Method::Get, "/api/events?types=slot.removed,job");
    publish(slot_state, "a");
    publish(job_changed, "b");
    publish(slot_removed, "c");
    EXPECT_EQ(subjects(ticket), "b c ");
    EXPECT_EQ(error_of(get("/api/events?types=slots")).message,
              "there are no events of type 'slots'; there are slot.state, slot.removed, job, resync");
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
