#include "app/library.hpp"

#include <gtest/gtest.h>

#include "engines/lock.hpp"
#include "os/file.hpp"
#include "os/test_dir.hpp"

namespace hal0::app {
namespace {

void install(std::string const& cache, std::string const& version, std::vector<std::string> const& programs) {
    auto const directory = cache + "/engines/llama.cpp/" + version + "-k";
    ASSERT_TRUE(os::make_directories(directory + "/bin"));
    for (auto const& program : programs)
        ASSERT_TRUE(os::atomic_write(directory + "/bin/" + program, "a program"));
    ASSERT_TRUE(os::atomic_write(
        directory + "/engine.json",
        engines::encode(
            {.id = "llama.cpp", .version = version, .key = "k", .backend = "cpu", .programs = programs})));
}

// A hal0 that pins a newer engine must not take an older one for it, nor one that an older hal0 installed
// with fewer programs.
TEST(Library, OnlyThePinnedVersionOfAnEngineWithAllItsProgramsIsCurrent) {
    os::TestDir const dir;
    auto const pinned = engines::known_engine("llama.cpp").value();
    Library const library{{.cache = dir.path()}, {dir / "models"}};
    for (auto const& [version, programs] :
         {std::pair{std::string{"1"}, pinned.programs},
          std::pair{pinned.version, std::vector{pinned.programs.front()}}}) {
        install(dir.path(), version, programs);
        EXPECT_FALSE(library.engine("llama.cpp")->current) << version;
        auto const before = library.engines();
        EXPECT_EQ(before.front().state, "installed");
        EXPECT_FALSE(before.front().current);
        EXPECT_EQ(before.back().state, "available");
        EXPECT_TRUE(before.back().current);
    }
    install(dir.path(), pinned.version, pinned.programs);
    EXPECT_TRUE(library.engine("llama.cpp")->current);
    auto const after = library.engines();
    ASSERT_EQ(after.size(), 2U);
    EXPECT_TRUE(after[0].current);
    EXPECT_FALSE(after[1].current);
}

}  // namespace
}  // namespace hal0::app
