#pragma once
// Another program that is asked in lines and answers in lines, by a caller that waits: for Pool work and the
// CLI. Its stdin and stdout are one socket to us, so that its reading ends when this process does, however.
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/no_copy.hpp"
#include "base/result.hpp"
#include "base/units.hpp"
#include "os/child.hpp"
#include "os/loop.hpp"
#include "os/unique_fd.hpp"

namespace hal0::os {

class Dialogue final : NoCopy, FdHandler {
  public:
    static constexpr std::size_t line_bytes_max = std::size_t{1} << 20;

    // Command's in and out are not used.
    static Result<std::unique_ptr<Dialogue>> start(Command command);
    // Kills the program, if it hasn't ended, and waits for its end.
    ~Dialogue();

    // One line, without its end. Unavailable when the program has ended or doesn't read.
    Result<void> say(std::string_view line);
    // Its next line, without its end. Timeout when there is none for so long; Unavailable, with how it ended,
    // when it has; TooLarge for a line over the limit. After any of these it is of no more use.
    Result<std::string> hear(Duration longest);

  private:
    Dialogue(std::string program, std::unique_ptr<Loop> loop, UniqueFd socket)
        : program_{std::move(program)}, loop_{std::move(loop)}, socket_{std::move(socket)} {}
    void on_ready(Ready ready) override;
    bool read_some();
    void stop_reading();
    [[nodiscard]] std::optional<std::string> next_line();
    [[nodiscard]] Error ended_error() const;

    std::string program_;
    std::unique_ptr<Loop> loop_;
    UniqueFd socket_;
    bool reading_{false};
    std::unique_ptr<Process> process_{};
    std::optional<ExitStatus> ended_{};
    std::string heard_{};
};

}  // namespace hal0::os
