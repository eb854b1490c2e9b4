#pragma once
// Files and directories. Paths are byte strings; every error names the path and what was being done.
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/no_copy.hpp"
#include "base/result.hpp"
#include "base/units.hpp"
#include "os/unique_fd.hpp"

namespace hal0::os {

enum class FileKind { Regular, Directory, Symlink, Socket, Other };

struct FileStatus {
    FileKind kind{FileKind::Other};
    Bytes size{};
    std::uint32_t mode{0};  // permission bits, 0777
    std::uint64_t inode{0};
    std::uint64_t device{0};      // the file system's: the same where space is shared
    std::int64_t modified_ns{0};  // since 1970
    bool operator==(FileStatus const&) const = default;
};

bool exists(std::string const& path);
Result<FileStatus> status(std::string const& path);  // follows symlinks; NotFound when absent
bool is_symlink(std::string const& path);            // also one that leads nowhere

// The whole file. TooLarge when it holds more than `max`: the limit is the caller's, always.
Result<std::string> read_file(std::string const& path, Bytes max);
// At most `count` last bytes, beginning after a line's end where one is in reach. For logs.
Result<std::string> read_tail(std::string const& path, Bytes count);

// All or nothing, and durable: temporary file beside it, fsync, rename, fsync of the directory. On any
// failure but the last's the old file stands, and no temporary is left. A symlink is replaced, not followed.
Result<void> atomic_write(std::string const& path, std::string_view content, std::uint32_t mode = 0644);

// The same for a file that is there: it keeps its permissions, and a symlink its place.
Result<void> atomic_rewrite(std::string const& path, std::string_view content);

// A symlink to `target`, in the place of whatever file is there.
Result<void> put_symlink(std::string const& target, std::string const& path);

Result<void> make_directories(std::string const& path, std::uint32_t mode = 0755);
Result<std::vector<std::string>> list_directory(std::string const& path);  // names, sorted, without . and ..
Result<void> remove_file(std::string const& path);                         // fine when it isn't there
Result<void> remove_tree(std::string const& path);  // fine when it isn't there; never follows symlinks
Result<void> rename_path(std::string const& from, std::string const& to);
Result<Bytes> free_space(std::string const& path);  // for this user, on the file system holding `path`

Result<UniqueFd> open_append(std::string const& path, std::uint32_t mode = 0640);  // creates it
Result<UniqueFd> open_read(std::string const& path);
// `count` bytes from `offset`; fewer only where the file ends before.
Result<std::string> read_at(UniqueFd const& fd, Bytes offset, Bytes count);
// All of it, to a blocking descriptor; `path` is for the error.
Result<void> write_all(int fd, std::string_view content, std::string const& path);

std::string join_path(std::string_view directory, std::string_view name);
std::string base_name(std::string_view path);
std::string directory_of(std::string_view path);

// The Error for errno `number` while `doing` something: ENOENT -> NotFound, EACCES -> Forbidden, ENOSPC ->
// NoSpace, …
Error errno_error(int number, std::string doing);

// SHA-256 (FIPS 180-4) as lower-case hex; `progress` is told the bytes done, every MiB.
class Sha256 final : NoCopy {
  public:
    Sha256();
    ~Sha256();
    void add(std::string_view bytes);
    std::string hex();  // of all that was added; begins anew

  private:
    struct State;
    std::unique_ptr<State> state_;
};
std::string sha256_hex(std::string_view bytes);
Result<std::string> sha256_of(std::string const& path, std::function<void(Bytes)> const& progress = {});

std::string random_hex(std::size_t bytes);  // from the kernel's generator; for keys and ids

}  // namespace hal0::os
