#pragma once
// The terminal, pipe or file that a short-lived program speaks through: blocking, one descriptor at a time.
#include <string>
#include <string_view>

#include "base/no_copy.hpp"
#include "base/result.hpp"
#include "base/units.hpp"
#include "os/loop.hpp"

namespace hal0::os {

bool is_terminal(int fd);
int terminal_columns(int fd);  // 0 where there is no terminal or it doesn't say

Result<void> write_all(int fd, std::string_view text);
// All that comes until the end; TooLarge past `max`.
Result<std::string> read_to_end(int fd, Bytes max);

// As long as it lives, this program ends as SIGPIPE ends it once nobody reads what it writes to `fd`, also
// while it has nothing to write. Of a file nobody tells that.
class ReaderWatch final : NoCopy, FdHandler {
  public:
    ReaderWatch(Loop& loop, int fd);
    ~ReaderWatch();

  private:
    void on_ready(Ready ready) override;

    Loop& loop_;
    int fd_;
    bool watched_;
};

struct Typed {
    enum class Kind { Line, End, Interrupted } kind{Kind::Line};
    std::string line{};  // without its newline
    bool operator==(Typed const&) const = default;
};

// Lines from a person. Ctrl-C gives up the line that is being typed, not the program: while next() waits,
// SIGINT is an answer of it.
class LineInput final : NoCopy {
  public:
    explicit LineInput(int fd) : fd_{fd} {}  // `fd` stays the caller's
    Result<Typed> next();

  private:
    [[nodiscard]] bool take_line(Typed& typed);

    int fd_;
    std::string rest_{};  // read and not yet given out
};

}  // namespace hal0::os
