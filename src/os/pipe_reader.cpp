#include "os/pipe_reader.hpp"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstddef>

#include "os/file.hpp"

namespace hal0::os {

Result<std::unique_ptr<PipeReader>> PipeReader::make(Loop& loop, OnBytes on_bytes) {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) return errno_error(errno, "creating a pipe");
    std::unique_ptr<PipeReader> pipe{
        new PipeReader{loop, UniqueFd{ends[0]}, UniqueFd{ends[1]}, std::move(on_bytes)}};
    // Only our end: the child's would otherwise be told "try again" where it expects to wait.
    ::fcntl(ends[0], F_SETFL, O_NONBLOCK);
    HAL0_CHECK(loop.watch(ends[0], Ready::Read, Trigger::Level, *pipe));
    return pipe;
}

PipeReader::~PipeReader() { stop(); }

void PipeReader::stop() {
    if (!reader_.open()) return;
    loop_.unwatch(reader_.get(), *this);
    reader_.reset();
}

// Reads once and tells how much; at the end of the stream (or a fault) it stops watching.
std::size_t PipeReader::take() {
    std::array<char, 16384> buffer{};
    auto const got = ::read(reader_.get(), buffer.data(), buffer.size());
    if (got > 0) {
        on_bytes_({buffer.data(), static_cast<std::size_t>(got)});
        return static_cast<std::size_t>(got);
    }
    if (got == 0 || (errno != EAGAIN && errno != EINTR)) stop();
    return 0;
}

void PipeReader::on_ready(Ready) { take(); }

void PipeReader::drain() {
    int left = 0;
    if (!reader_.open() || ::ioctl(reader_.get(), FIONREAD, &left) != 0) return;
    while (left > 0 && reader_.open()) {
        auto const got = take();
        if (got == 0) return;
        left -= static_cast<int>(got);
    }
}

}  // namespace hal0::os
