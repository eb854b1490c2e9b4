#pragma once
// Another process: started without a shell, watched by pidfd, so that its end is an event and never a guess
// from a closed pipe (a grandchild may hold those open).
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/no_copy.hpp"
#include "base/result.hpp"
#include "os/loop.hpp"
#include "os/unique_fd.hpp"

namespace hal0::os {

enum class Session { Own, Shared };  // Own: setsid(), so that a signal to -pid reaches the whole group

struct Command {
    std::vector<std::string> argv{};  // argv[0] is the program; looked up in PATH when it has no '/'
    std::optional<std::vector<std::string>> environment{};  // "NAME=value"; the parent's when absent
    std::string directory{};                                // the parent's when empty
    int in{-1}, out{-1}, err{-1};  // descriptors to become 0, 1, 2; -1: /dev/null for 0, the parent's else
    Session session{Session::Shared};
};

// This process's environment with those set ("NAME=value"), for Command::environment.
std::vector<std::string> environment_with(std::vector<std::string> variables);

// How a process ended. `known` is false for one that was adopted, not started, by us: the kernel tells its
// end, not its status.
struct ExitStatus {
    bool known{false};
    int code{0};    // exit code when signal is 0
    int signal{0};  // the killing signal
    bool core_dumped{false};
    [[nodiscard]] bool clean() const { return known && code == 0 && signal == 0; }
    bool operator==(ExitStatus const&) const = default;
};
// "exited with code 1", "killed by SIGKILL (9)", "ended; its status is unknown (…)".
std::string describe(ExitStatus const& status);

// A process we started or adopted. Destroying it stops the watching, never the process; one that we started
// is then not reaped until we end, so keep it until `ended` was called. `ended` may destroy it.
class Process final : NoCopy, FdHandler {
  public:
    // Reports a program that can't be executed here and now, with errno's words, not as a dead child.
    static Result<std::unique_ptr<Process>> spawn(Loop& loop, Command const& command,
                                                  std::function<void(ExitStatus)> ended);
    // A process that somebody else started, found alive by pid. Fails with NotFound when it is gone.
    static Result<std::unique_ptr<Process>> adopt(Loop& loop, int pid, std::function<void(ExitStatus)> ended);
    ~Process();

    [[nodiscard]] int pid() const { return pid_; }
    // Through the pidfd: never hits another process that got the same pid.
    Result<void> signal(int number);
    // To the whole process group of a Session::Own child; to the process alone where it leads none. From
    // within `ended` too: what the leader left behind can be killed there, and only there is the group's
    // number still sure to be its own.
    Result<void> signal_group(int number);

  private:
    Process(Loop& loop, int pid, UniqueFd pidfd, bool ours, std::function<void(ExitStatus)> ended);
    void on_ready(Ready ready) override;

    Loop& loop_;
    int pid_;
    UniqueFd pidfd_;
    bool ours_;  // started by us: its status can be waited for
    std::function<void(ExitStatus)> ended_;
    bool* destroyed_{nullptr};  // set while `ended_` runs: where to say that it destroyed this
};

// This process becomes the program argv[0] (a path), with this environment ("NAME=value"); comes back only
// with the reason why not.
Error exec_now(std::vector<std::string> const& argv, std::vector<std::string> const& environment);

// What this process writes goes to the file that `fd` is: stdout and stderr both.
Result<void> redirect_output(int fd);

// Runs a command to its end on the calling thread (no loop), its output collected up to `output_max` bytes
// (the rest is dropped) and, where wanted, handed on piece by piece. Command's out and err are not used. What
// grandchildren write after the command's end is not waited for. For the CLI and for Pool work.
struct Finished {
    ExitStatus status{};
    std::string output{};  // stdout and stderr together
};
using OnOutput = std::function<void(std::string_view piece)>;
Result<Finished> run_to_end(Command command, std::size_t output_max = std::size_t{1} << 20,
                            OnOutput const& on_output = {});

// A command that answers on its output, run beside this thread's own work; what it writes to its error stream
// is dropped. Killed with its whole session when it isn't done in time, or is no longer wanted. For Pool work
// and the CLI. Command's out, err and session are not used.
class AskedProgram final : NoCopy {
  public:
    static Result<std::unique_ptr<AskedProgram>> start(Command command);
    ~AskedProgram();
    // Waits for the end of its output. Timeout when that isn't there by `deadline`; TooLarge over
    // `output_max`; Unavailable when it died of a signal, which is named.
    Result<std::string> answer(TimePoint deadline, std::size_t output_max = std::size_t{1} << 20);

  private:
    AskedProgram(int pid, UniqueFd pidfd, UniqueFd reader);
    [[nodiscard]] bool wait_for(int fd, TimePoint deadline) const;
    void kill();

    int pid_;
    UniqueFd pidfd_;  // not open: it has been reaped
    UniqueFd reader_;
};

}  // namespace hal0::os
