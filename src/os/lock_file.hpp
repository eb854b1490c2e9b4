#pragma once
// A lock that says who holds it. POSIX record lock (fcntl F_SETLK): it survives exec, is not inherited by
// children, is dropped by the kernel when its holder dies, and F_GETLK names the holder's pid: after any kill
// -9 the next daemon knows what runs without trusting a pid file. Caution the kernel imposes: closing ANY
// descriptor of the file in the holding process drops the lock.
#include <functional>
#include <optional>
#include <string>

#include "base/result.hpp"
#include "os/unique_fd.hpp"

namespace hal0::os {

class LockFile {
  public:
    // Creates the file when needed. Conflict, naming the holder's pid, when another process holds it.
    static Result<LockFile> acquire(std::string const& path);
    // Waits while another holds it, until that one lets go or ends; `held` is told once, first, whose turn it
    // is: "process 123". For job processes: it blocks.
    using Held = std::function<void(std::string const& holder)>;
    static Result<LockFile> wait(std::string const& path, Held const& held = {});
    // For a process about to exec: the descriptor stays open across it, and with it the lock.
    void keep_across_exec();

    // Who holds the lock, if anybody; asks the kernel, takes nothing. Conflict when it is held out of sight
    // (in another container). Never call it in the holding process: its own descriptor's close would drop the
    // lock.
    static Result<std::optional<int>> holder(std::string const& path);

  private:
    explicit LockFile(UniqueFd fd) : fd_{std::move(fd)} {}
    UniqueFd fd_;
};

}  // namespace hal0::os
