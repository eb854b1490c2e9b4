#include "os/file.hpp"

#include <fcntl.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>

#include "base/format.hpp"
#include "base/text.hpp"

namespace hal0::os {
namespace {

Errc kind_of(int number) {
    switch (number) {
        case ENOENT:
        case ESRCH:
        case ENOTDIR: return Errc::NotFound;
        case EACCES:
        case EPERM:
        case EROFS: return Errc::Forbidden;
        case EEXIST:
        case ENOTEMPTY: return Errc::Exists;
        case ENOSPC:
        case EDQUOT:
        case ENOMEM: return Errc::NoSpace;
        case EADDRINUSE:
        case EBUSY:
        case ETXTBSY: return Errc::Conflict;
        case EMFILE:
        case ENFILE:
        case EAGAIN: return Errc::Busy;
        case ECONNREFUSED:
        case ECONNRESET:
        case EPIPE:
        case ENETUNREACH:
        case EHOSTUNREACH: return Errc::Unavailable;
        case ETIMEDOUT: return Errc::Timeout;
        case EINVAL:
        case ENAMETOOLONG:
        case ELOOP:
        case EADDRNOTAVAIL:
        case EISDIR: return Errc::Invalid;
        default: return Errc::Io;
    }
}

FileKind kind_of_mode(mode_t mode) {
    if (S_ISREG(mode)) return FileKind::Regular;
    if (S_ISDIR(mode)) return FileKind::Directory;
    if (S_ISLNK(mode)) return FileKind::Symlink;
    if (S_ISSOCK(mode)) return FileKind::Socket;
    return FileKind::Other;
}

Result<void> fill_and_sync(int fd, std::string_view content, std::string const& path) {
    HAL0_CHECK(write_all(fd, content, path));
    if (::fsync(fd) != 0) return errno_error(errno, format("writing {} to disk", path));
    return {};
}

}  // namespace

Error errno_error(int number, std::string doing) {
    return Error{kind_of(number),
                 format("{}: {}", doing, std::strerror(number))};  // NOLINT: glibc's is per thread
}

Result<void> write_all(int fd, std::string_view content, std::string const& path) {
    while (!content.empty()) {
        auto const written = ::write(fd, content.data(), content.size());
        if (written < 0) {
            if (errno == EINTR) continue;
            return errno_error(errno, format("writing {}", path));
        }
        content.remove_prefix(static_cast<std::size_t>(written));
    }
    return {};
}

bool exists(std::string const& path) { return ::access(path.c_str(), F_OK) == 0; }

Result<FileStatus> status(std::string const& path) {
    struct stat st{};
    if (::stat(path.c_str(), &st) != 0) return errno_error(errno, path);
    return FileStatus{.kind = kind_of_mode(st.st_mode),
                      .size = {st.st_size},
                      .mode = st.st_mode & 0777U,
                      .inode = st.st_ino,
                      .device = st.st_dev,
                      .modified_ns = st.st_mtim.tv_sec * 1'000'000'000LL + st.st_mtim.tv_nsec};
}

bool is_symlink(std::string const& path) {
    struct stat st{};
    return ::lstat(path.c_str(), &st) == 0 && S_ISLNK(st.st_mode);
}

Result<std::string> read_file(std::string const& path, Bytes max) {
    HAL0_TRY(fd, open_read(path));
    std::string text;
    std::array<char, 65536> buffer{};
    while (true) {
        auto const got = ::read(fd.get(), buffer.data(), buffer.size());
        if (got < 0) {
            if (errno == EINTR) continue;
            return errno_error(errno, format("reading {}", path));
        }
        if (got == 0) return text;
        text.append(buffer.data(), static_cast<std::size_t>(got));
        if (static_cast<std::int64_t>(text.size()) > max.count) {
            return Error{Errc::TooLarge, format("{} is larger than {}", path, human(max))};
        }
    }
}

Result<std::string> read_tail(std::string const& path, Bytes count) {
    HAL0_TRY(fd, open_read(path));
    struct stat st{};
    if (::fstat(fd.get(), &st) != 0) return errno_error(errno, format("reading {}", path));
    // One byte more than wanted: is it a line's end, the first line is whole.
    auto const wanted = std::clamp<off_t>(count.count, 0, st.st_size);
    auto const start = std::max<off_t>(0, st.st_size - wanted - 1);
    std::string text(static_cast<std::size_t>(st.st_size - start), '\0');
    auto const got = ::pread(fd.get(), text.data(), text.size(), start);
    if (got < 0) return errno_error(errno, format("reading {}", path));
    text.resize(static_cast<std::size_t>(got));
    if (got <= wanted) return text;
    // The end of the last line is no beginning of another: a line longer than what is wanted shows its end.
    auto const line_end = text.find('\n');
    bool const begins_a_line = line_end + 1 < text.size() && line_end != std::string::npos;
    text.erase(0, begins_a_line ? line_end + 1 : 1);
    return text;
}

Result<void> atomic_write(std::string const& path, std::string_view content, std::uint32_t mode) {
    auto const temporary = format("{}.{}.tmp", path, random_hex(4));
    UniqueFd fd{::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode)};
    if (!fd.open()) return errno_error(errno, format("writing {}", path));
    ::fchmod(fd.get(), mode);  // whatever the umask
    auto filled = fill_and_sync(fd.get(), content, path);
    if (filled && ::rename(temporary.c_str(), path.c_str()) != 0)
        filled = errno_error(errno, format("writing {}", path));
    if (!filled) {
        ::unlink(temporary.c_str());
        return filled;
    }
    UniqueFd const directory{::open(directory_of(path).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
    if (directory.open() && ::fsync(directory.get()) != 0)
        return errno_error(errno, format("writing {} to disk", path));
    return {};
}

Result<void> put_symlink(std::string const& target, std::string const& path) {
    auto const temporary = format("{}.{}.tmp", path, random_hex(4));
    if (::symlink(target.c_str(), temporary.c_str()) != 0)
        return errno_error(errno, format("linking {}", path));
    if (::rename(temporary.c_str(), path.c_str()) == 0) return {};
    auto error = errno_error(errno, format("linking {}", path));
    ::unlink(temporary.c_str());
    return error;
}

Result<void> atomic_rewrite(std::string const& path, std::string_view content) {
    HAL0_TRY(present, status(path));
    std::unique_ptr<char, decltype(&std::free)> const target{::realpath(path.c_str(), nullptr), &std::free};
    if (!target) return errno_error(errno, format("following {}", path));
    return atomic_write(target.get(), content, present.mode);
}

Result<void> remove_file(std::string const& path) {
    if (::unlink(path.c_str()) != 0 && errno != ENOENT)
        return errno_error(errno, format("removing {}", path));
    return {};
}

Result<void> rename_path(std::string const& from, std::string const& to) {
    if (::rename(from.c_str(), to.c_str()) != 0)
        return errno_error(errno, format("renaming {} to {}", from, to));
    return {};
}

Result<Bytes> free_space(std::string const& path) {
    struct statvfs st{};
    if (::statvfs(path.c_str(), &st) != 0)
        return errno_error(errno, format("asking for free space at {}", path));
    return Bytes{static_cast<std::int64_t>(st.f_bavail) * static_cast<std::int64_t>(st.f_frsize)};
}

Result<UniqueFd> open_append(std::string const& path, std::uint32_t mode) {
    UniqueFd fd{::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, mode)};
    if (!fd.open()) return errno_error(errno, format("opening {}", path));
    return fd;
}

Result<UniqueFd> open_read(std::string const& path) {
    UniqueFd fd{::open(path.c_str(), O_RDONLY | O_CLOEXEC)};
    if (!fd.open()) return errno_error(errno, format("opening {}", path));
    return fd;
}

Result<std::string> read_at(UniqueFd const& fd, Bytes offset, Bytes count) {
    std::string bytes(static_cast<std::size_t>(std::max<std::int64_t>(count.count, 0)), '\0');
    std::size_t have = 0;
    while (have < bytes.size()) {
        auto const got = ::pread(fd.get(), bytes.data() + have, bytes.size() - have,
                                 offset.count + static_cast<off_t>(have));
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return errno_error(errno, "reading a file");
        if (got == 0) break;
        have += static_cast<std::size_t>(got);
    }
    bytes.resize(have);
    return bytes;
}

std::string join_path(std::string_view directory, std::string_view name) {
    std::string path{directory};
    if (!path.empty() && path.back() != '/') path += '/';
    return path += name;
}

std::string base_name(std::string_view path) {
    auto const slash = path.rfind('/');
    return std::string{slash == std::string_view::npos ? path : path.substr(slash + 1)};
}

std::string directory_of(std::string_view path) {
    auto const slash = path.rfind('/');
    if (slash == std::string_view::npos) return ".";
    return slash == 0 ? "/" : std::string{path.substr(0, slash)};
}

std::string random_hex(std::size_t bytes) {
    std::string raw(bytes, '\0');
    std::size_t have = 0;
    while (have < bytes) {
        auto const got = ::getrandom(raw.data() + have, bytes - have, 0);
        if (got > 0) have += static_cast<std::size_t>(got);
    }
    std::string hex;
    for (char const c : raw)
        hex += format("{:02x}", static_cast<unsigned char>(c));
    return hex;
}

}  // namespace hal0::os
