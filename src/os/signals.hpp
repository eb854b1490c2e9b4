#pragma once
// The signals that ask a program to stop, as events of its loop.
#include <functional>
#include <memory>

#include "base/no_copy.hpp"
#include "base/result.hpp"
#include "os/loop.hpp"

namespace hal0::os {

// Writing to a peer that has gone is then an error, not this process's end.
void ignore_broken_pipes();

class StopSignals final : NoCopy, FdHandler {
  public:
    // Blocks SIGTERM, SIGINT and SIGHUP in this thread (so: before any other thread is made) and ignores
    // SIGPIPE. SIGHUP stays ignored where it was (nohup).
    static Result<std::unique_ptr<StopSignals>> make(Loop& loop, std::function<void(int signal)> told);
    ~StopSignals();

  private:
    StopSignals(Loop& loop, UniqueFd fd, std::function<void(int)> told)
        : loop_{loop}, fd_{std::move(fd)}, told_{std::move(told)} {}
    void on_ready(Ready ready) override;

    Loop& loop_;
    UniqueFd fd_;
    std::function<void(int)> told_;
};

// SIGINT (Ctrl-C) as an event of a loop, as long as this lives; before and after it ends the program as ever.
// For commands where Ctrl-C stops an answer or a watching, not the program.
class Interrupts final : NoCopy, FdHandler {
  public:
    static Result<std::unique_ptr<Interrupts>> make(Loop& loop, std::function<void()> told);
    ~Interrupts();

  private:
    Interrupts(Loop& loop, std::function<void()> told) : loop_{loop}, told_{std::move(told)} {}
    void on_ready(Ready ready) override;

    Loop& loop_;
    UniqueFd fd_{};
    std::function<void()> told_;
    bool blocked_here_{false};  // it was not blocked before us
};

}  // namespace hal0::os
