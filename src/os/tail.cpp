#include "os/tail.hpp"

#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "base/format.hpp"
#include "os/file.hpp"

namespace hal0::os {

Result<std::unique_ptr<Tail>> Tail::make(Loop& loop, std::string path, Bytes last,
                                         std::function<void()> grew) {
    UniqueFd watch{::inotify_init1(IN_CLOEXEC | IN_NONBLOCK)};
    if (!watch.open()) return errno_error(errno, "watching a log (inotify_init1)");
    // The directory, not the file: another may take its name.
    auto const directory = directory_of(path);
    constexpr std::uint32_t events = IN_MODIFY | IN_CREATE | IN_MOVED_TO | IN_ONLYDIR;
    if (::inotify_add_watch(watch.get(), directory.c_str(), events) < 0)
        return errno_error(errno, format("watching {}", directory));
    std::unique_ptr<Tail> tail{new Tail{loop, std::move(path), std::move(watch), std::move(grew)}};
    HAL0_CHECK(loop.watch(tail->watch_.get(), Ready::Read, Trigger::Level, *tail));
    tail->open_current();
    struct stat st{};
    if (tail->file_.open() && ::fstat(tail->file_.get(), &st) == 0)
        tail->position_ = std::max<std::int64_t>(0, st.st_size - last.count);
    return tail;
}

Tail::~Tail() { loop_.unwatch(watch_.get(), *this); }

void Tail::open_current() {
    auto file = open_read(path_);
    file_ = file ? std::move(file).value() : UniqueFd{};
    position_ = 0;
}

bool Tail::replaced() const {
    struct stat mine{}, named{};
    if (::stat(path_.c_str(), &named) != 0) return false;  // gone, and nothing in its place
    if (!file_.open()) return true;
    return ::fstat(file_.get(), &mine) == 0 && (mine.st_ino != named.st_ino || mine.st_dev != named.st_dev);
}

std::string Tail::read_current(Bytes max) {
    struct stat st{};
    if (!file_.open() || ::fstat(file_.get(), &st) != 0) return {};
    if (st.st_size < position_) position_ = 0;
    std::string text(static_cast<std::size_t>(std::min<std::int64_t>(max.count, st.st_size - position_)),
                     '\0');
    auto const got = text.empty() ? 0 : ::pread(file_.get(), text.data(), text.size(), position_);
    text.resize(static_cast<std::size_t>(std::max<ssize_t>(0, got)));
    position_ += static_cast<std::int64_t>(text.size());
    return text;
}

std::string Tail::read(Bytes max) {
    auto text = read_current(max);
    if (!text.empty() || !replaced()) return text;
    open_current();
    return read_current(max);
}

void Tail::on_ready(Ready) {
    alignas(inotify_event) std::array<char, 16384> buffer{};
    auto const name = base_name(path_);
    bool ours = false;
    while (true) {
        auto const got = ::read(watch_.get(), buffer.data(), buffer.size());
        if (got <= 0) break;
        for (std::size_t at = 0; at < static_cast<std::size_t>(got);) {
            inotify_event event{};
            std::memcpy(&event, buffer.data() + at, sizeof event);
            bool const lost = (event.mask & IN_Q_OVERFLOW) != 0;
            ours = ours || lost || (event.len > 0 && name == buffer.data() + at + sizeof event);
            at += sizeof event + event.len;
        }
    }
    if (ours) grew_();
}

}  // namespace hal0::os
