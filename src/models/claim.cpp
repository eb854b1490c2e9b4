#include "models/claim.hpp"

#include <utility>

#include "os/file.hpp"

namespace hal0::models {

Result<Claim> Claim::take(std::string path, std::string const& what) {
    auto lock = os::LockFile::acquire(path);
    if (lock) return Claim{std::move(path), std::move(lock).value()};
    auto error = std::move(lock).error();
    if (error.kind == Errc::Conflict) return in_context(what, std::move(error));
    return error;
}

Claim::Claim(Claim&& other) noexcept : path_{std::exchange(other.path_, {})}, lock_{std::move(other.lock_)} {}

// The file goes while the lock is held, so that nobody's claim is taken away.
Claim::~Claim() {
    if (!path_.empty()) (void)os::remove_file(path_);
}

}  // namespace hal0::models
