#pragma once
// A home of a test's own, with a daemon played by the test, and hal0 typed in it.
#include <memory>
#include <string>
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

}  // namespace hal0::cli
