#include "os/child.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <utility>

#include "base/format.hpp"
#include "os/file.hpp"

namespace hal0::os {
namespace {

// As exec wants them: each a C string, a null at the end. They point into `strings`.
std::vector<char*> pointers(std::vector<std::string> const& strings) {
    std::vector<char*> out;
    out.reserve(strings.size() + 1);
    for (auto const& text : strings)
        out.push_back(const_cast<char*>(text.c_str()));  // NOLINT: exec's type
    out.push_back(nullptr);
    return out;
}

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
        if (command.in < 0) {
            ::posix_spawn_file_actions_addopen(&actions_, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
        }
        put(command.in, STDIN_FILENO);
        put(command.out, STDOUT_FILENO);
        put(command.err, STDERR_FILENO);
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
    // One that is 0, 1 or 2 itself could be overwritten by an earlier of these steps: a copy above them is
    // used.
    void put(int fd, int target) {
        if (fd < 0) return;
        if (fd <= STDERR_FILENO) {
            copies_.emplace_back(::fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1));
            fd = copies_.back().get();
        }
        ::posix_spawn_file_actions_adddup2(&actions_, fd, target);
    }

    posix_spawn_file_actions_t actions_{};
    posix_spawnattr_t attributes_{};
    std::vector<UniqueFd> copies_{};
};

// Whoever started us may have left SIGCHLD ignored, which is inherited: then the kernel forgets how children
// end.
void keep_exit_statuses() {
    struct sigaction present{};
    ::sigaction(SIGCHLD, nullptr, &present);
    bool const ignored = present.sa_handler == SIG_IGN || (present.sa_flags & SA_NOCLDWAIT) != 0;
    if (ignored) std::signal(SIGCHLD, SIG_DFL);
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

// Waits for a child of ours and forgets it.
ExitStatus reap(pid_t pid) {
    siginfo_t info{};
    while (::waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED) != 0) {
        if (errno != EINTR) return {};  // somebody else has reaped it
    }
    return decode(info);
}

void kill_and_reap(pid_t pid) {
    ::kill(pid, SIGKILL);
    reap(pid);
}

struct Started {
    pid_t pid{-1};
    UniqueFd pidfd{};
};

Result<Started> start(Command const& command) {
    if (command.argv.empty()) return Error{Errc::Invalid, "no program named to run"};
    keep_exit_statuses();
    SpawnPlan plan;
    plan.prepare(command);
    Started started;
    int const fault = plan.run(command, started.pid);
    if (fault != 0) {
        // A missing directory fails with the same number as a missing program.
        auto const where = command.directory.empty() ? "" : format(" in {}", command.directory);
        return errno_error(fault, format("starting {}{}", command.argv.front(), where));
    }
    started.pidfd = open_pidfd(started.pid);
    if (started.pidfd.open()) return started;
    auto error = errno_error(errno, format("watching {} (pidfd_open)", command.argv.front()));
    kill_and_reap(started.pid);
    return error;
}

}  // namespace

Error exec_now(std::vector<std::string> const& argv, std::vector<std::string> const& environment) {
    if (argv.empty()) return {Errc::Invalid, "no program named to run"};
    ::execve(argv.front().c_str(), pointers(argv).data(), pointers(environment).data());
    return errno_error(errno, format("executing {}", argv.front()));
}

Result<void> redirect_output(int fd) {
    for (int const target : {STDOUT_FILENO, STDERR_FILENO}) {
        if (::dup2(fd, target) < 0) return errno_error(errno, "redirecting the output");
    }
    return {};
}

std::string describe(ExitStatus const& status) {
    if (!status.known) return "ended; its status is unknown (it was not started by this process)";
    if (status.signal == 0) return format("exited with code {}", status.code);
    char const* const name = ::sigabbrev_np(status.signal);
    return format("killed by SIG{} ({}){}", name != nullptr ? name : "?", status.signal,
                  status.core_dumped ? ", core dumped" : "");
}

Process::Process(Loop& loop, int pid, UniqueFd pidfd, bool ours, std::function<void(ExitStatus)> ended)
    : loop_{loop}, pid_{pid}, pidfd_{std::move(pidfd)}, ours_{ours}, ended_{std::move(ended)} {}

Process::~Process() {
    if (destroyed_ != nullptr) *destroyed_ = true;
    if (pidfd_.open()) loop_.unwatch(pidfd_.get(), *this);
}

Result<std::unique_ptr<Process>> Process::spawn(Loop& loop, Command const& command,
                                                std::function<void(ExitStatus)> ended) {
    HAL0_TRY(started, start(command));
    auto const pid = started.pid;
    std::unique_ptr<Process> process{
        new Process{loop, pid, std::move(started.pidfd), true, std::move(ended)}};
    auto watched = loop.watch(process->pidfd_.get(), Ready::Read, Trigger::Level, *process);
    if (!watched) {
        kill_and_reap(pid);
        return std::move(watched).error();
    }
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
    // The leader is alive or unreaped, so its group id can't have been given to others.
    HAL0_CHECK(signal(0));
    if (::kill(-pid_, number) == 0) return {};
    // No such group: it was started within another's, by a shell perhaps, which is none of ours.
    if (errno == ESRCH) return signal(number);
    return errno_error(errno, format("signalling process group {}", pid_));
}

