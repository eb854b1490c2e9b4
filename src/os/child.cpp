#include "os/child.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <utility>

#include "base/format.hpp"
#include "os/file.hpp"

extern char** environ;

namespace hal0::os {
namespace {

// Owns the C structures posix_spawn wants.
class SpawnPlan final : NoCopy {
  public:
    SpawnPlan() {
        ::posix_spawn_file_actions_init(&actions_);
        ::posix_spawnattr_init(&attributes_);
    }
    ~SpawnPlan() {
        ::posix_spawn_file_actions_destroy(&actions_);
        ::posix_spawnattr_destroy(&attributes_);
    }

    void prepare(Command const& command) {
        sigset_t none;
        sigset_t all;
        ::sigemptyset(&none);
        ::sigfillset(&all);
        ::posix_spawnattr_setsigmask(&attributes_, &none);
        ::posix_spawnattr_setsigdefault(&attributes_, &all);
        short flags = POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF;
        if (command.session == Session::Own) flags |= POSIX_SPAWN_SETSID;
        ::posix_spawnattr_setflags(&attributes_, flags);
        if (!command.directory.empty()) {
            ::posix_spawn_file_actions_addchdir_np(&actions_, command.directory.c_str());
        }
        if (command.in >= 0) {
            ::posix_spawn_file_actions_adddup2(&actions_, command.in, STDIN_FILENO);
        } else {
            ::posix_spawn_file_actions_addopen(&actions_, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
        }
        if (command.out >= 0) ::posix_spawn_file_actions_adddup2(&actions_, command.out, STDOUT_FILENO);
        if (command.err >= 0) ::posix_spawn_file_actions_adddup2(&actions_, command.err, STDERR_FILENO);
    }

    // glibc's posix_spawn waits for the exec and reports its failure: no dead child to explain.
    int run(Command const& command, pid_t& pid) {
        auto argv = pointers(command.argv);
        std::vector<char*> environment;
        if (command.environment) environment = pointers(*command.environment);
        return ::posix_spawnp(&pid, command.argv.front().c_str(), &actions_, &attributes_, argv.data(),
                              command.environment ? environment.data() : environ);
    }

  private:
    static std::vector<char*> pointers(std::vector<std::string> const& strings) {
        std::vector<char*> out;
        out.reserve(strings.size() + 1);
        for (auto const& text : strings)
            out.push_back(const_cast<char*>(text.c_str()));  // NOLINT: exec's type
        out.push_back(nullptr);
        return out;
    }

    posix_spawn_file_actions_t actions_{};
    posix_spawnattr_t attributes_{};
};

Result<pid_t> start(Command const& command) {
    if (command.argv.empty()) return Error{Errc::Invalid, "no program named to run"};
    SpawnPlan plan;
    plan.prepare(command);
    pid_t pid = -1;
    int const fault = plan.run(command, pid);
    if (fault != 0) return errno_error(fault, format("starting {}", command.argv.front()));
    return pid;
}

UniqueFd open_pidfd(pid_t pid) { return UniqueFd{static_cast<int>(::syscall(SYS_pidfd_open, pid, 0))}; }

ExitStatus decode(siginfo_t const& info) {
    ExitStatus status;
    status.known = true;
    if (info.si_code == CLD_EXITED) {
        status.code = info.si_status;
    } else {
        status.signal = info.si_status;
        status.core_dumped = info.si_code == CLD_DUMPED;
    }
    return status;
}

}  // namespace

std::string describe(ExitStatus const& status) {
    if (!status.known) return "ended; how is unknown (it was started by an earlier daemon)";
    if (status.signal == 0) return format("exited with code {}", status.code);
    char const* const name = ::sigabbrev_np(status.signal);
    return format("killed by SIG{} ({}){}", name != nullptr ? name : "?", status.signal,
                  status.core_dumped ? ", core dumped" : "");
}

Process::Process(Loop& loop, int pid, UniqueFd pidfd, bool ours, std::function<void(ExitStatus)> ended)
    : loop_{loop}, pid_{pid}, pidfd_{std::move(pidfd)}, ours_{ours}, ended_{std::move(ended)} {}

Process::~Process() {
    if (pidfd_.open()) loop_.unwatch(pidfd_.get(), *this);
}

Result<std::unique_ptr<Process>> Process::spawn(Loop& loop, Command const& command,
                                                std::function<void(ExitStatus)> ended) {
    HAL0_TRY(pid, start(command));
    auto pidfd = open_pidfd(pid);
    if (!pidfd.open()) {
        auto error = errno_error(errno, format("watching {} (pidfd_open)", command.argv.front()));
        ::kill(pid, SIGKILL);
        ::waitpid(pid, nullptr, 0);
        return error;
    }
    std::unique_ptr<Process> process{new Process{loop, pid, std::move(pidfd), true, std::move(ended)}};
    HAL0_CHECK(loop.watch(process->pidfd_.get(), Ready::Read, Trigger::Level, *process));
    return process;
}

Result<std::unique_ptr<Process>> Process::adopt(Loop& loop, int pid, std::function<void(ExitStatus)> ended) {
    auto pidfd = open_pidfd(pid);
    if (!pidfd.open()) {
        if (errno == ESRCH) return Error{Errc::NotFound, format("process {} is gone", pid)};
        return errno_error(errno, format("watching process {} (pidfd_open)", pid));
    }
    std::unique_ptr<Process> process{new Process{loop, pid, std::move(pidfd), false, std::move(ended)}};
    HAL0_CHECK(loop.watch(process->pidfd_.get(), Ready::Read, Trigger::Level, *process));
    return process;
}

Result<void> Process::signal(int number) {
    if (!pidfd_.open() || ::syscall(SYS_pidfd_send_signal, pidfd_.get(), number, nullptr, 0) != 0) {
        if (!pidfd_.open() || errno == ESRCH)
            return Error{Errc::NotFound, format("process {} has ended", pid_)};
        return errno_error(errno, format("signalling process {}", pid_));
    }
    return {};
}

Result<void> Process::signal_group(int number) {
    // The leader is still ours to signal (unreaped or alive), so its group id can't have been given to
    // others.
    HAL0_CHECK(signal(0));
    if (::kill(-pid_, number) != 0) return errno_error(errno, format("signalling process group {}", pid_));
    return {};
}

void Process::on_ready(Ready) {
    ExitStatus status;
    if (ours_) {
        siginfo_t info{};
        if (::waitid(static_cast<idtype_t>(P_PIDFD), static_cast<id_t>(pidfd_.get()), &info,
                     WEXITED | WNOHANG) != 0 ||
            info.si_pid == 0) {
            return;
        }
        status = decode(info);
    }
    loop_.unwatch(pidfd_.get(), *this);
    pidfd_.reset();
    auto ended = std::move(ended_);
    ended(status);  // may destroy us
}

Result<Finished> run_to_end(Command command, std::size_t output_max, OnOutput const& on_output) {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) return errno_error(errno, "creating a pipe");
    UniqueFd const reader{ends[0]};
    UniqueFd writer{ends[1]};
    command.out = command.err = writer.get();
    HAL0_TRY(pid, start(command));
    writer.reset();
    auto const pidfd = open_pidfd(pid);
    Finished finished;
    std::array<char, 16384> buffer{};
    // Until the process ends: a grandchild may hold the pipe open for ever.
    for (bool running = true; running;) {
        std::array<pollfd, 2> waits{{{reader.get(), POLLIN, 0}, {pidfd.get(), POLLIN, 0}}};
        ::poll(waits.data(), waits.size(), -1);
        running = waits[1].revents == 0;
        while (true) {
            pollfd more{reader.get(), POLLIN, 0};
            if (::poll(&more, 1, 0) <= 0 || (more.revents & POLLIN) == 0) {
                if ((more.revents & POLLHUP) != 0) ::poll(&waits[1], 1, -1), running = false;
                break;
            }
            auto const got = ::read(reader.get(), buffer.data(), buffer.size());
            if (got <= 0) break;
            std::string_view const piece{buffer.data(), static_cast<std::size_t>(got)};
            if (on_output) on_output(piece);
            finished.output += piece.substr(0, output_max - std::min(output_max, finished.output.size()));
        }
    }
    siginfo_t info{};
    if (::waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED) != 0)
        return errno_error(errno, "waiting for a process");
    finished.status = decode(info);
    return finished;
}

}  // namespace hal0::os
