#include "cli/terminal.hpp"

#include <algorithm>

#include "os/places.hpp"

namespace hal0::cli {
namespace {

constexpr int in_fd = 0, out_fd = 1, err_fd = 2;
constexpr int columns_min = 40, columns_unknown = 80;

bool wants_colours() {
    return !os::environment_of_process("NO_COLOR") && os::environment_of_process("TERM") != "dumb";
}

}  // namespace

Console::Console() : input_{in_fd}, colours_{wants_colours()} {}

// Where the reader is gone, SIGPIPE ends the program. Of another fault nobody is left to tell.
void Console::out(std::string_view text) { (void)os::write_all(out_fd, text); }
void Console::err(std::string_view text) { (void)os::write_all(err_fd, text); }

bool Console::is_tty(Stream stream) const {
    switch (stream) {
        case Stream::In: return os::is_terminal(in_fd);
        case Stream::Out: return os::is_terminal(out_fd);
        case Stream::Err: return os::is_terminal(err_fd);
    }
    return false;
}

std::size_t Console::width() const {
    int columns = os::terminal_columns(out_fd);
    if (columns == 0) columns = os::terminal_columns(err_fd);
    return static_cast<std::size_t>(columns == 0 ? columns_unknown : std::max(columns, columns_min));
}

Result<os::Typed> Console::read_line(std::string_view prompt) {
    out(prompt);
    return input_.next();
}

Result<std::string> Console::read_all(Bytes max) { return os::read_to_end(in_fd, max); }

std::unique_ptr<os::ReaderWatch> Console::end_with_reader(os::Loop& loop) {
    return std::make_unique<os::ReaderWatch>(loop, out_fd);
}

}  // namespace hal0::cli