void Process::on_ready(Ready) {
    ExitStatus status;
    if (ours_) {
        siginfo_t info{};
        // Looks, and leaves it unreaped: until `ended` has returned the pid can't become another's, so that
        // the rest of the group can still be signalled. Fails only where somebody else reaped it: status
        // unknown.
        auto const id = static_cast<id_t>(pidfd_.get());
        int const failed = ::waitid(P_PIDFD, id, &info, WEXITED | WNOHANG | WNOWAIT);
        if (failed != 0 && errno == EINTR) return;  // told again
        if (failed == 0 && info.si_pid == 0) return;
        if (failed == 0) status = decode(info);
    }
    loop_.unwatch(pidfd_.get(), *this);
    bool destroyed = false;
    destroyed_ = &destroyed;
    auto const ended = std::move(ended_);
    auto const pid = pid_;
    auto const known = status.known;
    ended(status);  // may destroy us
    if (known) reap(pid);
    if (destroyed) return;
    destroyed_ = nullptr;
    pidfd_.reset();
}

namespace {

// Reads once; what is over `output_max` is told but not kept. How much was read: 0 at the end of the stream.
std::size_t take(int fd, std::size_t output_max, OnOutput const& on_output, std::string& output) {
    std::array<char, 16384> buffer{};
    auto const got = ::read(fd, buffer.data(), buffer.size());
    if (got <= 0) return 0;
    std::string_view const piece{buffer.data(), static_cast<std::size_t>(got)};
    if (on_output) on_output(piece);
    output += piece.substr(0, output_max - std::min(output_max, output.size()));
    return piece.size();
}

// Until the process ends, not until its output does: a grandchild may hold the pipe open, or write, for ever.
void collect(int reader, int pidfd, std::size_t output_max, OnOutput const& on_output, std::string& output) {
    std::array<pollfd, 2> waits{{{reader, POLLIN, 0}, {pidfd, POLLIN, 0}}};
    while (waits[1].revents == 0) {
        waits[0].revents = waits[1].revents = 0;
        if (::poll(waits.data(), waits.size(), -1) <= 0) continue;
        if (waits[1].revents != 0) break;
        if (take(reader, output_max, on_output, output) == 0) waits[0].fd = -1;  // poll leaves it out
    }
    // What it wrote last is in the pipe already; what comes later is not its own.
    int left = 0;
    if (::ioctl(reader, FIONREAD, &left) != 0) return;
    while (left > 0) {
        auto const got = take(reader, output_max, on_output, output);
        if (got == 0) return;
        left -= static_cast<int>(got);
    }
}

}  // namespace

std::vector<std::string> environment_with(std::vector<std::string> variables) {
    auto const name_of = [](std::string_view entry) { return entry.substr(0, entry.find('=')); };
    for (char** entry = environ; *entry != nullptr; ++entry) {
        bool const set = std::any_of(variables.begin(), variables.end(), [&](std::string const& variable) {
            return name_of(variable) == name_of(*entry);
        });
        if (!set) variables.emplace_back(*entry);
    }
    return variables;
}

Result<Finished> run_to_end(Command command, std::size_t output_max, OnOutput const& on_output) {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) return errno_error(errno, "creating a pipe");
    UniqueFd const reader{ends[0]};
    UniqueFd writer{ends[1]};
    command.out = command.err = writer.get();
    HAL0_TRY(started, start(command));
    writer.reset();
    Finished finished;
    collect(reader.get(), started.pidfd.get(), output_max, on_output, finished.output);
    finished.status = reap(started.pid);
    return finished;
}

AskedProgram::AskedProgram(int pid, UniqueFd pidfd, UniqueFd reader)
    : pid_{pid}, pidfd_{std::move(pidfd)}, reader_{std::move(reader)} {}

AskedProgram::~AskedProgram() { kill(); }

Result<std::unique_ptr<AskedProgram>> AskedProgram::start(Command command) {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) return errno_error(errno, "creating a pipe");
    UniqueFd reader{ends[0]};
    UniqueFd const writer{ends[1]};
    UniqueFd const nowhere{::open("/dev/null", O_WRONLY | O_CLOEXEC)};
    command.out = writer.get();
    command.err = nowhere.get();
    command.session = Session::Own;
    HAL0_TRY(started, os::start(command));
    return std::unique_ptr<AskedProgram>{
        new AskedProgram{started.pid, std::move(started.pidfd), std::move(reader)}};
}

bool AskedProgram::wait_for(int fd, TimePoint deadline) const {
    pollfd wait{fd, POLLIN, 0};
    while (true) {
        auto const left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now()).count();
        auto const ready = ::poll(&wait, 1, static_cast<int>(std::clamp<std::int64_t>(left, 0, 60'000)));
        if (ready > 0) return true;
        if (left <= 0) return false;
    }
}

Result<std::string> AskedProgram::answer(TimePoint deadline, std::size_t output_max) {
    std::string said;
    while (wait_for(reader_.get(), deadline)) {
        if (take(reader_.get(), output_max + 1, {}, said) == 0) break;
        if (said.size() > output_max) return Error{Errc::TooLarge, "its answer is too large"};
    }
    if (!wait_for(pidfd_.get(), deadline)) return Error{Errc::Timeout, "it didn't answer in time"};
    auto const status = reap(pid_);
    pidfd_.reset();
    if (status.signal != 0) return Error{Errc::Unavailable, format("it was {}", describe(status))};
    return said;
}

// One that hangs inside a driver may not even die of SIGKILL soon: it isn't waited for longer than a moment.
// What is left then is a zombie until this process ends.
void AskedProgram::kill() {
    if (!pidfd_.open()) return;
    ::kill(-pid_, SIGKILL);
    if (wait_for(pidfd_.get(), Clock::now() + std::chrono::milliseconds{100})) reap(pid_);
    pidfd_.reset();
}

}  // namespace hal0::os
