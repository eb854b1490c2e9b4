#include "os/file_system.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>

#include "base/format.hpp"
#include "base/text.hpp"
#include "os/file.hpp"

namespace hal0::os {
namespace {

struct CloseListing {
    void operator()(DIR* dir) const { ::closedir(dir); }
};

}  // namespace

Result<std::unique_ptr<RootedFiles>> RootedFiles::open(std::string const& root) {
    UniqueFd fd;
    if (root != "/") {
        fd.reset(::open(root.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
        if (!fd.open()) return errno_error(errno, format("opening {} as the root of a box", root));
    }
    std::unique_ptr<RootedFiles> files{new RootedFiles{std::move(fd)}};
    // Asked once, so that a kernel before 5.6 (or a sandbox that knows no such call) is told from a box in
    // which nothing is there.
    if (files->root_.open() && !files->open_at("/", O_PATH).open())
        return errno_error(errno, format("reading {} as the root of a box (openat2)", root));
    return files;
}

UniqueFd RootedFiles::open_at(std::string const& path, int flags) const {
    if (!root_.open()) return UniqueFd{::open(path.c_str(), flags | O_CLOEXEC)};
    open_how how{};
    how.flags = static_cast<unsigned>(flags | O_CLOEXEC);
    how.resolve = RESOLVE_IN_ROOT;
    return UniqueFd{static_cast<int>(::syscall(SYS_openat2, root_.get(), path.c_str(), &how, sizeof how))};
}

Result<std::string> RootedFiles::read(std::string const& path, Bytes max) const {
    // Not blocking: a pipe or a device in the way of a recorded box must not hold us up.
    auto const fd = open_at(path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
    if (!fd.open()) return errno_error(errno, format("opening {}", path));
    std::string text;
    std::array<char, 16384> buffer{};
    while (true) {
        auto const got = ::read(fd.get(), buffer.data(), buffer.size());
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return errno_error(errno, format("reading {}", path));
        if (got == 0) return text;
        text.append(buffer.data(), static_cast<std::size_t>(got));
        if (static_cast<std::int64_t>(text.size()) > max.count)
            return Error{Errc::TooLarge, format("{} is larger than {}", path, human(max))};
    }
}

Result<std::vector<std::string>> RootedFiles::list(std::string const& path) const {
    auto fd = open_at(path, O_RDONLY | O_DIRECTORY);
    if (!fd.open()) return errno_error(errno, format("listing {}", path));
    std::unique_ptr<DIR, CloseListing> const dir{::fdopendir(fd.get())};
    if (!dir) return errno_error(errno, format("listing {}", path));
    (void)fd.release();
    std::vector<std::string> names;
    // NOLINTNEXTLINE(concurrency-mt-unsafe): readdir on a stream of our own
    while (auto const* entry = (errno = 0, ::readdir(dir.get()))) {
        std::string name{entry->d_name};
        if (name != "." && name != "..") names.push_back(std::move(name));
    }
    if (errno != 0) return errno_error(errno, format("listing {}", path));  // half a list is none
    std::sort(names.begin(), names.end());
    return names;
}

std::optional<std::string> RootedFiles::link(std::string const& path) const {
    auto const fd = open_at(path, O_PATH | O_NOFOLLOW);
    if (!fd.open()) return std::nullopt;
    std::string target(4096, '\0');
    auto const size = ::readlinkat(fd.get(), "", target.data(), target.size());
    if (size < 0) return std::nullopt;
    target.resize(static_cast<std::size_t>(size));
    return target;
}

bool RootedFiles::exists(std::string const& path) const { return open_at(path, O_PATH).open(); }

}  // namespace hal0::os
