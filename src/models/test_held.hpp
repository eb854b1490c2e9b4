#pragma once
// A lock file held by another process, which dies with this object.
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <string>
#include <thread>

#include "base/no_copy.hpp"
#include "os/lock_file.hpp"

namespace hal0::models {

class HeldElsewhere final : NoCopy {
  public:
    explicit HeldElsewhere(std::string const& path) : pid_{::fork()} {
        if (pid_ == 0) {
            auto const held = os::LockFile::acquire(path);
            while (true)
                ::pause();
        }
        while (os::LockFile::holder(path).value() != pid_)
            std::this_thread::yield();
    }
    ~HeldElsewhere() {
        ::kill(pid_, SIGKILL);
        ::waitpid(pid_, nullptr, 0);
    }
    [[nodiscard]] int pid() const { return pid_; }

  private:
    pid_t pid_;
};

}  // namespace hal0::models
