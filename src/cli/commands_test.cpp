#include <fcntl.h>
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

using Connection = TestPeer::Connection;
using Request = TestPeer::Request;

bool has(std::string const& text, std::string_view part) { return text.find(part) != std::string::npos; }

wire::SlotView slot(std::string name, std::string state, std::string cause) {
    wire::SlotView view;
    view.name = std::move(name);
    view.state = std::move(state);
    view.cause = std::move(cause);
    view.wanted = "up";
    return view;
}

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

// A process of its own that holds a lock: the kernel doesn't tell one of locks that it holds itself.
class OtherHolder {
  public:
    explicit OtherHolder(std::string const& path) {
        std::array<int, 2> held{};
        EXPECT_EQ(::pipe2(held.data(), O_CLOEXEC), 0);
        pid_ = ::fork();
        if (pid_ == 0) {
            auto const lock = os::LockFile::acquire(path);
            (void)::write(held[1], "!", 1);
            ::pause();
        }
        char said = 0;
        EXPECT_EQ(::read(held[0], &said, 1), 1);
        ::close(held[0]);
        ::close(held[1]);
    }
    ~OtherHolder() {
        ::kill(pid_, SIGKILL);
        ::waitpid(pid_, nullptr, 0);
    }
    OtherHolder(OtherHolder const&) = delete;
    OtherHolder& operator=(OtherHolder const&) = delete;
    [[nodiscard]] int pid() const { return pid_; }

  private:
    int pid_{-1};
};

