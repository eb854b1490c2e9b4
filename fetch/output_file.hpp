#pragma once
// A file being written under the name PATH.part, which gets its own name only when it is whole and on disk.
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "base/units.hpp"
#include "os/unique_fd.hpp"

namespace hal0::fetch {

class OutputFile {
  public:
    enum class Begin { Anew, GoOn };  // GoOn: after what an earlier run has left
    static Result<OutputFile> open(std::string path, Begin begin);

    Result<void> write(std::string_view bytes);
    Result<void> start_anew();  // drops what is there
    Result<void> finish();      // to disk, then to its name
    [[nodiscard]] Bytes size() const { return size_; }

  private:
    OutputFile(std::string path, os::UniqueFd fd, Bytes size)
        : path_{std::move(path)}, fd_{std::move(fd)}, size_{size} {}
    [[nodiscard]] std::string part() const { return path_ + ".part"; }

    std::string path_;
    os::UniqueFd fd_;
    Bytes size_;
};

}  // namespace hal0::fetch
