#pragma once
// A systemd of a test's own (tests/systemd/user_manager), and why there is none where it can't be. For tests
// that run in the root of the repository.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <memory>
#include <optional>
#include <string>

#include "os/bus.hpp"
#include "os/child.hpp"
#include "os/file.hpp"
#include "os/loop.hpp"
#include "os/test_dir.hpp"

namespace hal0::os {

class TestManager {
  public:
    TestManager() {
        std::array<int, 2> ends{};
        EXPECT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0);
        UniqueFd const reader{ends[0]};
        until_closed_ = UniqueFd{ends[1]};
        auto const log = open_append(dir_ / "log").value();
        Command const command{.argv = {"tests/systemd/user_manager", dir_.path()},
                              .in = reader.get(),
                              .out = log.get(),
                              .err = log.get()};
        process_ = Process::spawn(*loop_, command, [this](ExitStatus status) { ended_ = status; }).value();
        auto const deadline = Clock::now() + std::chrono::seconds{20};
        while (!answers() && !ended_ && Clock::now() < deadline)
            loop_->run_once(std::chrono::milliseconds{20});
        if (!answers()) lacking_ = read_tail(dir_ / "log", 2_KiB).value_or("it doesn't say why");
        EXPECT_TRUE(lacking_.empty() || (ended_ && ended_->code == 77))
            << "systemd didn't start: " << lacking_;
    }
    ~TestManager() { stop(); }
    TestManager(TestManager const&) = delete;
    TestManager& operator=(TestManager const&) = delete;

    // Empty where it runs.
    [[nodiscard]] std::string const& lacking() const { return lacking_; }
    [[nodiscard]] std::string address() const { return "unix:path=" + (dir_ / "bus"); }
    // Before anything has asked for it.
    void put_unit(std::string const& name, std::string const& text) {
        EXPECT_TRUE(atomic_write(join_path(dir_ / "units", name), text));
    }
    void stop() {
        until_closed_.reset();
        while (!ended_)
            loop_->run_once(std::chrono::milliseconds{100});
    }

  private:
    [[nodiscard]] bool answers() {
        auto bus = Bus::open(*loop_, address(), [] {});
        if (!bus) return false;
        return (*bus)
            ->ask({"org.freedesktop.systemd1", "/", "org.freedesktop.DBus.Peer", "Ping", {}},
                  std::chrono::seconds{5})
            .ok();
    }

    TestDir dir_{};
    std::unique_ptr<Loop> loop_{Loop::make().value()};
    UniqueFd until_closed_{};
    std::unique_ptr<Process> process_{};
    std::optional<ExitStatus> ended_{};
    std::string lacking_{};
};

}  // namespace hal0::os
