#include "os/unique_fd.hpp"

#include <unistd.h>

namespace hal0::os {

void UniqueFd::reset(int fd) {
    // close() is not repeated on EINTR: on Linux the descriptor is gone either way (close(2)).
    if (fd_ >= 0) ::close(fd_);
    fd_ = fd;
}

}  // namespace hal0::os
