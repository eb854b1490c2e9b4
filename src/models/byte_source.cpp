#include "models/byte_source.hpp"

#include <utility>

#include "base/format.hpp"
#include "os/file.hpp"

namespace hal0::models {
namespace {

class FileSource final : public ByteSource {
  public:
    FileSource(os::UniqueFd fd, Bytes size) : fd_{std::move(fd)}, size_{size} {}
    [[nodiscard]] Bytes size() const override { return size_; }
    [[nodiscard]] Pieces pieces() const override { return file_pieces; }
    Result<std::string> read(Bytes offset, Bytes count) override { return os::read_at(fd_, offset, count); }

  private:
    os::UniqueFd fd_;
    Bytes size_;
};

}  // namespace

Result<std::unique_ptr<ByteSource>> open_file_source(std::string const& path) {
    HAL0_TRY(status, os::status(path));
    if (status.kind != os::FileKind::Regular) return Error{Errc::Invalid, format("{} is not a file", path)};
    HAL0_TRY(fd, os::open_read(path));
    return std::unique_ptr<ByteSource>{std::make_unique<FileSource>(std::move(fd), status.size)};
}

}  // namespace hal0::models
