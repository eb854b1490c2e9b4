#include "os/file.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include "os/dir_watch.hpp"
#include "os/net.hpp"
#include "os/places.hpp"
#include "os/test_dir.hpp"

namespace hal0::os {
namespace {

using namespace std::chrono_literals;

TEST(File, ReadsUpToTheCallersLimit) {
    TestDir dir;
    ASSERT_TRUE(atomic_write(dir / "a", "12345"));
    EXPECT_EQ(read_file(dir / "a", Bytes{5}).value(), "12345");
    EXPECT_EQ(read_file(dir / "a", Bytes{4}).error().kind, Errc::TooLarge);
    EXPECT_EQ(read_file(dir / "b", Bytes{4}).error().kind, Errc::NotFound);
}

TEST(File, ReadsAPieceAndLessAtTheEnd) {
    TestDir dir;
    ASSERT_TRUE(atomic_write(dir / "a", "12345"));
    auto const fd = open_read(dir / "a");
    ASSERT_TRUE(fd);
    EXPECT_EQ(read_at(*fd, Bytes{1}, Bytes{3}).value(), "234");
    EXPECT_EQ(read_at(*fd, Bytes{3}, Bytes{3}).value(), "45");
    EXPECT_EQ(read_at(*fd, Bytes{9}, Bytes{3}).value(), "");
    EXPECT_EQ(read_at(*fd, Bytes{-1}, Bytes{3}).error().kind, Errc::Invalid);
}

TEST(File, TailBeginsAtALine) {
    TestDir dir;
    ASSERT_TRUE(atomic_write(dir / "log", "first\nsecond\nthird\n"));
    EXPECT_EQ(read_tail(dir / "log", Bytes{9}).value(), "third\n");
    EXPECT_EQ(read_tail(dir / "log", 1_KiB).value(), "first\nsecond\nthird\n");
}

TEST(File, TailKeepsAFirstLineThatIsWholeAndTheEndOfALongOne) {
    TestDir dir;
    ASSERT_TRUE(atomic_write(dir / "log", "first\nsecond\nthird\n"));
    EXPECT_EQ(read_tail(dir / "log", Bytes{6}).value(), "third\n");
    EXPECT_EQ(read_tail(dir / "log", Bytes{13}).value(), "second\nthird\n");
    EXPECT_EQ(read_tail(dir / "log", Bytes{3}).value(), "rd\n");
    EXPECT_EQ(read_tail(dir / "log", Bytes{0}).value(), "");
    EXPECT_EQ(read_tail(dir / "log", Bytes{-5}).value(), "");
    EXPECT_EQ(read_tail(dir / "log", Bytes{19}).value(), "first\nsecond\nthird\n");
    ASSERT_TRUE(atomic_write(dir / "log", "no end of line"));
    EXPECT_EQ(read_tail(dir / "log", Bytes{4}).value(), "line");
}

TEST(File, ASymlinkTakesThePlaceOfWhatIsThere) {
    TestDir const dir;
    ASSERT_TRUE(atomic_write(dir / "a", "a"));
    ASSERT_TRUE(atomic_write(dir / "link", "a file"));
    for (auto const* target : {"b", "a"})
        ASSERT_TRUE(put_symlink(dir / target, dir / "link"));
    EXPECT_TRUE(is_symlink(dir / "link"));
    EXPECT_EQ(read_file(dir / "link", 1_KiB).value(), "a");
    EXPECT_EQ(list_directory(dir.path())->size(), 2U);
    EXPECT_FALSE(put_symlink("a", dir / "nowhere/link"));
}

TEST(File, AtomicWriteReplacesWithTheWantedMode) {
    TestDir dir;
    ASSERT_TRUE(atomic_write(dir / "key", "old", 0644));
    ASSERT_TRUE(atomic_write(dir / "key", "new", 0600));
    EXPECT_EQ(read_file(dir / "key", 1_KiB).value(), "new");
    EXPECT_EQ(status(dir / "key")->mode, 0600U);
}

TEST(File, AFailedAtomicWriteLeavesTheOldFileAndNoTemporary) {
    TestDir dir;
    ASSERT_TRUE(make_directories(dir / "target/inside"));
    EXPECT_FALSE(atomic_write(dir / "target", "x").ok());  // a directory that isn't empty can't be replaced
    EXPECT_EQ(list_directory(dir.path()).value(), (std::vector<std::string>{"target"}));
    EXPECT_FALSE(atomic_write(dir / "no/such/dir", "x").ok());
}

TEST(File, RemoveTreeDoesNotFollowLinks) {
    TestDir dir;
    ASSERT_TRUE(make_directories(dir / "keep"));
    ASSERT_TRUE(atomic_write(dir / "keep/file", "x"));
    ASSERT_TRUE(make_directories(dir / "tree/deep/er"));
    ASSERT_EQ(::symlink((dir / "keep").c_str(), (dir / "tree/deep/link").c_str()), 0);
    EXPECT_TRUE(remove_tree(dir / "tree"));
    EXPECT_FALSE(exists(dir / "tree"));
    EXPECT_TRUE(exists(dir / "keep/file"));
    EXPECT_TRUE(remove_tree(dir / "tree"));
}

TEST(File, AFileInTheWayOfADirectoryIsSaid) {
    TestDir dir;
    ASSERT_TRUE(atomic_write(dir / "x", ""));
    EXPECT_EQ(make_directories(dir / "x").error().kind, Errc::Conflict);
}

TEST(Sha256, KnownVectors) {  // FIPS 180-4 examples
    EXPECT_EQ(sha256_hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    TestDir dir;
    ASSERT_TRUE(atomic_write(dir / "a", std::string(3'000'000, 'a')));
    Sha256 hash;
    for (int i = 0; i < 3; ++i)
        hash.add(std::string(1'000'000, 'a'));
    EXPECT_EQ(sha256_of(dir / "a").value(), hash.hex());
}

TEST(File, ARewriteKeepsPermissionsAndFollowsALink) {
    TestDir dir;
    ASSERT_TRUE(atomic_write(dir / "mine", "old", 0600));
    std::filesystem::create_symlink("mine", dir / "link");
    ASSERT_TRUE(atomic_rewrite(dir / "link", "new"));
    EXPECT_TRUE(is_symlink(dir / "link"));
    EXPECT_FALSE(is_symlink(dir / "mine"));
    EXPECT_EQ(read_file(dir / "mine", 1_KiB).value(), "new");
    EXPECT_EQ(status(dir / "mine")->mode, 0600U);
    EXPECT_EQ(atomic_rewrite(dir / "nothing", "x").error().kind, Errc::NotFound);
}

TEST(DirWatch, TellsWhatWasWrittenMovedAndRemoved) {
    TestDir dir;
    auto loop = Loop::make().value();
    std::vector<std::string> seen;
    auto watch = DirWatch::make(*loop, dir.path(), [&](auto const& names) { seen = names; }).value();
    ASSERT_TRUE(atomic_write(dir / "primary.toml", "x"));
    loop->run_once(1s);
    EXPECT_NE(std::find(seen.begin(), seen.end(), "primary.toml"), seen.end());
    seen.clear();
    ASSERT_TRUE(remove_file(dir / "primary.toml"));
    loop->run_once(1s);
    EXPECT_EQ(seen, (std::vector<std::string>{"primary.toml"}));
}

TEST(DirWatch, TellsEachNameOnceATurnAndNewDirectoriesToo) {
    TestDir dir;
    auto loop = Loop::make().value();
    std::vector<std::string> seen;
    auto watch = DirWatch::make(*loop, dir.path(), [&](auto const& names) { seen = names; }).value();
    for (int i = 0; i < 3; ++i)
        EXPECT_TRUE(open_append(dir / "a").ok());  // opened for writing, closed
    ASSERT_TRUE(make_directories(dir / "model"));
    loop->run_once(1s);
    EXPECT_EQ(seen, (std::vector<std::string>{"a", "model"}));
}

TEST(DirWatch, TellsLinksAndPermissionsButNoFileThatIsStillWritten) {
    TestDir dir;
    TestDir elsewhere;
    auto loop = Loop::make().value();
    std::vector<std::string> seen;
    bool all = false;
    auto const changed = [&](auto const& names) { all = names.empty(), seen = names; };
    ASSERT_TRUE(atomic_write(dir / "closed", "x", 0));
    ASSERT_TRUE(atomic_write(elsewhere / "file", "x"));
    auto watch = DirWatch::make(*loop, dir.path(), changed).value();
    std::filesystem::create_symlink("nowhere", dir / "soft");
    std::filesystem::create_hard_link(elsewhere / "file", dir / "hard");
    std::filesystem::permissions(dir / "closed", std::filesystem::perms{0600});
    auto const writing = open_append(dir / "writing").value();
    loop->run_once(1s);
    EXPECT_EQ(seen, (std::vector<std::string>{"closed", "hard", "soft"}));
    std::filesystem::permissions(dir.path(), std::filesystem::perms{0711});
    loop->run_once(1s);
    EXPECT_TRUE(all) << "what could not be read before may be read now";
}

TEST(DirWatch, SaysThatTheDirectoryWentAndMayBeReplacedThere) {
    TestDir dir;
    auto loop = Loop::make().value();
    EXPECT_EQ(DirWatch::make(*loop, dir / "slots", [](auto const&) {}).error().kind, Errc::NotFound);
    ASSERT_TRUE(make_directories(dir / "slots"));
    std::vector<std::vector<std::string>> told;
    std::unique_ptr<DirWatch> watch;
    std::string const word(100, 'x');  // on the heap: a use after its end is seen by the sanitizer
    auto const changed = [&, word](std::vector<std::string> const& names) {
        told.push_back(names);
        watch.reset();
        EXPECT_EQ(word.size(), 100U);
    };
    watch = DirWatch::make(*loop, dir / "slots", changed).value();
    ASSERT_TRUE(remove_tree(dir / "slots"));
    loop->run_once(1s);
    EXPECT_EQ(told, (std::vector<std::vector<std::string>>{{}}));
    ASSERT_TRUE(make_directories(dir / "slots"));
    watch = DirWatch::make(*loop, dir / "slots", changed).value();
    ASSERT_TRUE(atomic_write(dir / "slots/a", "x"));
    loop->run_once(1s);
    EXPECT_EQ(told.size(), 2U);
}

TEST(DirWatch, StaysQuietOnceTheDirectoryWent) {
    TestDir dir;
    auto loop = Loop::make().value();
    ASSERT_TRUE(make_directories(dir / "slots"));
    int told = 0;
    auto watch = DirWatch::make(*loop, dir / "slots", [&](auto const&) { ++told; }).value();
    ASSERT_TRUE(remove_tree(dir / "slots"));
    loop->run_once(1s);
    loop->run_once(0s);
    EXPECT_EQ(told, 1);
}

Environment environment(std::vector<std::pair<std::string, std::string>> values) {
    return [values](char const* name) -> std::optional<std::string> {
        for (auto const& [key, value] : values) {
            if (key == name) return value;
        }
        return std::nullopt;
    };
}

TEST(Places, HomeHoldsEverything) {
    auto const places = find_places(environment({{"HAL0_HOME", "/srv/my box"}}), true, 0).value();
    EXPECT_EQ(places.config, "/srv/my box/config");
    EXPECT_EQ(places.runtime, "/srv/my box/run");
    EXPECT_EQ(places.cache, "/srv/my box/cache");
}

TEST(Places, ALongHomeGetsAShortRuntimeDirectoryOfItsOwn) {
    std::string const deep = "/" + std::string(120, 'd');
    auto const one = find_places(environment({{"HAL0_HOME", deep}}), false, 7).value();
    auto const two = find_places(environment({{"HAL0_HOME", deep + "2"}}), false, 7).value();
    EXPECT_TRUE(one.runtime.starts_with("/tmp/hal0-7-")) << one.runtime;
    EXPECT_LT(one.runtime.size(), 56U);
    EXPECT_NE(one.runtime, two.runtime);
    auto const at_home =
        find_places(environment({{"HAL0_HOME", deep}, {"HOME", "/home/u"}}), false, 7).value();
    EXPECT_TRUE(at_home.runtime.starts_with("/home/u/.hal0-7-")) << "nobody clears up there";
}

TEST(Places, AlwaysLeaveRoomForTheLongestSocket) {
    std::string const deep = "/" + std::string(120, 'd');
    for (auto const& values : std::vector<std::vector<std::pair<std::string, std::string>>>{
             {{"HAL0_HOME", deep}},
             {{"HAL0_HOME", "/" + std::string(54, 'd')}},
             {{"HOME", "/home/u"}},
             {{"HAL0_HOME", deep}, {"HOME", "/" + std::string(29, 'h')}},
             {{"HAL0_HOME", deep}, {"HOME", "/" + std::string(30, 'h')}},
             {{"HOME", deep}}}) {
        auto const places = find_places(environment(values), false, 4294967295U).value();
        auto const longest = places.runtime + "/slots/" + std::string(32, 's') + "/worker.sock";
        EXPECT_LE(longest.size(), unix_path_bytes_max) << longest;
    }
}

TEST(Places, ACacheCanBeShared) {
    auto const places = find_places(environment({{"HAL0_HOME", "/h"}, {"HAL0_CACHE", "/shared/"}}), false, 0);
    EXPECT_EQ(places->cache, "/shared");
    EXPECT_EQ(places->data, "/h/data");
    EXPECT_FALSE(find_places(environment({{"HAL0_HOME", "/h"}, {"HAL0_CACHE", "here"}}), false, 0).ok());
}

TEST(Places, ARuntimeThatIsALinkIsRefused) {  // in /tmp anybody could have put it there
    TestDir dir;
    auto const places = find_places(environment({{"HAL0_HOME", dir / "h"}}), false, 0).value();
    ASSERT_TRUE(make_directories(dir / "h"));
    ASSERT_TRUE(make_directories(dir / "elsewhere"));
    ASSERT_EQ(::symlink((dir / "elsewhere").c_str(), places.runtime.c_str()), 0);
    EXPECT_EQ(make_places(places).error().kind, Errc::Forbidden);
}

TEST(Places, InstalledUsesTheSystemsElseXdg) {
    EXPECT_EQ(find_places(environment({{"HOME", "/root"}}), true, 0)->config, "/etc/hal0");
    auto const user =
        find_places(environment({{"HOME", "/home/u/"}, {"XDG_CACHE_HOME", "/fast"}}), false, 5).value();
    EXPECT_EQ(user.data, "/home/u/.local/share/hal0");
    EXPECT_EQ(user.cache, "/fast/hal0");
}

// logind removes XDG_RUNTIME_DIR at the last logout, under the feet of workers; and sudo and cron have none.
TEST(Places, TheRuntimeDirectoryStaysWhenTheUserLogsOut) {
    auto const in_session = environment({{"HOME", "/home/u"}, {"XDG_RUNTIME_DIR", "/run/user/5"}});
    auto const from_cron = environment({{"HOME", "/home/u"}});
    EXPECT_EQ(find_places(in_session, false, 5)->runtime, "/home/u/.local/state/hal0/run");
    EXPECT_EQ(find_places(from_cron, false, 5)->runtime, "/home/u/.local/state/hal0/run");
}

TEST(Places, RelativeOrMissingHomesAreRefused) {
    EXPECT_FALSE(find_places(environment({{"HAL0_HOME", "here"}}), false, 0).ok());
    EXPECT_FALSE(find_places(environment({}), false, 0).ok());
}

TEST(Places, AreMadeWithARuntimeClosedToOthers) {
    TestDir dir;
    auto const places = find_places(environment({{"HAL0_HOME", dir / "h"}}), false, 0).value();
    ASSERT_TRUE(make_directories(places.runtime, 0777));
    ASSERT_TRUE(make_places(places));
    EXPECT_EQ(status(places.runtime)->mode, 0700U);
}

}  // namespace
}  // namespace hal0::os
