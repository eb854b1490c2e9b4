#include "os/private_file.hpp"

#include <gtest/gtest.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/format.hpp"
#include "os/console.hpp"
#include "os/file.hpp"
#include "os/test_dir.hpp"

namespace hal0::os {
namespace {

TEST(PrivateFile, OneThatOthersCanReadIsRefusedWithWhatMendsIt) {
    TestDir dir;
    auto const path = dir / "secret";
    ASSERT_TRUE(atomic_write(path, "s", 0600).ok());
    auto const fd = open_private(path);
    ASSERT_TRUE(fd.ok()) << fd.error().message;
    EXPECT_EQ(read_to_end(fd->get(), 1_KiB).value(), "s");
    for (unsigned const mode : {0640U, 0604U, 0620U, 0644U}) {
        ASSERT_EQ(::chmod(path.c_str(), mode), 0);
        auto const refused = open_private(path);
        ASSERT_FALSE(refused.ok()) << mode;
        EXPECT_EQ(refused.error().kind, Errc::Forbidden);
        EXPECT_NE(refused.error().message.find(format("its mode is {:04o}", mode)), std::string::npos);
        EXPECT_NE(refused.error().message.find("'chmod 600 " + path + "'"), std::string::npos);
    }
    ASSERT_EQ(::chmod(path.c_str(), 0400), 0);
    EXPECT_TRUE(open_private(path).ok()) << "stricter is fine";
}

TEST(PrivateFile, WhatIsNoFileOfThisUsersIsRefused) {
    TestDir dir;
    EXPECT_EQ(open_private(dir / "none").error().kind, Errc::NotFound);
    EXPECT_EQ(open_private(dir.path()).error().kind, Errc::Invalid);
    ASSERT_EQ(::mkfifo((dir / "pipe").c_str(), 0600), 0);
    EXPECT_EQ(open_private(dir / "pipe").error().kind, Errc::Invalid) << "and it didn't wait for a writer";
    if (::geteuid() != 0) GTEST_SKIP() << "only root can give a file away";
    ASSERT_TRUE(atomic_write(dir / "other", "s", 0600).ok());
    ASSERT_EQ(::chown((dir / "other").c_str(), 1234, 1234), 0);
    auto const refused = open_private(dir / "other");
    ASSERT_FALSE(refused.ok());
    EXPECT_EQ(refused.error().kind, Errc::Forbidden);
    EXPECT_NE(refused.error().message.find("'sudo chown 0 "), std::string::npos) << refused.error().message;
}

TEST(PrivateFile, AHiddenProcessLeavesNoCore) {
    auto const pid = ::fork();
    if (pid == 0) {
        bool const hidden = hide_memory().ok() && ::prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 0;
        rlimit core{};
        ::getrlimit(RLIMIT_CORE, &core);
        ::_exit(hidden && core.rlim_max == 0 ? 0 : 1);
    }
    int status = -1;
    ASSERT_EQ(::waitpid(pid, &status, 0), pid);
    EXPECT_EQ(status, 0);
}

}  // namespace
}  // namespace hal0::os
