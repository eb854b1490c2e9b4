#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <thread>

#include "os/child.hpp"
#include "os/lock_file.hpp"
#include "os/process_info.hpp"
#include "os/signals.hpp"
#include "os/test_dir.hpp"

namespace hal0::os {
namespace {

using namespace std::chrono_literals;

Command shell(std::string const& script) { return {.argv = {"/bin/sh", "-c", script}}; }

ExitStatus end_of(Command const& command) {
    auto loop = Loop::make().value();
    ExitStatus end;
    auto process = Process::spawn(*loop, command, [&](ExitStatus status) {
        end = status;
        loop->stop();
    });
    EXPECT_TRUE(process.ok()) << (process.ok() ? "" : process.error().message);
    if (process.ok()) loop->run();
    return end;
}

TEST(Process, TellsTheExitCode) {
    EXPECT_EQ(end_of(shell("exit 7")), (ExitStatus{.known = true, .code = 7}));
    EXPECT_EQ(describe(ExitStatus{.known = true, .code = 7}), "exited with code 7");
}

TEST(Process, TellsTheSignal) {
    auto const end = end_of(shell("kill -9 $$"));
    EXPECT_EQ(end.signal, SIGKILL);
    EXPECT_EQ(describe(end), "killed by SIGKILL (9)");
}

TEST(Process, AProgramThatIsNotThereIsAnErrorNotADeadChild) {
    auto loop = Loop::make().value();
    auto const process = Process::spawn(*loop, {.argv = {"/nowhere/llama-server"}}, [](ExitStatus) {});
    ASSERT_FALSE(process.ok());
    EXPECT_EQ(process.error().kind, Errc::NotFound);
    EXPECT_NE(process.error().message.find("/nowhere/llama-server"), std::string::npos);
}

TEST(Process, GivesDirectoryAndEnvironment) {
    TestDir dir;
    auto command = shell("printf '%s %s' \"$PWD\" \"$WORD\" > out");
    command.directory = dir.path();
    command.environment = {"WORD=hello"};
    EXPECT_TRUE(end_of(command).clean());
    EXPECT_EQ(read_file(dir / "out", 1_KiB).value(), dir.path() + " hello");
}

// The end of a process is its own, not the end of its output: a grandchild holds that open.
TEST(Process, EndsThoughAGrandchildHoldsItsOutput) {
    TestDir dir;
    auto out = open_append(dir / "log").value();
    auto command = shell("sleep 1000 & echo $! ; exit 3");
    command.out = out.get();
    command.session = Session::Own;
    EXPECT_EQ(end_of(command).code, 3);
    auto const grandchild = std::stoi(read_file(dir / "log", 1_KiB).value());
    EXPECT_EQ(::kill(grandchild, SIGKILL), 0);
}

TEST(Process, ASignalToTheGroupReachesGrandchildren) {
    TestDir dir;
    auto loop = Loop::make().value();
    auto out = open_append(dir / "log").value();
    auto command =
        shell("sh -c 'trap \"echo gone; exit\" TERM; echo up; while :; do sleep 0.01; done' & wait; exit 0");
    command.out = out.get();
    command.session = Session::Own;
    auto process = Process::spawn(*loop, command, [&](ExitStatus) { loop->stop(); }).value();
    auto says = [&](char const* word) {
        return read_file(dir / "log", 1_KiB).value().find(word) != std::string::npos;
    };
    while (!says("up"))
        loop->run_once(5ms);
    ASSERT_TRUE(process->signal_group(SIGTERM));
    loop->run();
    while (!says("gone"))
        loop->run_once(5ms);
    EXPECT_FALSE(process->signal(SIGTERM).ok());
}

TEST(Process, AdoptedTellsItsEndButNotHow) {
    auto loop = Loop::make().value();
    auto starter = Process::spawn(*loop, shell("exec sleep 1000"), [](ExitStatus) {}).value();
    ExitStatus end{.known = true};
    auto adopted = Process::adopt(*loop, starter->pid(), [&](ExitStatus status) {
                       end = status;
                       loop->stop();
                   }).value();
    ASSERT_TRUE(adopted->signal(SIGKILL));
    loop->run();
    EXPECT_FALSE(end.known);
    EXPECT_EQ(Process::adopt(*loop, 0x3ffffff, [](ExitStatus) {}).error().kind, Errc::NotFound);
}

// Without a reset, the kernel would reap our children itself and their status would be lost.
TEST(Process, TellsTheExitCodeThoughOurParentLeftSigchldIgnored) {
    auto const before = ::signal(SIGCHLD, SIG_IGN);
    EXPECT_EQ(end_of(shell("exit 5")), (ExitStatus{.known = true, .code = 5}));
    ::signal(SIGCHLD, before);
}

TEST(Process, ReapedBySomebodyElseItEndsWithAnUnknownStatus) {
    auto loop = Loop::make().value();
    int ends = 0;
    ExitStatus end{.known = true};
    auto process = Process::spawn(*loop, shell("exit 5"), [&](ExitStatus status) {
                       ++ends;
                       end = status;
                   }).value();
    ASSERT_EQ(::waitpid(process->pid(), nullptr, 0), process->pid());
    loop->run_once(1s);
    loop->run_once(0s);
    EXPECT_EQ(ends, 1);
    EXPECT_FALSE(end.known);
}

TEST(Process, IsReapedAndMayBeDestroyedByWhomItTells) {
    auto loop = Loop::make().value();
    std::unique_ptr<Process> process;
    process = Process::spawn(*loop, shell("exit 0"), [&](ExitStatus) {
                  process.reset();
                  loop->stop();
              }).value();
    auto const pid = process->pid();
    loop->run();
    EXPECT_EQ(::waitpid(pid, nullptr, WNOHANG), -1);  // no zombie left
}

// A worker that somebody started by hand, from a script: it leads no group, and is signalled all the same.
TEST(Process, OneThatLeadsNoGroupIsSignalledAlone) {
    auto loop = Loop::make().value();
    ExitStatus seen;
    auto process = Process::spawn(*loop, {.argv = {"sleep", "1000"}}, [&](ExitStatus status) {
                       seen = status;
                       loop->stop();
                   }).value();
    ASSERT_TRUE(process->signal_group(SIGKILL));
    loop->run();
    EXPECT_EQ(seen.signal, SIGKILL);
}

TEST(Process, WhatItsLeaderLeftBehindCanBeKilledWhenItEnds) {
    TestDir dir;
    auto loop = Loop::make().value();
    auto out = open_append(dir / "log").value();
    auto command = shell("trap '' TERM; sleep 1000 & echo $!; exit 0");
    command.out = out.get();
    command.session = Session::Own;
    std::unique_ptr<Process> process;
    process = Process::spawn(*loop, command, [&](ExitStatus) {
                  EXPECT_TRUE(process->signal_group(SIGKILL));
                  loop->stop();
              }).value();
    loop->run();
    EXPECT_FALSE(process->signal_group(SIGKILL).ok());
    auto const grandchild = std::stoi(read_file(dir / "log", 1_KiB).value());
    auto const dead = [&] {
        auto const stat = read_file("/proc/" + std::to_string(grandchild) + "/stat", 4_KiB);
        return !stat || stat->find(") Z ") != std::string::npos || stat->find(") X ") != std::string::npos;
    };
    while (!dead())
        loop->run_once(1ms);
}

TEST(Process, BeginsWithACleanSignalState) {
    auto const before = ::signal(SIGPIPE, SIG_IGN);
    sigset_t blocked;
    sigset_t old;
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGTERM);
    ASSERT_EQ(::pthread_sigmask(SIG_BLOCK, &blocked, &old), 0);
    auto const piped = end_of(shell("kill -PIPE $$"));
    auto const termed = end_of(shell("kill -TERM $$"));
    ::pthread_sigmask(SIG_SETMASK, &old, nullptr);
    ::signal(SIGPIPE, before);
    EXPECT_EQ(piped.signal, SIGPIPE);
    EXPECT_EQ(termed.signal, SIGTERM);
}

TEST(Process, InheritsNothingButItsThreeDescriptors) {
    TestDir dir;
    auto const held = open_append(dir / "held").value();
    auto const loop = Loop::make().value();
    auto const listed = run_to_end({.argv = {"/bin/ls", "-l", "/proc/self/fd"}}).value();
    EXPECT_EQ(listed.output.find(dir.path()), std::string::npos) << listed.output;
    EXPECT_EQ(listed.output.find("eventpoll"), std::string::npos) << listed.output;
    EXPECT_NE(listed.output.find("0 -> /dev/null"), std::string::npos) << listed.output;
}

// A daemon started with a closed stdin gets low numbers for its own descriptors.
TEST(Process, DescriptorsBelowThreeAreNotMixedUp) {
    TestDir dir;
    auto const out = open_append(dir / "out").value();
    auto const err = open_append(dir / "err").value();
    UniqueFd const saved_out{::fcntl(1, F_DUPFD_CLOEXEC, 3)};
    UniqueFd const saved_err{::fcntl(2, F_DUPFD_CLOEXEC, 3)};
    ::dup2(err.get(), 1);  // crossed: what is 1 here shall be 2 there
    ::dup2(out.get(), 2);
    auto command = shell("echo out; echo err >&2");
    command.out = 2;
    command.err = 1;
    auto const end = end_of(command);
    ::dup2(saved_out.get(), 1);
    ::dup2(saved_err.get(), 2);
    EXPECT_TRUE(end.clean());
    EXPECT_EQ(read_file(dir / "out", 1_KiB).value(), "out\n");
    EXPECT_EQ(read_file(dir / "err", 1_KiB).value(), "err\n");
}

TEST(Process, AFailedStartSaysWhy) {
    TestDir dir;
    auto loop = Loop::make().value();
    EXPECT_EQ(Process::spawn(*loop, {}, [](ExitStatus) {}).error().kind, Errc::Invalid);
    ASSERT_TRUE(atomic_write(dir / "data", "not a program", 0644));
    EXPECT_EQ(Process::spawn(*loop, {.argv = {dir / "data"}}, [](ExitStatus) {}).error().kind,
              Errc::Forbidden);
    auto elsewhere = shell("true");
    elsewhere.directory = dir / "gone";
    auto const failed = Process::spawn(*loop, elsewhere, [](ExitStatus) {});
    ASSERT_FALSE(failed.ok());
    EXPECT_NE(failed.error().message.find(dir / "gone"), std::string::npos) << failed.error().message;
}

TEST(RunToEnd, DoesNotWaitForAGrandchildThatWritesForEver) {
    auto command = shell("yes & echo $!; exit 3");
    command.session = Session::Own;
    auto const done = run_to_end(command, 100).value();
    EXPECT_EQ(done.status.code, 3);
    EXPECT_LE(done.output.size(), 100U);
}

TEST(RunToEnd, WaitsForAProgramThatClosedItsOutput) {
    EXPECT_EQ(run_to_end(shell("exec >&- 2>&-; read x < /dev/null; exit 6")).value().status.code, 6);
}

TEST(RunToEnd, TellsEveryPiece) {
    std::size_t told = 0;
    auto const done =
        run_to_end(shell("yes | head -c 300000"), 10, [&](auto piece) { told += piece.size(); });
    EXPECT_EQ(told, 300000U);
    EXPECT_EQ(done.value().output.size(), 10U);
}

TEST(RunToEnd, CollectsBothOutputsUpToALimit) {
    auto const done = run_to_end(shell("echo out; echo err >&2; exit 4")).value();
    EXPECT_EQ(done.output, "out\nerr\n");
    EXPECT_EQ(done.status.code, 4);
    EXPECT_EQ(run_to_end(shell("yes | head -c 100000"), 10).value().output, "y\ny\ny\ny\ny\n");
}

TEST(RunToEnd, DoesNotWaitForAGrandchildThatHoldsThePipe) {
    auto const done = run_to_end(shell("sleep 1000 & echo $!")).value();
    EXPECT_EQ(::kill(std::stoi(done.output), SIGKILL), 0);
}

TEST(Process, AnEnvironmentIsOursWithSomeOfItSet) {
    ::setenv("HAL0_TEST_KEPT", "kept", 1);
    ::setenv("HAL0_TEST_SET", "old", 1);
    auto const finished = run_to_end({.argv = {"sh", "-c", "echo $HAL0_TEST_KEPT $HAL0_TEST_SET"},
                                      .environment = environment_with({"HAL0_TEST_SET=new=er"})});
    EXPECT_EQ(finished->output, "kept new=er\n");
}

TEST(AskedProgram, AnswersOnItsOutputAlone) {
    auto const asked = std::move(AskedProgram::start(shell("echo noise >&2; echo answer"))).value();
    EXPECT_EQ(asked->answer(Clock::now() + 10s).value(), "answer\n");
}

TEST(AskedProgram, IsKilledWithItsWholeSessionWhenItsTimeIsUp) {
    TestDir const dir;
    auto asked = std::move(AskedProgram::start(shell("tail -f /dev/null & echo $! > " + dir.path() +
                                                     "/pid; echo started; wait")))
                     .value();
    EXPECT_EQ(asked->answer(Clock::now() + 200ms).error().kind, Errc::Timeout);
    asked.reset();
    auto const text = read_file(dir / "pid", 1_KiB);
    ASSERT_TRUE(text.ok());
    auto const helper = std::atoi(text->c_str());
    auto loop = Loop::make().value();
    auto const left = Process::adopt(*loop, helper, [&loop](ExitStatus) { loop->stop(); });
    if (left.ok()) loop->run();  // ends: it has been killed
}

TEST(AskedProgram, SaysHowItDied) {
    auto const crashed = std::move(AskedProgram::start(shell("kill -SEGV $$"))).value();
    auto const error = crashed->answer(Clock::now() + 10s).error();
    EXPECT_EQ(error.kind, Errc::Unavailable);
    EXPECT_EQ(error.message.substr(0, 29), "it was killed by SIGSEGV (11)");
    auto const endless = std::move(AskedProgram::start(shell("exec yes"))).value();
    EXPECT_EQ(endless->answer(Clock::now() + 10s, 1000).error().kind, Errc::TooLarge);
}

TEST(LockFile, NamesItsHolderAcrossExecAndIsFreeAfterItsDeath) {
    TestDir dir;
    auto const path = dir / "lock";
    auto loop = Loop::make().value();
    // A child of ours takes the lock, then becomes another program.
    auto const pid = ::fork();
    if (pid == 0) {
        auto lock = LockFile::acquire(path);
        if (!lock) ::_exit(1);
        lock->keep_across_exec();
        ::execl("/bin/sleep", "sleep", "1000", nullptr);
        ::_exit(1);
    }
    while (LockFile::holder(path).value() != pid ||
           read_file("/proc/" + std::to_string(pid) + "/comm", 1_KiB).value() != "sleep\n") {
        loop->run_once(1ms);
    }
    auto const second = LockFile::acquire(path);
    ASSERT_FALSE(second.ok());
    EXPECT_EQ(second.error().kind, Errc::Conflict);
    EXPECT_NE(second.error().message.find(std::to_string(pid)), std::string::npos);
    ::kill(pid, SIGKILL);
    while (LockFile::holder(path).value().has_value())
        loop->run_once(1ms);
    EXPECT_TRUE(LockFile::acquire(path).ok());
}

TEST(LockFile, IsWaitedForUntilItsHolderEnds) {
    TestDir dir;
    auto const path = dir / "lock";
    auto const pid = ::fork();
    if (pid == 0) {
        auto const lock = LockFile::acquire(path);
        while (true)
            ::pause();
    }
    while (LockFile::holder(path).value() != pid)
        std::this_thread::yield();
    std::vector<std::string> told;
    auto const lock = LockFile::wait(path, [&](std::string const& holder) {
        told.push_back(holder);
        ::kill(pid, SIGKILL);
        ::waitpid(pid, nullptr, 0);
    });
    EXPECT_TRUE(lock.ok());
    EXPECT_EQ(told, std::vector<std::string>{"process " + std::to_string(pid)});
    EXPECT_EQ(LockFile::wait(dir / "no/lock").error().kind, Errc::NotFound);
}

TEST(LockFile, IsNotInheritedAndIsGivenUpWithItsDescriptor) {
    TestDir dir;
    auto const path = dir / "lock";
    EXPECT_FALSE(LockFile::holder(path).value().has_value());  // no file
    auto const pid = ::fork();
    if (pid == 0) {
        auto kept = LockFile::acquire(path);
        if (!kept) ::_exit(1);
        auto const grandchild = ::fork();
        if (grandchild == 0) {  // knows its parent as the holder, and doesn't get the lock
            auto const again = LockFile::acquire(path);
            ::_exit(LockFile::holder(path).value() == ::getppid() && !again.ok() ? 0 : 1);
        }
        int status = 1;
        ::waitpid(grandchild, &status, 0);
        ::_exit(status == 0 ? 0 : 1);
    }
    int status = 1;
    ASSERT_EQ(::waitpid(pid, &status, 0), pid);
    EXPECT_EQ(status, 0);
    EXPECT_FALSE(LockFile::holder(path).value().has_value());
    EXPECT_EQ(LockFile::acquire(dir / "no/lock").error().kind, Errc::NotFound);
}

class Signals : public testing::Test {
  protected:
    Signals() { ::pthread_sigmask(SIG_SETMASK, nullptr, &mask_); }
    ~Signals() override {
        ::pthread_sigmask(SIG_SETMASK, &mask_, nullptr);
        ::signal(SIGPIPE, SIG_DFL);
    }
    Signals(Signals const&) = delete;
    Signals& operator=(Signals const&) = delete;

