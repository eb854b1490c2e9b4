#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <condition_variable>
#include <csignal>
#include <map>
#include <memory>
#include <mutex>

#include "cli/test_house.hpp"
#include "os/child.hpp"
#include "os/lock_file.hpp"
#include "wire/status.hpp"

namespace hal0::cli {
namespace {

wire::JobView job(std::string state) {
    wire::JobView view;
    view.id = "j1";
    view.state = std::move(state);
    view.step = "downloading";
    view.unit = "bytes";
    return view;
}

wire::ModelView model(std::string id, std::string state) {
    wire::ModelView view;
    view.id = std::move(id);
    view.state = std::move(state);
    view.size = 1 << 20;
    view.directory = "/models/m";
    return view;
}

TEST(Run, SaysThatNoDaemonRunsAndHowToStartIt) {
    TestHouse house;
    EXPECT_EQ(house.type({"status"}), 1);
    EXPECT_TRUE(has(house.terminal.complained, "hal0: no hal0 daemon is running"))
        << house.terminal.complained;
    EXPECT_TRUE(has(house.terminal.complained, "'hal0 serve'"));
    EXPECT_EQ(house.type({"status", "--quiet"}), 1);
    EXPECT_EQ(house.terminal.complained, "");
    std::size_t left = 0;
    house.program.offline.end_workers = [&left]() -> Result<std::size_t> { return left; };
    EXPECT_EQ(house.type({"stop"}), 0);
    EXPECT_EQ(house.terminal.said, "hal0 isn't running\n");
    left = 2;
    EXPECT_EQ(house.type({"stop"}), 0);
    EXPECT_EQ(house.terminal.said, "hal0 isn't running; 2 workers of an earlier one are stopped\n");
}

TEST(Run, ExitCodesTellFailureFromMisuse) {
    TestHouse house;
    EXPECT_EQ(house.type({"--version"}), 0);
    EXPECT_EQ(house.terminal.said, "hal0 1.2.3\n");
    EXPECT_EQ(house.type({"slot", "lod"}), 2);
    EXPECT_EQ(house.terminal.complained,
              "hal0: there is no command 'slot lod'; did you mean 'hal0 slot load'?\n");
    EXPECT_EQ(house.type({"slot", "create", "x"}), 2);
    EXPECT_EQ(house.type({"completion", "tcsh"}), 2);
    EXPECT_EQ(house.type({"help", "frobnicate"}), 2);
    EXPECT_EQ(house.type({"help", "slot", "load"}), 0);
    EXPECT_EQ(house.type({"serve"}), 1);  // this program has none
}

TEST(Run, WhatTheProgramBringsIsRunWithWhatWasTyped) {
    TestHouse house;
    std::vector<std::string> listen;
    house.program.serve = [&](Arguments const& arguments, Context&) -> Result<int> {
        listen = arguments.all("listen");
        return 0;
    };
    house.program.job = [](Arguments const& arguments, Context&) -> Result<int> {
        return Error{Errc::Io, arguments.text("KIND") + " of " + arguments.text("SUBJECT")};
    };
    EXPECT_EQ(house.type({"serve", "--listen", "a", "--listen", "b"}), 0);
    EXPECT_EQ(listen, (std::vector<std::string>{"a", "b"}));
    EXPECT_EQ(house.type({"job", "model.pull", "m"}), 1);
    EXPECT_EQ(house.terminal.complained, "hal0: model.pull of m\n");
}

TEST(Slots, AreListedForPeopleForProgramsAndByName) {
    TestHouse house;
    std::vector const slots{slot("embed", "offline", ""), slot("primary", "ready", "loaded in 0.8 s")};
    house.serve([&](Request const&, Connection const& to) { to.answer(200, wire::encode(slots)); });
    EXPECT_EQ(house.type({"slot", "list"}), 0);
    EXPECT_TRUE(has(house.terminal.said, "primary  ready")) << house.terminal.said;
    EXPECT_EQ(house.type({"slot", "list", "--names"}), 0);
    EXPECT_EQ(house.terminal.said, "embed\nprimary\n");
    EXPECT_EQ(house.type({"slot", "list", "--json"}), 0);
    EXPECT_EQ(house.terminal.said, wire::encode(slots) + "\n");
    EXPECT_EQ(house.daemon->asked(), (std::vector<std::string>(3, "GET /api/slots")));
}

TEST(Slots, TheApisOwnErrorIsShownAsItIs) {
    TestHouse house;
    house.serve([](Request const&, Connection const& to) {
        to.answer(404,
                  wire::error_body({Errc::NotFound, "there is no slot 'a b'; there are embed and primary"}));
    });
    EXPECT_EQ(house.type({"slot", "show", "a b"}), 1);
    EXPECT_EQ(house.terminal.complained, "hal0: there is no slot 'a b'; there are embed and primary\n");
    EXPECT_EQ(house.daemon->asked().front(), "GET /api/slots/a%20b");
}

// A daemon whose slot is loading until it was looked at, then ends the load as `end` does.
class Loading {
  public:
    explicit Loading(std::function<void(Connection const&)> end) : end_{std::move(end)} {}
    void operator()(Request const& request, Connection const& to) {
        if (request.line == "GET /api/events") return silent_events(to);
        if (request.line == "GET /api/slots/primary") {
            to.answer(200, wire::encode(slot("primary", "loading", "")));
            std::scoped_lock const lock{*guard_};
            *looked_ = true;
            changed_->notify_all();
            return;
        }
        std::unique_lock lock{*guard_};
        changed_->wait(lock, [this] { return *looked_; });
        lock.unlock();
        end_(to);
    }

