#include "os/private_file.hpp"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "base/format.hpp"
#include "os/file.hpp"

namespace hal0::os {
namespace {

constexpr mode_t others = S_IRWXG | S_IRWXO;

Result<void> check_owner(struct stat const& file, std::string const& path) {
    if (!S_ISREG(file.st_mode)) return Error{Errc::Invalid, format("{} is not a file", path)};
    if (file.st_uid != ::geteuid()) {
        return Error{
            Errc::Forbidden,
            format("{} holds a secret and belongs to the user {}, while hal0 runs as {}; 'sudo chown "
                   "{} {}' mends it",
                   path, file.st_uid, ::geteuid(), ::geteuid(), path)};
    }
    if ((file.st_mode & others) != 0) {
        return Error{
            Errc::Forbidden,
            format("{} holds a secret and its mode is {:04o}, which lets others at it; 'chmod 600 {}' "
                   "mends it",
                   path, file.st_mode & 07777U, path)};
    }
    return {};
}

}  // namespace

Result<UniqueFd> open_private(std::string const& path) {
    // One that is no file, a pipe say, must not make this wait for its other end.
    UniqueFd fd{::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)};
    if (!fd.open()) return errno_error(errno, format("opening {}", path));
    struct stat file{};
    if (::fstat(fd.get(), &file) != 0) return errno_error(errno, format("looking at {}", path));
    HAL0_CHECK(check_owner(file, path));
    return fd;
}

Result<void> hide_memory() {
    rlimit const none{0, 0};
    if (::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0 || ::setrlimit(RLIMIT_CORE, &none) != 0)
        return errno_error(errno, "hiding this process's memory");
    return {};
}

}  // namespace hal0::os
