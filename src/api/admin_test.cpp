#include "api/test_admin.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <optional>

#include "api/event_types.hpp"
#include "base/format.hpp"
#include "http/sse.hpp"
#include "os/child.hpp"
#include "os/test_dir.hpp"
#include "wire/status.hpp"

namespace hal0::api {
namespace {

using namespace std::chrono_literals;
using http::Method;

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

}  // namespace
}  // namespace hal0::api
