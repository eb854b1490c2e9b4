#pragma once
// A terminal that keeps what was said, and types what it was told to.
#include <deque>
#include <functional>
#include <optional>
#include <string>

#include "cli/terminal.hpp"

namespace hal0::cli {

class FakeTerminal final : public Terminal {
  public:
    std::string said{}, complained{};
    bool tty{false};
    bool colour{false};
    std::size_t columns{80};
    std::deque<os::Typed> typed{};      // what comes from a person; then the end
    std::string piped{};                // what comes from a pipe
    std::function<void()> on_output{};  // called after each piece of output

    void out(std::string_view text) override {
        said += text;
        if (on_output) on_output();
    }
    void err(std::string_view text) override {
        complained += text;
        if (on_output) on_output();
    }
    [[nodiscard]] bool is_tty(Stream) const override { return tty; }
    [[nodiscard]] std::size_t width() const override { return columns; }
    [[nodiscard]] bool colours() const override { return colour; }
    Result<os::Typed> read_line(std::string_view prompt) override {
        said += prompt;
        if (typed.empty()) return os::Typed{os::Typed::Kind::End};
        auto next = typed.front();
        typed.pop_front();
        return next;
    }
    Result<std::string> read_all(Bytes) override { return piped; }
    std::unique_ptr<os::ReaderWatch> end_with_reader(os::Loop&) override { return nullptr; }
};

}  // namespace hal0::cli
