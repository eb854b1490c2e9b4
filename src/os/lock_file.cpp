#include "os/lock_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "base/format.hpp"
#include "os/file.hpp"

namespace hal0::os {
namespace {

struct flock whole_file(short type) {
    struct flock lock{};
    lock.l_type = type;
    lock.l_whence = SEEK_SET;
    return lock;
}

bool is_file_at(int fd, std::string const& path) {
    struct stat held{};
    struct stat there{};
    return ::fstat(fd, &held) == 0 && ::stat(path.c_str(), &there) == 0 && held.st_ino == there.st_ino &&
           held.st_dev == there.st_dev;
}

UniqueFd open_lock(std::string const& path) {
    return UniqueFd{::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600)};
}

}  // namespace

Result<LockFile> LockFile::acquire(std::string const& path) {
    while (true) {
        auto fd = open_lock(path);
        if (!fd.open()) return errno_error(errno, format("opening the lock file {}", path));
        auto lock = whole_file(F_WRLCK);
        if (::fcntl(fd.get(), F_SETLK, &lock) == 0) {
            if (is_file_at(fd.get(), path)) return LockFile{std::move(fd)};
            continue;  // it was removed or replaced since we opened it: nobody else would see this lock
        }
        if (errno != EACCES && errno != EAGAIN) return errno_error(errno, format("locking {}", path));
        lock = whole_file(F_WRLCK);
        if (::fcntl(fd.get(), F_GETLK, &lock) == 0 && lock.l_type != F_UNLCK && lock.l_pid > 0) {
            return Error{Errc::Conflict, format("{} is held by process {}", path, lock.l_pid)}.with(
                "pid", format("{}", lock.l_pid));
        }
        return Error{Errc::Conflict, format("{} is held by another process", path)};
    }
}

Result<LockFile> LockFile::wait(std::string const& path, Held const& held) {
    auto at_once = acquire(path);
    if (at_once || at_once.error().kind != Errc::Conflict) return at_once;
    if (held) {
        auto const& details = at_once.error().details;
        held(details.empty() ? "another process" : "process " + details.front().value);
    }
    while (true) {
        auto fd = open_lock(path);
        if (!fd.open()) return errno_error(errno, format("opening the lock file {}", path));
        auto lock = whole_file(F_WRLCK);
        if (::fcntl(fd.get(), F_SETLKW, &lock) == 0) {
            if (is_file_at(fd.get(), path)) return LockFile{std::move(fd)};
        } else if (errno != EINTR) {
            return errno_error(errno, format("waiting for the lock {}", path));
        }
    }
}

void LockFile::keep_across_exec() { ::fcntl(fd_.get(), F_SETFD, 0); }

Result<std::optional<int>> LockFile::holder(std::string const& path) {
    UniqueFd const fd{::open(path.c_str(), O_RDWR | O_CLOEXEC)};
    if (!fd.open()) {
        if (errno == ENOENT) return std::optional<int>{};
        return errno_error(errno, format("opening the lock file {}", path));
    }
    auto lock = whole_file(F_WRLCK);
    if (::fcntl(fd.get(), F_GETLK, &lock) != 0)
        return errno_error(errno, format("asking who holds {}", path));
    if (lock.l_type == F_UNLCK) return std::optional<int>{};
    // 0: a process of another PID namespace, a container's (F_GETLK in fcntl(2)).
    if (lock.l_pid <= 0)
        return Error{Errc::Conflict, format("{} is held by a process that can't be seen from here", path)};
    return std::optional<int>{lock.l_pid};
}

}  // namespace hal0::os
