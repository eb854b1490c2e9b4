// With a script in the stead of hal0-fetch, which says what it was given; the true one:
// tests/e2e/test_proxmox.py.
#include "app/host_desk.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "base/format.hpp"
#include "os/file.hpp"
#include "os/test_dir.hpp"

namespace hal0::app {
namespace {

using namespace std::chrono_literals;

class HostDeskTest : public testing::Test {
  protected:
    void configure() const { ASSERT_TRUE(os::atomic_write(dir / "proxmox.json", "the token", 0600).ok()); }
    // Appends what it was given to `record`, and says `answer`.
    void program_says(std::string_view answer) const {
        auto const script = format(
            "#!/bin/sh\necho \"$* <$(cat)> $(tr '\\0' ' ' </proc/$$/environ)\" >>{}/record\n"
            "echo '{}'\n",
            dir.path(), answer);
        ASSERT_TRUE(os::atomic_write(dir / "fetch", script, 0700).ok());
    }
    [[nodiscard]] std::string record() const { return os::read_file(dir / "record", 64_KiB).value_or(""); }
    std::optional<Result<proxmox::HostFacts>> ask(TimePoint now = Clock::now()) {
        desk.begin({.kind = "vm"}, now);
        return desk.finish();
    }

    os::TestDir dir{};
    HostDesk desk{dir.path(), dir / "fetch"};
};

constexpr std::string_view facts = R"({"node":"pve","vmid":101,"tenants":[],"warnings":[]})";

TEST_F(HostDeskTest, WithoutTheFileNothingIsAskedAndNothingIsSaid) {
    program_says(facts);
    EXPECT_FALSE(ask().has_value());
    EXPECT_EQ(record(), "");
}

TEST_F(HostDeskTest, TheFileGoesToTheChildUnreadAndNothingElseDoes) {
    configure();
    program_says(facts);
    auto const told = ask();
    ASSERT_TRUE(told && *told) << (told ? told->error().message : "nothing");
    EXPECT_EQ((*told)->node, "pve");
    EXPECT_TRUE(record().starts_with("proxmox qemu <the token> ")) << record();
    EXPECT_EQ(record().find("HOME="), std::string::npos) << record();
}

TEST_F(HostDeskTest, AnAnswerServesForFiveSecondsAndSoDoesAFailure) {
    configure();
    program_says(R"({"error":"forbidden","message":"no such token"})");
    auto const now = Clock::now();
    for (auto const later : {0s, 4s}) {
        auto const told = ask(now + later);
        ASSERT_TRUE(told && !*told);
        EXPECT_EQ(told->error(),
                  (Error{Errc::Forbidden, format("{}/proxmox.json: no such token", dir.path())}));
    }
    program_says(facts);
    EXPECT_FALSE(ask(now + 4900ms)->ok());
    EXPECT_TRUE(ask(now + 5s)->ok());
    ASSERT_TRUE(os::remove_file(dir / "proxmox.json").ok());
    EXPECT_FALSE(ask(now + 6s).has_value()) << "a file that is gone is gone at once";
}

TEST_F(HostDeskTest, AFileThatOthersCanReadGoesToNobody) {
    program_says(facts);
    configure();
    EXPECT_TRUE(ask()->ok());
    auto const asked = record();
    ASSERT_EQ(::chmod((dir / "proxmox.json").c_str(), 0644), 0);
    auto const told = ask();
    ASSERT_TRUE(told && !*told);
    EXPECT_NE(told->error().message.find("'chmod 600 "), std::string::npos) << told->error().message;
    EXPECT_EQ(record(), asked);
    ASSERT_EQ(::chmod((dir / "proxmox.json").c_str(), 0600), 0);
    EXPECT_TRUE(ask()->ok()) << "once it is mended it is asked at once";
}

TEST_F(HostDeskTest, AChildThatCantBeStartedOrSaysNothingIsAnError) {
    configure();
    auto told = ask();
    ASSERT_TRUE(told && !*told);
    EXPECT_TRUE(told->error().message.starts_with("asking Proxmox: starting ")) << told->error().message;
    program_says("");
    told = ask(Clock::now() + 10s);
    ASSERT_TRUE(told && !*told);
    EXPECT_NE(told->error().message.find("without a word"), std::string::npos) << told->error().message;
}

}  // namespace
}  // namespace hal0::app
