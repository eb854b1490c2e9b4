#include "models/claim.hpp"

#include <utility>

#include "os/file.hpp"

namespace hal0::models {

Result<Claim> Claim::take(std::string path, os::LockFile::Held const& held) {
    HAL0_TRY(lock, os::LockFile::wait(path, held));
    return Claim{std::move(path), std::move(lock)};
}

Claim::Claim(Claim&& other) noexcept : path_{std::exchange(other.path_, {})}, lock_{std::move(other.lock_)} {}

// The file goes while the lock is held, so that nobody's claim is taken away.
Claim::~Claim() {
    if (!path_.empty()) (void)os::remove_file(path_);
}

}  // namespace hal0::models
