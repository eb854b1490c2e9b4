#pragma once
// A home of a test's own, with a daemon played by the test, and hal0 typed in it.
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cli/fake_terminal.hpp"
#include "cli/run.hpp"
#include "cli/test_peer.hpp"
#include "os/test_dir.hpp"

namespace hal0::cli {

class TestHouse {
  public:
    FakeTerminal terminal{};
    Program program{.version = "1.2.3"};
    std::unique_ptr<TestPeer> daemon{};

    TestHouse() { (void)os::make_places(places()); }
    [[nodiscard]] os::Places places() const { return os::find_places(environment_).value(); }
    void serve(TestPeer::Handler handler) {
        daemon = std::make_unique<TestPeer>(daemon_socket(places()), std::move(handler));
    }
    int type(std::vector<std::string> const& words) {
        terminal.said.clear();
        terminal.complained.clear();
        return run(words, terminal, program, environment_);
    }

  private:
    os::TestDir dir_{};
    os::Environment environment_{[this](char const* name) -> std::optional<std::string> {
        if (std::string_view{name} == "HAL0_HOME") return dir_.path();
        return std::nullopt;
    }};
};

// What the tests of several files say.
using Connection = TestPeer::Connection;
using Request = TestPeer::Request;

inline bool has(std::string const& text, std::string_view part) {
    return text.find(part) != std::string::npos;
}

inline wire::SlotView slot(std::string name, std::string state, std::string cause) {
    wire::SlotView view;
    view.name = std::move(name);
    view.state = std::move(state);
    view.cause = std::move(cause);
    view.wanted = "up";
    return view;
}

// Events that never come: a client that follows is held open until it leaves.
inline void silent_events(Connection const& to) {
    to.begin_events();
    to.until_closed();
}

}  // namespace hal0::cli