  private:
    sigset_t mask_{};
};

TEST_F(Signals, AreEventsOfTheLoop) {
    auto loop = Loop::make().value();
    std::vector<int> told;
    auto const signals = StopSignals::make(*loop, [&](int number) { told.push_back(number); }).value();
    for (int const number : {SIGHUP, SIGINT, SIGTERM}) {
        ASSERT_EQ(::raise(number), 0);
        loop->run_once(1s);
    }
    EXPECT_EQ(told, (std::vector<int>{SIGHUP, SIGINT, SIGTERM}));
    EXPECT_EQ(::raise(SIGPIPE), 0);  // ignored: we are still here
}

TEST_F(Signals, AHangupThatNohupIgnoredStaysIgnored) {
    ::signal(SIGHUP, SIG_IGN);
    auto loop = Loop::make().value();
    bool told = false;
    auto const signals = StopSignals::make(*loop, [&](int) { told = true; }).value();
    ASSERT_EQ(::raise(SIGHUP), 0);
    loop->run_once(0s);
    EXPECT_FALSE(told);
    ::signal(SIGHUP, SIG_DFL);
}

TEST_F(Signals, CtrlCIsAnEventOnlyWhileSomebodyWantsIt) {
    auto loop = Loop::make().value();
    int told = 0;
    {
        auto const interrupts = Interrupts::make(*loop, [&] { ++told; }).value();
        ASSERT_EQ(::raise(SIGINT), 0);
        loop->run_once(1s);
        EXPECT_EQ(told, 1);
    }
    EXPECT_EXIT(::raise(SIGINT), testing::KilledBySignal(SIGINT), "");
}

TEST(ProcessInfo, KnowsUsAndNotTheGone) {
    EXPECT_GT(resident_bytes(::getpid()).value_or(Bytes{}).count, 1 << 20);
    EXPECT_TRUE(start_ticks(::getpid()).has_value());
    EXPECT_FALSE(resident_bytes(0x3ffffff).has_value());
}

TEST(UsableCpus, AreNoMoreThanThisProcessMayRunOn) {
    auto const here = usable_cpus();
    EXPECT_GE(here, 1);
    EXPECT_LE(here, static_cast<int>(::sysconf(_SC_NPROCESSORS_ONLN)));
}

TEST(ProcessInfo, TheKernelTellsHowManyItEndedForWantOfMemory) {
    auto const kills = oom_kills();
    ASSERT_TRUE(kills);
    EXPECT_GE(*kills, 0);
}

}  // namespace
}  // namespace hal0::os
