#include "fetch/output_file.hpp"

#include <unistd.h>

#include <cerrno>

#include "base/format.hpp"
#include "os/file.hpp"

namespace hal0::fetch {

Result<OutputFile> OutputFile::open(std::string path, Begin begin) {
    HAL0_TRY(fd, os::open_append(path + ".part", 0644));
    HAL0_TRY(status, os::status(path + ".part"));
    OutputFile file{std::move(path), std::move(fd), status.size};
    if (begin == Begin::Anew) HAL0_CHECK(file.start_anew());
    return file;
}

Result<void> OutputFile::write(std::string_view bytes) {
    while (!bytes.empty()) {
        auto const written = ::write(fd_.get(), bytes.data(), bytes.size());
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) return os::errno_error(errno, format("writing {}", part()));
        bytes.remove_prefix(static_cast<std::size_t>(written));
        size_.count += written;
    }
    return {};
}

Result<void> OutputFile::start_anew() {
    if (size_.count == 0) return {};
    if (::ftruncate(fd_.get(), 0) != 0) return os::errno_error(errno, format("emptying {}", part()));
    size_ = {};
    return {};
}

Result<void> OutputFile::finish() {
    if (::fsync(fd_.get()) != 0) return os::errno_error(errno, format("writing {} to disk", part()));
    return os::rename_path(part(), path_);
}

}  // namespace hal0::fetch
