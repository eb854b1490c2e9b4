#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <csignal>
#include <map>
#include <memory>

#include "cli/test_house.hpp"
#include "os/child.hpp"
#include "os/lock_file.hpp"
#include "os/test_dir.hpp"
#include "wire/status.hpp"

namespace hal0::cli {
namespace {

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

TEST(Api, SaysThatThisUserMayNotSpeakToIt) {
    if (::geteuid() == 0) GTEST_SKIP() << "root may speak to all";
    os::TestDir const dir;
    auto const closed = dir / "closed";
    ASSERT_EQ(::mkdir(closed.c_str(), 0), 0);
    Api const api{Daemon{.address = os::UnixAddress{closed + "/hal0.sock"}}};
    auto const answer = api.get("/api/status");
    ASSERT_FALSE(answer.ok());
    EXPECT_EQ(answer.error().kind, Errc::Forbidden);
    EXPECT_NE(answer.error().message.find("this user may not"), std::string::npos) << answer.error().message;
}

}  // namespace
}  // namespace hal0::cli
