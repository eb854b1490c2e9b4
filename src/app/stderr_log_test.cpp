#include "app/stderr_log.hpp"

#include <gtest/gtest.h>

#include <cstdlib>

#include "base/format.hpp"
#include "os/file.hpp"

namespace hal0::app {
namespace {

std::string logged() {
    testing::internal::CaptureStderr();
    StderrLog log{LogLevel::Info};
    log.write(LogLevel::Warn, "it is late");
    return testing::internal::GetCapturedStderr();
}

// The test's standard error is a file; it is the journal only where JOURNAL_STREAM names that very file.
TEST(StderrLog, SpeaksToTheJournalOnlyWhereStderrIsTheJournal) {
    ::unsetenv("JOURNAL_STREAM");
    EXPECT_TRUE(logged().ends_with("Z warning: it is late\n"));
    ::setenv("JOURNAL_STREAM", "8:12345", 1);  // of the shell that began it
    EXPECT_TRUE(logged().ends_with("Z warning: it is late\n"));

    testing::internal::CaptureStderr();
    auto const file = os::status("/proc/self/fd/2").value();
    ::setenv("JOURNAL_STREAM", format("{}:{}", file.device, file.inode).c_str(), 1);
    StderrLog{LogLevel::Info}.write(LogLevel::Warn, "it is late");
    EXPECT_EQ(testing::internal::GetCapturedStderr(), "<4>it is late\n");
    ::unsetenv("JOURNAL_STREAM");
}

}  // namespace
}  // namespace hal0::app
