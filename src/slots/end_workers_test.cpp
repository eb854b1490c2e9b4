#include "slots/end_workers.hpp"

#include <gtest/gtest.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <thread>

#include "base/format.hpp"
#include "engines/worker_spec.hpp"
#include "os/file.hpp"
#include "os/lock_file.hpp"
#include "os/test_dir.hpp"
#include "slots/run_dir.hpp"
#include "slots/workers.hpp"

namespace hal0::slots {
namespace {

using namespace std::chrono_literals;

class EndWorkers : public testing::Test {
  protected:
    // A process that holds the lock of slot `name`.
    enum class Sigterm { Ends, Ignored };
    pid_t worker(std::string const& name, Sigterm sigterm) {
        auto const run = run_dir(places, name);
        EXPECT_TRUE(os::make_directories(run.directory));
        auto const pid = ::fork();
        if (pid == 0) {
            ::setsid();
            if (sigterm == Sigterm::Ignored) ::signal(SIGTERM, SIG_IGN);
            auto const lock = os::LockFile::acquire(run.lock);
            while (true)
                ::pause();
        }
        while (os::LockFile::holder(run.lock).value() != pid)
            std::this_thread::yield();
        return pid;
    }

    os::TestDir dir{};
    os::Places places{.runtime = dir.path()};
};

TEST_F(EndWorkers, AsksThemAndCountsThem) {
    EXPECT_EQ(end_workers(places, 10s).value(), 0U);
    auto const pid = worker("primary", Sigterm::Ends);
    EXPECT_EQ(end_workers(places, 10s).value(), 1U);
    int status = 0;
    EXPECT_EQ(::waitpid(pid, &status, 0), pid);
    EXPECT_EQ(WTERMSIG(status), SIGTERM);
}

TEST_F(EndWorkers, WhoRunsAProgramIsToldByItsLockAndSpec) {
    auto const pid = worker("primary", Sigterm::Ends);
    engines::WorkerSpec spec{.argv = {"/engines/a/bin/llama-server"}, .kind = models::Kind::Chat};
    ASSERT_TRUE(os::atomic_write(run_dir(places, "primary").spec, engines::encode(spec)));
    EXPECT_EQ(slots_running_from(places, "/engines/a").value(), std::vector<std::string>{"primary"});
    EXPECT_TRUE(slots_running_from(places, "/engines/ab").value().empty());
    EXPECT_EQ(end_workers(places, 10s).value(), 1U);
    EXPECT_EQ(::waitpid(pid, nullptr, 0), pid);
    EXPECT_TRUE(slots_running_from(places, "/engines/a").value().empty()) << "its spec alone is no worker";
}

// One that waits in the kernel for good can't be had; a debugger can hold one up at its very end, where
// SIGKILL has no effect any more (ptrace(2), PTRACE_EVENT_EXIT). 'hal0 stop' must come back all the same.
TEST_F(EndWorkers, NamesOneThatDoesNotEnd) {
    auto const pid = worker("primary", Sigterm::Ignored);
    ASSERT_EQ(::ptrace(PTRACE_SEIZE, pid, nullptr, PTRACE_O_TRACEEXIT), 0);
    auto const error = end_workers(places, 10ms).error();
    EXPECT_EQ(error.kind, Errc::Timeout);
    EXPECT_TRUE(error.message.starts_with(
        format("process {} of slot 'primary' does not end, though it was killed", pid)))
        << error.message;
    ::waitpid(pid, nullptr, __WALL);  // the stop
    ::ptrace(PTRACE_DETACH, pid, nullptr, nullptr);
    ::waitpid(pid, nullptr, 0);
}

}  // namespace
}  // namespace hal0::slots