// Events that never come: a client that follows is held open until it leaves.
void silent_events(Connection const& to) {
    to.begin_events();
    to.until_closed();
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
    EXPECT_EQ(house.type({"slot", "create", "x", "--model", "m", "--context=512", "--extra-arg=--no-mmap"}),
              0);
    EXPECT_EQ(house.terminal.said, "x is ready: loaded\n");
    auto const asked = house.daemon->asked().front();
    auto const wanted = wire::decode_request<wire::SlotCreate>(asked.substr(asked.find('{')));
    ASSERT_TRUE(wanted.ok());
    EXPECT_EQ(
        *wanted,
        (wire::SlotCreate{
            .name = "x", .model = "m", .context = 512, .extra_args = std::vector<std::string>{"--no-mmap"}}));
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

wire::StatusView daemon_status(int pid) {
    wire::StatusView status;
    status.version = "1.2.3";
    status.pid = pid;
    status.listen = {"unix:/run/hal0.sock", "127.0.0.1:8080"};
    status.uptime_s = 185;
    status.memory = 12 << 20;
    status.slots = {slot("primary", "ready", "loaded in 0.8 s")};
    status.slots.front().pid = 4711;
    return status;
}

TEST(Status, SaysWhatRunsAndWhere) {
    TestHouse house;
    house.serve(
        [](Request const&, Connection const& to) { to.answer(200, wire::encode(daemon_status(42))); });
    EXPECT_EQ(house.type({"status"}), 0);
    EXPECT_TRUE(has(house.terminal.said,
                    "hal0 1.2.3  up 3 min 5 s, pid 42, 12.0 MiB\n"
                    "  unix:/run/hal0.sock\n  http://127.0.0.1:8080/v1\n"))
        << house.terminal.said;
    EXPECT_TRUE(has(house.terminal.said, "primary  ready"));
    EXPECT_EQ(house.type({"status", "--address"}), 0);
    EXPECT_EQ(house.terminal.said, "127.0.0.1:8080\n");
    EXPECT_EQ(house.type({"status", "--quiet", "--wait", "5"}), 0);
    EXPECT_EQ(house.terminal.said, "");
}

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

TEST(Status, WithoutAnIpAddressSaysSo) {
    TestHouse house;
    auto status = daemon_status(42);
    status.listen = {"unix:/run/hal0.sock"};
    house.serve([&](Request const&, Connection const& to) { to.answer(200, wire::encode(status)); });
    EXPECT_EQ(house.type({"status", "--address"}), 1);
    EXPECT_EQ(house.terminal.said, "");
    EXPECT_TRUE(has(house.terminal.complained, "hal0 listens at no IP address, only at unix:"))
        << house.terminal.complained;
}

TEST(Stop, TheDaemonTakesItsSlotsDownAndIsSeenToItsEnd) {
    auto loop = os::Loop::make().value();
    auto const process =
        os::Process::spawn(*loop, {.argv = {"sleep", "1000"}}, [](os::ExitStatus const&) {}).value();
    auto status = daemon_status(process->pid());
    status.slots.front().in_flight = 2;
    TestHouse house;
    bool looked_after = false;
    house.program.offline.end_workers = [&]() -> Result<std::size_t> {
        looked_after = true;
        return std::size_t{0};
    };
    std::atomic<bool> looks{false};
    house.serve([&](Request const& request, Connection const& to) {
        if (request.line == "GET /api/events") return silent_events(to);
        if (request.line == "GET /health") return to.answer(200, "{}");
        if (request.line == "POST /api/stop") {
            looks.wait(false);  // until the progress was shown
            (void)process->signal(SIGTERM);
            return to.answer(204, "");
        }
        to.answer(200, wire::encode(status));
    });
    house.terminal.on_output = [&] {
        looks = true;
        looks.notify_one();
    };
    EXPECT_EQ(house.type({"stop"}), 0) << house.terminal.complained;
    EXPECT_EQ(house.terminal.said, "hal0 is stopped, and 1 worker with it\n");
    EXPECT_TRUE(has(house.terminal.complained, "stopping: primary still answers 2 requests"))
        << house.terminal.complained;
    EXPECT_TRUE(looked_after);
}

TEST(Stop, ThatKeepsTheWorkersEndsTheDaemonAlone) {
    auto loop = os::Loop::make().value();
    auto const process =
        os::Process::spawn(*loop, {.argv = {"sleep", "1000"}}, [](os::ExitStatus const&) {}).value();
    TestHouse house;
    house.serve([&](Request const&, Connection const& to) {
        to.answer(200, wire::encode(daemon_status(process->pid())));
    });
    EXPECT_EQ(house.type({"stop", "--keep-workers"}), 0) << house.terminal.complained;
    EXPECT_EQ(house.daemon->asked(), (std::vector<std::string>{"GET /health", "GET /api/status"}));
}

// Nothing is done in the place of a daemon that is there and doesn't answer.
TEST(Daemon, OneThatIsDeafIsNotOneThatIsAway) {
    TestHouse house;
    bool ended = false;
    house.program.offline.end_workers = [&]() -> Result<std::size_t> {
        ended = true;
        return std::size_t{0};
    };
    OtherHolder const daemon{daemon_lock(house.places())};
    EXPECT_EQ(house.type({"stop"}), 1);
    EXPECT_FALSE(ended);
    EXPECT_TRUE(has(house.terminal.complained,
                    format("hal0 (pid {}) holds this home but doesn't answer", daemon.pid())))
        << house.terminal.complained;
    EXPECT_EQ(house.type({"model", "list"}), 1);
    EXPECT_EQ(house.type({"chat"}), 1);
}

TEST(Events, AreALineEach) {
    TestHouse house;
    wire::EventView const event{"1-2",
                                "2025-01-31T09:57:00Z",
                                "slot.state",
                                "primary",
                                {R"({"state":"ready","cause":"loaded in 0.8 s"})"}};
    house.serve([&](Request const& request, Connection const& to) {
        EXPECT_TRUE(has(request.head, "Last-Event-ID: 1-1\r\n"));
        to.begin_events();
        to.event(wire::encode(event));
    });
    EXPECT_EQ(house.type({"events", "--after", "1-1"}), 0);
    EXPECT_EQ(house.terminal.said, "2025-01-31T09:57:00Z  slot.state      primary  ready  loaded in 0.8 s\n");
    EXPECT_EQ(house.type({"events", "--after", "1-1", "--json"}), 0);
    EXPECT_EQ(house.terminal.said, wire::encode(event) + "\n");
}

// ---- where the daemon is

TEST(Daemon, IsFoundByItsUrlAndAskedWithItsKey) {
    os::TestDir dir;
    ASSERT_TRUE(os::atomic_write(dir / "key", "s3cret\n").ok());
    std::map<std::string, std::string> set{{"HAL0_URL", "http://10.0.0.7:9000/"},
                                           {"HAL0_KEY_FILE", dir / "key"}};
    os::Environment const environment = [&](char const* name) -> std::optional<std::string> {
        auto const found = set.find(name);
        return found == set.end() ? std::nullopt : std::optional{found->second};
    };
    auto const daemon = find_daemon(environment, {.runtime = "/run/hal0"}).value();
    EXPECT_EQ(os::to_string(daemon.address), "10.0.0.7:9000");
    auto const request = Api{daemon}.request(http::Method::Get, "/api/slots");
    ASSERT_EQ(request.headers.size(), 1U);
    EXPECT_EQ(request.headers[0].value, "Bearer s3cret");
    set["HAL0_URL"] = "http://localhost";
    EXPECT_EQ(os::to_string(find_daemon(environment, {}).value().address), "127.0.0.1:8080");
    set["HAL0_URL"] = "https://box";
    EXPECT_EQ(find_daemon(environment, {}).error().kind, Errc::Invalid);
    set.clear();
    EXPECT_EQ(os::to_string(find_daemon(environment, {.runtime = "/run/hal0"}).value().address),
              "unix:/run/hal0/hal0.sock");
}

}  // namespace
}  // namespace hal0::cli
