#include "slots/end_workers.hpp"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <thread>

#include "base/format.hpp"
#include "os/file.hpp"
#include "os/lock_file.hpp"
#include "os/test_dir.hpp"
#include "slots/run_dir.hpp"

namespace hal0::slots {
namespace {

using namespace std::chrono_literals;

class EndWorkers : public testing::Test {
  protected:
    // A process that holds the lock of slot `name`; only one with a group of its own can be reached as a
    // worker.
    pid_t worker(std::string const& name, bool own_group) {
        auto const run = run_dir(places, name);
        EXPECT_TRUE(os::make_directories(run.directory));
        auto const pid = ::fork();
        if (pid == 0) {
            if (own_group) ::setsid();
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
    auto const pid = worker("primary", true);
    EXPECT_EQ(end_workers(places, 10s).value(), 1U);
    int status = 0;
    EXPECT_EQ(::waitpid(pid, &status, 0), pid);
    EXPECT_EQ(WTERMSIG(status), SIGTERM);
}

// As of one that waits in the kernel: no signal has an effect, and 'hal0 stop' must come back all the same.
TEST_F(EndWorkers, NamesOneThatDoesNotEnd) {
    auto const pid = worker("primary", false);
    auto const error = end_workers(places, 10ms).error();
    EXPECT_EQ(error.kind, Errc::Timeout);
    EXPECT_TRUE(error.message.starts_with(
        format("process {} of slot 'primary' does not end, though it was killed", pid)))
        << error.message;
    ::kill(pid, SIGKILL);
    ::waitpid(pid, nullptr, 0);
}

}  // namespace
}  // namespace hal0::slots
