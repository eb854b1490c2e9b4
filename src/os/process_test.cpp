#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include "os/child.hpp"
#include "os/lock_file.hpp"
#include "os/process_info.hpp"
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

TEST(ProcessInfo, KnowsUsAndNotTheGone) {
    EXPECT_GT(resident_bytes(::getpid()).value_or(Bytes{}).count, 1 << 20);
    EXPECT_TRUE(start_ticks(::getpid()).has_value());
    EXPECT_FALSE(resident_bytes(0x3ffffff).has_value());
}

}  // namespace
}  // namespace hal0::os
