#include "os/log_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "base/format.hpp"
#include "os/file.hpp"

namespace hal0::os {

Result<void> shorten_log(std::string const& path, Bytes max) {
    HAL0_TRY(found, status(path));
    if (found.kind != FileKind::Regular || found.size <= max) return {};
    HAL0_TRY(log, open_read(path));
    HAL0_TRY(tail, read_at(log, found.size - max, max));
    tail.erase(0, tail.find('\n') + 1);  // the line that was cut, if it has an end at all
    auto const kept = path + ".1";
    HAL0_CHECK(atomic_write(kept, tail, found.mode));
    // What came during that. What comes between this and the cut is lost: a line, if anything.
    HAL0_TRY(rest, read_at(log, found.size, max));
    HAL0_TRY(end, open_append(kept));
    HAL0_CHECK(write_all(end.get(), rest, kept));
    if (::truncate(path.c_str(), 0) != 0) return errno_error(errno, format("emptying {}", path));
    return {};
}

bool appends_to(int fd, std::string const& path) {
    int const flags = ::fcntl(fd, F_GETFL);
    if (flags < 0 || (flags & O_APPEND) == 0) return false;
    struct stat own{}, named{};
    if (::fstat(fd, &own) != 0 || ::stat(path.c_str(), &named) != 0) return false;
    return own.st_ino == named.st_ino && own.st_dev == named.st_dev;
}

}  // namespace hal0::os
