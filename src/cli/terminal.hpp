#pragma once
// Whom a command speaks to: a person at a terminal, or a program at a pipe. A seam: tests read what was
// said.
#include <memory>
#include <string>
#include <string_view>

#include "base/no_copy.hpp"
#include "base/result.hpp"
#include "base/units.hpp"
#include "os/console.hpp"

namespace hal0::cli {

enum class Stream { In, Out, Err };

class Terminal {
  public:
    virtual void out(std::string_view text) = 0;  // what was asked for
    virtual void err(std::string_view text) = 0;  // progress, errors, hints
    [[nodiscard]] virtual bool is_tty(Stream stream) const = 0;
    [[nodiscard]] virtual std::size_t width() const = 0;  // columns
    [[nodiscard]] virtual bool colours() const = 0;       // wanted, where a stream is a tty
    virtual Result<os::Typed> read_line(std::string_view prompt) = 0;
    virtual Result<std::string> read_all(Bytes max) = 0;  // the input to its end

    // While it is kept, the program ends with the reader of its output.
    virtual std::unique_ptr<os::ReaderWatch> end_with_reader(os::Loop& loop) = 0;

  protected:
    ~Terminal() = default;
};

// Descriptors 0, 1 and 2 of this process. No colours where $NO_COLOR is set (no-color.org) or $TERM is
// "dumb".
class Console final : public Terminal, NoCopy {
  public:
    Console();
    void out(std::string_view text) override;
    void err(std::string_view text) override;
    [[nodiscard]] bool is_tty(Stream stream) const override;
    [[nodiscard]] std::size_t width() const override;
    [[nodiscard]] bool colours() const override { return colours_; }
    Result<os::Typed> read_line(std::string_view prompt) override;
    Result<std::string> read_all(Bytes max) override;
    std::unique_ptr<os::ReaderWatch> end_with_reader(os::Loop& loop) override;

  private:
    os::LineInput input_;
    bool colours_;
};

}  // namespace hal0::cli
