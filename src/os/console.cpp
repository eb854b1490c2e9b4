#include "os/console.hpp"

#include <poll.h>
#include <pthread.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <utility>

#include "base/format.hpp"
#include "os/file.hpp"
#include "os/unique_fd.hpp"

namespace hal0::os {
namespace {

constexpr std::size_t read_bytes = std::size_t{16} << 10;

// Blocks SIGINT and reads it from a descriptor; then as it was before.
class HeldInterrupt final : NoCopy {
  public:
    HeldInterrupt() {
        sigset_t wanted;
        sigemptyset(&wanted);
        sigaddset(&wanted, SIGINT);
        ::pthread_sigmask(SIG_BLOCK, &wanted, &before_);
        fd_.reset(::signalfd(-1, &wanted, SFD_CLOEXEC | SFD_NONBLOCK));
    }
    ~HeldInterrupt() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
    [[nodiscard]] int fd() const { return fd_.get(); }
    [[nodiscard]] bool take() const {
        signalfd_siginfo info{};
        return ::read(fd_.get(), &info, sizeof info) == sizeof info;
    }

  private:
    sigset_t before_{};
    UniqueFd fd_{};
};

// What one read gave; an empty text is the end.
Result<std::string> read_piece(int fd) {
    std::string piece(read_bytes, '\0');
    while (true) {
        auto const count = ::read(fd, piece.data(), piece.size());
        if (count >= 0) {
            piece.resize(static_cast<std::size_t>(count));
            return piece;
        }
        if (errno != EINTR) return errno_error(errno, "reading the input");
    }
}

}  // namespace

bool is_terminal(int fd) { return ::isatty(fd) == 1; }

int terminal_columns(int fd) {
    winsize size{};
    return ::ioctl(fd, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}

Result<void> write_all(int fd, std::string_view text) {
    while (!text.empty()) {
        auto const count = ::write(fd, text.data(), text.size());
        if (count < 0 && errno != EINTR) return errno_error(errno, "writing the output");
        if (count > 0) text.remove_prefix(static_cast<std::size_t>(count));
    }
    return {};
}

ReaderWatch::ReaderWatch(Loop& loop, int fd)
    : loop_{loop}, fd_{fd}, watched_{loop.watch(fd, Ready::None, Trigger::Level, *this).ok()} {}

ReaderWatch::~ReaderWatch() {
    if (watched_) loop_.unwatch(fd_, *this);
}

void ReaderWatch::on_ready(Ready) {
    std::raise(SIGPIPE);
    std::_Exit(128 + SIGPIPE);  // where who started this program has it ignore the signal
}

Result<std::string> read_to_end(int fd, Bytes max) {
    std::string all;
    while (true) {
        HAL0_TRY(piece, read_piece(fd));
        if (piece.empty()) return all;
        all += piece;
        if (std::cmp_greater(all.size(), max.count))
            return Error{Errc::TooLarge, format("the input is larger than {} bytes", max.count)};
    }
}

bool LineInput::take_line(Typed& typed) {
    auto const end = rest_.find('\n');
    if (end == std::string::npos) return false;
    typed = {Typed::Kind::Line, rest_.substr(0, end)};
    rest_.erase(0, end + 1);
    return true;
}

Result<Typed> LineInput::next() {
    Typed typed;
    if (take_line(typed)) return typed;
    HeldInterrupt const interrupt;
    while (true) {
        std::array<pollfd, 2> watched{pollfd{fd_, POLLIN, 0}, pollfd{interrupt.fd(), POLLIN, 0}};
        if (::poll(watched.data(), watched.size(), -1) < 0 && errno != EINTR)
            return errno_error(errno, "waiting for input");
        if (interrupt.take()) {
            rest_.clear();
            return Typed{Typed::Kind::Interrupted};
        }
        if (watched[0].revents == 0) continue;
        HAL0_TRY(piece, read_piece(fd_));
        if (piece.empty()) {
            // A last line without a newline is a line; the end is told next time.
            if (rest_.empty()) return Typed{Typed::Kind::End};
            return Typed{Typed::Kind::Line, std::exchange(rest_, {})};
        }
        rest_ += piece;
        if (take_line(typed)) return typed;
    }
}

}  // namespace hal0::os
