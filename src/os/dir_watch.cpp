#include "os/dir_watch.hpp"

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

Result<std::unique_ptr<DirWatch>> DirWatch::make(Loop& loop, std::string const& path, Changed changed) {
    UniqueFd fd{::inotify_init1(IN_CLOEXEC | IN_NONBLOCK)};
    if (!fd.open()) return errno_error(errno, "watching for changed files (inotify_init1)");
    constexpr std::uint32_t events = IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_CREATE |
                                     IN_ATTRIB | IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR;
    if (::inotify_add_watch(fd.get(), path.c_str(), events) < 0)
        return errno_error(errno, format("watching {}", path));
    std::unique_ptr<DirWatch> watch{new DirWatch{loop, std::move(fd), path, std::move(changed)}};
    HAL0_CHECK(loop.watch(watch->fd_.get(), Ready::Read, Trigger::Level, *watch));
    return watch;
}

DirWatch::~DirWatch() {
    if (destroyed_ != nullptr) *destroyed_ = true;
    loop_.unwatch(fd_.get(), *this);
}

// A new file is told when it was written and closed; a link, of either kind, is whole as soon as it is there.
bool DirWatch::still_written(std::string const& name) const {
    struct stat st{};
    if (::lstat(join_path(path_, name).c_str(), &st) != 0) return true;  // gone again, which is told
    return S_ISREG(st.st_mode) && st.st_nlink == 1;
}

void DirWatch::on_ready(Ready) {
    std::vector<std::string> names;
    bool lost = false;
    std::array<char, 16384> buffer{};
    while (true) {
        auto const got = ::read(fd_.get(), buffer.data(), buffer.size());
        if (got <= 0) break;
        for (std::size_t at = 0; at < static_cast<std::size_t>(got);) {
            inotify_event event{};
            std::memcpy(&event, buffer.data() + at, sizeof event);
            constexpr std::uint32_t gone = IN_DELETE_SELF | IN_MOVE_SELF | IN_UNMOUNT;
            bool const itself = event.len == 0 && (event.mask & IN_ATTRIB) != 0;
            if ((event.mask & (IN_Q_OVERFLOW | gone)) != 0 || itself) lost = true;
            std::string name{event.len > 0 ? buffer.data() + at + sizeof event : ""};
            bool const made = (event.mask & IN_CREATE) != 0 && (event.mask & IN_ISDIR) == 0;
            if (!name.empty() && !(made && still_written(name))) names.push_back(std::move(name));
            at += sizeof event + event.len;
        }
    }
    std::sort(names.begin(), names.end());
    names.erase(std::unique(names.begin(), names.end()), names.end());
    if (lost) names.clear();
    if (!lost && names.empty()) return;
    bool destroyed = false;
    destroyed_ = &destroyed;
    auto changed = std::move(changed_);
    changed(names);  // may destroy us
    if (destroyed) return;
    changed_ = std::move(changed);
    destroyed_ = nullptr;
}

}  // namespace hal0::os
