#include "app/library.hpp"

#include <gtest/gtest.h>

#include "engines/lock.hpp"
#include "os/file.hpp"
#include "os/test_dir.hpp"

namespace hal0::app {
namespace {

void install(std::string const& cache, std::string const& version) {
    auto const directory = cache + "/engines/llama.cpp/" + version + "-k";
    ASSERT_TRUE(os::make_directories(directory));
    ASSERT_TRUE(os::atomic_write(
        directory + "/engine.json",
        engines::encode({.id = "llama.cpp", .version = version, .key = "k", .backend = "cpu"})));
}

// A hal0 that pins a newer engine must not take an older one for it.
TEST(Library, OnlyThePinnedVersionOfAnEngineIsCurrent) {
    os::TestDir const dir;
    auto const pinned = engines::known_engine("llama.cpp")->version;
    Library const library{{.cache = dir.path()}, {dir / "models"}};
    install(dir.path(), "1");
    EXPECT_FALSE(library.engine("llama.cpp")->current);
    auto const before = library.engines();
    ASSERT_EQ(before.size(), 2U);
    EXPECT_EQ(before[0].state, "installed");
    EXPECT_FALSE(before[0].current);
    EXPECT_EQ(before[1].state, "available");
    EXPECT_TRUE(before[1].current);
    install(dir.path(), pinned);
    EXPECT_TRUE(library.engine("llama.cpp")->current);
    auto const after = library.engines();
    ASSERT_EQ(after.size(), 2U);
    EXPECT_TRUE(after[0].current);
    EXPECT_FALSE(after[1].current);
}

}  // namespace
}  // namespace hal0::app
