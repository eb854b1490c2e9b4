// The part of os/file.hpp that walks directories.
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <string_view>

#include "base/format.hpp"
#include "os/file.hpp"

namespace hal0::os {
namespace {

struct CloseDir {
    void operator()(DIR* dir) const { ::closedir(dir); }
};
using Dir = std::unique_ptr<DIR, CloseDir>;

Dir open_dir(int parent, char const* name) {
    int const fd = ::openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0) return nullptr;
    Dir dir{::fdopendir(fd)};
    if (!dir) ::close(fd);
    return dir;
}

bool is_dots(char const* name) { return std::string_view{name} == "." || std::string_view{name} == ".."; }

Result<void> remove_at(int parent, char const* name, std::string const& shown) {
    if (::unlinkat(parent, name, 0) == 0 || errno == ENOENT) return {};
    if (errno != EISDIR && errno != EPERM) return errno_error(errno, format("removing {}", shown));
    auto const dir = open_dir(parent, name);
    if (!dir) return errno_error(errno, format("removing {}", shown));
    // NOLINTNEXTLINE(concurrency-mt-unsafe): readdir on a stream of our own
    while (auto const* entry = ::readdir(dir.get())) {
        if (is_dots(entry->d_name)) continue;
        HAL0_CHECK(remove_at(::dirfd(dir.get()), entry->d_name, join_path(shown, entry->d_name)));
    }
    if (::unlinkat(parent, name, AT_REMOVEDIR) != 0) return errno_error(errno, format("removing {}", shown));
    return {};
}

}  // namespace

Result<void> make_directories(std::string const& path, std::uint32_t mode) {
    if (::mkdir(path.c_str(), mode) == 0) return {};
    if (errno == EEXIST) {
        HAL0_TRY(found, status(path));
        if (found.kind == FileKind::Directory) return {};
        return Error{Errc::Conflict, format("{} is in the way: not a directory", path)};
    }
    if (errno != ENOENT) return errno_error(errno, format("creating the directory {}", path));
    auto const parent = directory_of(path);
    if (parent == path) return errno_error(ENOENT, format("creating the directory {}", path));
    HAL0_CHECK(make_directories(parent, 0755));
    if (::mkdir(path.c_str(), mode) != 0 && errno != EEXIST) {
        return errno_error(errno, format("creating the directory {}", path));
    }
    return {};
}

Result<std::vector<std::string>> list_directory(std::string const& path) {
    Dir const dir{::opendir(path.c_str())};
    if (!dir) return errno_error(errno, format("listing {}", path));
    std::vector<std::string> names;
    // NOLINTNEXTLINE(concurrency-mt-unsafe): readdir on a stream of our own
    while (auto const* entry = (errno = 0, ::readdir(dir.get()))) {
        if (!is_dots(entry->d_name)) names.emplace_back(entry->d_name);
    }
    if (errno != 0) return errno_error(errno, format("listing {}", path));  // half a list is none
    std::sort(names.begin(), names.end());
    return names;
}

Result<void> remove_tree(std::string const& path) { return remove_at(AT_FDCWD, path.c_str(), path); }

}  // namespace hal0::os