  private:
    std::function<void(Connection const&)> end_;
    std::shared_ptr<std::mutex> guard_{std::make_shared<std::mutex>()};
    std::shared_ptr<std::condition_variable> changed_{std::make_shared<std::condition_variable>()};
    std::shared_ptr<bool> looked_{std::make_shared<bool>(false)};
};

TEST(Slots, ALoadIsFollowedToItsEnd) {
    TestHouse house;
    house.serve(Loading{[](Connection const& to) {
        to.answer(200, wire::encode(slot("primary", "ready", "loaded in 0.8 s")));
    }});
    EXPECT_EQ(house.type({"slot", "load", "primary"}), 0) << house.terminal.complained;
    EXPECT_EQ(house.terminal.said, "primary is ready: loaded in 0.8 s\n");
}

TEST(Slots, ALoadThatFailsFails) {
    TestHouse house;
    house.serve(Loading{[](Connection const& to) {
        to.answer(503, wire::error_body({Errc::Unavailable, "primary did not come up: exited with code 1"}));
    }});
    EXPECT_EQ(house.type({"slot", "load", "primary"}), 1);
    EXPECT_TRUE(has(house.terminal.complained, "hal0: primary did not come up: exited with code 1\n"));
}

TEST(Slots, CtrlCLeavesTheLoadingAlone) {
    TestHouse house;
    house.serve([](Request const& request, Connection const& to) {
        if (request.line == "GET /api/slots/primary")
            return to.answer(200, wire::encode(slot("primary", "loading", "")));
        if (request.line == "GET /api/events") return silent_events(to);
        to.until_closed();
    });
    house.terminal.tty = true;
    house.terminal.on_output = [&] {
        house.terminal.on_output = {};
        ASSERT_EQ(::raise(SIGINT), 0);
    };
    EXPECT_EQ(house.type({"slot", "load", "primary"}), 130);
    EXPECT_TRUE(has(house.terminal.complained, "primary is loading")) << house.terminal.complained;
    EXPECT_TRUE(has(house.terminal.complained,
                    "hal0: loading primary goes on in the daemon; 'hal0 status' shows how far it is\n"));
}

TEST(Slots, ANewOneIsMadeAsAskedAndSeenUp) {
    TestHouse house;
    house.serve([](Request const& request, Connection const& to) {
        if (request.line == "POST /api/slots") return to.answer(201, wire::encode(slot("x", "offline", "")));
        if (request.line == "GET /api/events") return silent_events(to);
        to.answer(200, wire::encode(slot("x", "ready", "loaded")));
    });
    EXPECT_EQ(house.type({"slot", "create", "x", "--model", "m", "--context=512", "--extra-arg=--no-warmup"}),
              0);
    EXPECT_EQ(house.terminal.said, "x is ready: loaded\n");
    auto const asked = house.daemon->asked().front();
    auto const wanted = wire::decode_request<wire::SlotCreate>(asked.substr(asked.find('{')));
    ASSERT_TRUE(wanted.ok());
    EXPECT_EQ(*wanted, (wire::SlotCreate{.name = "x",
                                         .model = "m",
                                         .context = 512,
                                         .extra_args = std::vector<std::string>{"--no-warmup"}}));
}

TEST(Slots, LogsComeAsTheyAre) {
    TestHouse house;
    house.serve([](Request const&, Connection const& to) { to.answer(200, "one\ntwo\n"); });
    EXPECT_EQ(house.type({"slot", "logs", "primary", "-fn2"}), 0);
    EXPECT_EQ(house.terminal.said, "one\ntwo\n");
    EXPECT_EQ(house.daemon->asked().front(), "GET /api/slots/primary/logs?lines=2&follow=true");
    EXPECT_EQ(house.type({"slot", "logs", "primary", "--json"}), 0);
    EXPECT_EQ(house.terminal.said, "\"one\"\n\"two\"\n");
}

// The job moves on with each look at it.
TEST(Slots, AreTakenDownByForceWhereThatIsSaid) {
    TestHouse house;
    house.serve([](Request const& request, Connection const& to) {
        if (request.line == "GET /api/events") return silent_events(to);
        to.answer(200, wire::encode(slot("primary", "offline", "asked to unload")));
    });
    EXPECT_EQ(house.type({"slot", "unload", "primary", "--force"}), 0) << house.terminal.complained;
    EXPECT_EQ(house.type({"slot", "restart", "primary", "--force", "--no-wait"}), 0);
    EXPECT_EQ(house.type({"slot", "delete", "primary", "--force"}), 0);
    auto const asked = house.daemon->asked();
    for (auto const* line :
         {"POST /api/slots/primary/unload?force=true",
          "POST /api/slots/primary/restart?wait=false&force=true", "DELETE /api/slots/primary?force=true"})
        EXPECT_EQ(std::count(asked.begin(), asked.end(), line), 1) << line;
}

TEST(Models, APullIsFollowedToItsEnd) {
    for (std::string const end : {"done", "failed"}) {
        TestHouse house;
        std::atomic<int> looks{0};
        house.serve([&](Request const& request, Connection const& to) {
            if (request.line == "POST /api/models/pull") return to.answer(202, wire::encode(job("running")));
            if (request.line == "GET /api/models")
                return to.answer(200, wire::encode(std::vector{model("m", "present")}));
            if (request.line == "GET /health") return to.answer(200, "{}");
            if (request.line == "GET /api/events") {
                to.begin_events();
                to.event("{}");  // something happened: look again
                return to.until_closed();
            }
            auto now = job(++looks > 1 ? end : "running");
            now.done = looks << 20;
            now.notes = {"the first source did not answer"};
            now.message = "the hash differs";
            now.log = "/logs/j1";
            to.answer(200, wire::encode(now));
        });
        bool const fails = end == "failed";
        EXPECT_EQ(house.type({"model", "pull", "m"}), fails ? 1 : 0);
        EXPECT_TRUE(
            has(house.terminal.complained, "the first source did not answer\ndownloading: 1.0 MiB\n"));
        EXPECT_EQ(house.terminal.said, fails ? "" : "m is here: 1.0 MiB in /models/m\n");
        EXPECT_EQ(
            has(house.terminal.complained, "hal0: pulling m failed: the hash differs; its log is /logs/j1\n"),
            fails);
    }
}

TEST(Models, ACheckIsFollowedToItsEnd) {
    TestHouse house;
    house.serve([](Request const& request, Connection const& to) {
        if (request.line == "POST /api/models/m/verify") return to.answer(202, wire::encode(job("running")));
        if (request.line == "GET /health") return to.answer(200, "{}");
        if (request.line == "GET /api/events") return to.until_closed();
        to.answer(200, wire::encode(job("done")));
    });
    EXPECT_EQ(house.type({"model", "verify", "m"}), 0);
    EXPECT_EQ(house.terminal.said, "m is whole: every byte is as it was pulled\n");
}

TEST(Models, AreHandledHereWhereNoDaemonRuns) {
    TestHouse house;
    std::string state = "available";
    house.program.offline.models = [&]() -> Result<std::vector<wire::ModelView>> {
        return std::vector{model("m", state), model("other", "available")};
    };
    house.program.offline.pull = [&](std::string const& id,
                                     Offline::OnJob const& told) -> Result<wire::ModelView> {
        auto now = job("running");
        now.done = 5 << 20;
        told(now);
        state = "present";
        return model(id, state);
    };
    EXPECT_EQ(house.type({"model", "pull", "m"}), 0);
    EXPECT_EQ(house.terminal.complained, "downloading: 5.0 MiB\n");
    EXPECT_EQ(house.terminal.said, "m is here: 1.0 MiB in /models/m\n");
    house.program.offline.verify = [](std::string const& id, Offline::OnJob const&) -> Result<void> {
        return Error{Errc::Corrupt, id + " is damaged"};
    };
    EXPECT_EQ(house.type({"model", "verify", "m"}), 1);
    EXPECT_EQ(house.terminal.complained, "hal0: m is damaged\n");
    EXPECT_EQ(house.type({"model", "list", "--present", "--names"}), 0);
    EXPECT_EQ(house.terminal.said, "m\n");
    EXPECT_EQ(house.type({"model", "show", "othr"}), 1);
    EXPECT_EQ(house.terminal.complained, "hal0: there is no model 'othr'; did you mean 'other'?\n");
}

TEST(Engines, TheBuildToRemoveIsFoundOrAskedFor) {
    TestHouse house;
    std::vector<std::string> keys{"k1"}, removed;
    house.program.offline.engines = [&]() -> Result<std::vector<wire::EngineView>> {
        std::vector<wire::EngineView> engines;
        for (auto const& key : keys) {
            auto& engine = engines.emplace_back();
            engine.id = "llama.cpp";
            engine.key = key;
            engine.state = "installed";
            engine.runs_here = key != "k2";
            engine.current = key != "k0";
        }
        return engines;
    };
    house.program.offline.remove = [&](std::string const&, std::string const& key) -> Result<void> {
        removed.push_back(key);
        return {};
    };
    EXPECT_EQ(house.type({"engine", "remove", "llama.cpp"}), 0);
    keys = {"k1", "k2"};
    EXPECT_EQ(house.type({"engine", "remove", "llama.cpp"}), 1);
    EXPECT_TRUE(has(house.terminal.complained, "hal0 engine remove llama.cpp k1|k2"))
        << house.terminal.complained;
    EXPECT_EQ(house.type({"engine", "remove", "llama.cpp", "k2"}), 0);
    EXPECT_EQ(removed, (std::vector<std::string>{"k1", "k2"}));
    EXPECT_EQ(house.type({"engine", "list", "--installed", "--names"}), 0);
    EXPECT_EQ(house.terminal.said, "llama.cpp\n");
    keys = {"k0"};  // an older version than this hal0 installs
    EXPECT_EQ(house.type({"engine", "list", "--installed", "--names"}), 0);
    EXPECT_EQ(house.terminal.said, "");
}

}  // namespace
}  // namespace hal0::cli
