#pragma once
// Where the bytes of a model file come from, when only some of them are wanted: a file here, or one that lies
// elsewhere and is read in ranges.
#include <memory>
#include <string>

#include "base/no_copy.hpp"
#include "base/result.hpp"
#include "base/units.hpp"

namespace hal0::models {

// How much is asked for at once by one that reads from the beginning on and doesn't know how far.
struct Pieces {
    Bytes first{};
    Bytes most{};  // each is twice as large as the one before, up to this
};
inline constexpr Pieces file_pieces{256_KiB, 1_MiB};
inline constexpr Pieces remote_pieces{1_MiB, 32_MiB};  // a request costs time, a byte too many costs less

class ByteSource : NoCopy {
  public:
    virtual ~ByteSource() = default;
    [[nodiscard]] virtual Bytes size() const = 0;
    [[nodiscard]] virtual Pieces pieces() const = 0;
    // `count` bytes from `offset`, which lie within size(); fewer when the source has shrunk.
    virtual Result<std::string> read(Bytes offset, Bytes count) = 0;
};

// Invalid when it is no regular file.
Result<std::unique_ptr<ByteSource>> open_file_source(std::string const& path);

}  // namespace hal0::models
