#pragma once
// The files of a box, to be read only: those of this machine, or those that somebody recorded elsewhere.
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/no_copy.hpp"
#include "base/result.hpp"
#include "base/units.hpp"
#include "os/unique_fd.hpp"

namespace hal0::os {

inline constexpr Bytes kernel_file_bytes_max = 64_KiB;  // of /proc and /sys, one

// Paths are absolute, as the box itself sees them.
class FileSystem {
  public:
    FileSystem() = default;
    FileSystem(FileSystem const&) = delete;
    FileSystem& operator=(FileSystem const&) = delete;
    virtual ~FileSystem() = default;

    // The whole file. A file of the kernel's may vanish between two looks (NotFound, or Io for one whose
    // device went while it was read), and may be hidden (Forbidden). TooLarge over `max`.
    [[nodiscard]] virtual Result<std::string> read(std::string const& path, Bytes max) const = 0;
    // Names, sorted, without . and ..
    [[nodiscard]] virtual Result<std::vector<std::string>> list(std::string const& path) const = 0;
    // What a symlink says, unresolved; nothing where there is none.
    [[nodiscard]] virtual std::optional<std::string> link(std::string const& path) const = 0;
    [[nodiscard]] virtual bool exists(std::string const& path) const = 0;
};

// What lies under `root`, as a process that has it for "/" would see it: absolute symlinks and ".." stay
// inside (openat2(2), RESOLVE_IN_ROOT).
class RootedFiles final : public FileSystem {
  public:
    static Result<std::unique_ptr<RootedFiles>> open(std::string const& root);

    [[nodiscard]] Result<std::string> read(std::string const& path, Bytes max) const override;
    [[nodiscard]] Result<std::vector<std::string>> list(std::string const& path) const override;
    [[nodiscard]] std::optional<std::string> link(std::string const& path) const override;
    [[nodiscard]] bool exists(std::string const& path) const override;

  private:
    explicit RootedFiles(UniqueFd root) : root_{std::move(root)} {}
    [[nodiscard]] UniqueFd open_at(std::string const& path, int flags) const;  // errno where it isn't open

    UniqueFd root_;  // not open: the machine's own "/", which needs no such care
};

}  // namespace hal0::os
