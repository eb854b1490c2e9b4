// The hashing of os/file.hpp, by nettle (it uses the CPU's SHA instructions where there are any).
#include <fcntl.h>
#include <nettle/sha2.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <vector>

#include "base/format.hpp"
#include "os/file.hpp"

namespace hal0::os {

Result<std::string> sha256_of(std::string const& path, std::function<void(Bytes)> const& progress) {
    HAL0_TRY(fd, open_read(path));
    ::posix_fadvise(fd.get(), 0, 0, POSIX_FADV_SEQUENTIAL);
    Sha256 hash;
    std::vector<char> buffer(std::size_t{1} << 20);
    Bytes done{};
    while (true) {
        auto const got = ::read(fd.get(), buffer.data(), buffer.size());
        if (got < 0) {
            if (errno == EINTR) continue;
            return errno_error(errno, format("reading {}", path));
        }
        if (got == 0) return hash.hex();
        hash.add({buffer.data(), static_cast<std::size_t>(got)});
        done += Bytes{got};
        if (progress) progress(done);
    }
}

struct Sha256::State {
    sha256_ctx context{};
};

Sha256::Sha256() : state_{std::make_unique<State>()} { ::sha256_init(&state_->context); }
Sha256::~Sha256() = default;

void Sha256::add(std::string_view bytes) {
    // NOLINTNEXTLINE: nettle takes bytes as unsigned char
    ::sha256_update(&state_->context, bytes.size(), reinterpret_cast<std::uint8_t const*>(bytes.data()));
}

std::string Sha256::hex() {
    std::array<std::uint8_t, SHA256_DIGEST_SIZE> digest{};
    ::sha256_digest(&state_->context, digest.size(), digest.data());
    std::string text;
    for (auto const byte : digest)
        text += format("{:02x}", byte);
    return text;
}

std::string sha256_hex(std::string_view bytes) {
    Sha256 hash;
    hash.add(bytes);
    return hash.hex();
}

}  // namespace hal0::os
