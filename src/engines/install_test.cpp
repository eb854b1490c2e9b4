#include "engines/install.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/format.hpp"
#include "base/text.hpp"
#include "engines/build.hpp"
#include "models/fetcher.hpp"
#include "os/child.hpp"
#include "os/file.hpp"
#include "os/test_dir.hpp"

namespace hal0::engines {
namespace {

// An engine of one file, built in seconds by the same programs as a real one. Its first step writes a line to
// COUNT, its second reads GATE to the end, and its program ends with CODE.
constexpr std::string_view cmake_lists = R"(cmake_minimum_required(VERSION 3.25)
project(tiny CXX)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)
add_custom_command(OUTPUT first COMMAND echo once >> ${COUNT} COMMAND touch first)
add_custom_command(OUTPUT second DEPENDS first COMMAND cat ${GATE} > second)
add_custom_target(steps DEPENDS second)
add_executable(tiny-server main.cpp)
add_dependencies(tiny-server steps)
target_compile_definitions(tiny-server PRIVATE CODE=${CODE})
)";

class Install : public testing::Test {
  protected:
    os::TestDir dir{};
    EngineStore store{dir.path(), {"avx2", "lm"}};
    std::vector<std::string> notes{};
    std::vector<models::Progress> told{};
    InstallWorld world{
        .fetch = {.cache = dir.path(),
                  .fetch_program = HAL0_FETCH_PROGRAM,
                  .progress = [this](models::Progress const& progress) { told.push_back(progress); },
                  .note = [this](std::string const& line) { notes.push_back(line); }},
        .logs = dir / "logs",
        .now = "2025-01-31T09:30:00Z"};
    std::string const log = dir / "logs/engine-tiny.log";

    void put(std::string const& path, std::string_view text, std::uint32_t mode = 0644) {
        ASSERT_TRUE(os::make_directories(os::directory_of(path)));
        ASSERT_TRUE(os::atomic_write(path, text, mode));
    }

    // The archive of FOLDER, as if it were downloaded; of it `inner` is wanted.
    FolderSource packed(std::string const& folder, std::string const& inner = {}) {
        auto const archive = dir / (folder + ".tar.gz");
        EXPECT_TRUE(os::run_to_end({.argv = {"tar", "czf", archive, folder}, .directory = dir.path()})
                        ->status.clean());
        models::Source const source{.url = "http://0.0.0.0:1/" + folder + ".tar.gz",
                                    .sha256 = os::sha256_of(archive).value()};
        EXPECT_TRUE(os::make_directories(dir / "downloads"));
        EXPECT_TRUE(os::rename_path(archive, models::Fetcher{world.fetch}.place_of(source)));
        return {.source = source, .folder = folder + "/" + inner};
    }

    EngineLock tiny(std::vector<std::string> options = {"COUNT=/dev/null", "GATE=/dev/null", "CODE=0"}) {
        put(dir / "tiny-1/src/CMakeLists.txt", cmake_lists);
        put(dir / "tiny-1/src/main.cpp", "int main() { return CODE; }\n");
        return {.id = "tiny",
                .name = "Tiny",
                .version = "1",
                .backend = "cpu",
                .programs = {"tiny-server"},
                .smoke_test = {"tiny-server", "--version"},
                .recipe = {.sources = {packed("tiny-1", "src/")},
                           .options = std::move(options),
                           .targets = {"tiny-server"},
                           .output = "bin"}};
    }

    Prebuilt prebuilt(std::string const& folder, std::string_view script) {
        put(dir / (folder + "/tiny-server"), script, 0755);
        return {.sources = {packed(folder)}, .cpu_features = {"lm"}};
    }
};

TEST_F(Install, BuildsFromTheSourceAndASecondTimeDoesNothing) {
    auto lock = tiny();
    lock.prebuilt = {prebuilt("broken", "#!/bin/sh\nexit 1\n")};
    auto const engine = install(lock, store, world);
    ASSERT_TRUE(engine) << engine.error().message;
    ASSERT_EQ(notes.size(), 1U);
    EXPECT_NE(notes[0].find("exited with code 1"), std::string::npos) << notes[0];
    EXPECT_EQ(store.find("tiny").value(), *engine);
    EXPECT_EQ(engine->directory, format("{}/engines/tiny/1-{}", dir.path(), engine->key));
    EXPECT_TRUE(os::run_to_end({.argv = {engine->program("tiny-server")}})->status.clean());
    EXPECT_EQ(engine->built_at, world.now);
    EXPECT_FALSE(os::exists(dir / "build/tiny")) << "the build tree stays";
    ASSERT_FALSE(told.empty());
    EXPECT_TRUE(std::any_of(told.begin(), told.end(), [](auto const& p) {
        return p.step == "building Tiny 1" && p.done > 0 && p.done == p.total;
    }));

    told.clear();
    EXPECT_EQ(install(lock, store, world).value(), *engine);
    EXPECT_TRUE(told.empty());

    world.environment = [](char const*) { return std::optional<std::string>{"/nowhere"}; };
    EXPECT_EQ(install(lock, store, world).value(), *engine) << "its compiler was removed since";

    world.environment = os::environment_of_process;
    ASSERT_TRUE(os::atomic_write(engine->program("tiny-server"), ""));
    EXPECT_EQ(install(lock, store, world).value(), *engine) << "damaged, and not made again";
    EXPECT_GT(os::status(engine->program("tiny-server"))->size.count, 0);

    ASSERT_TRUE(remove(*engine, store));
    EXPECT_TRUE(store.list().empty());
    EXPECT_FALSE(os::exists(engine->directory));
}

// The engine's own tree is left as it came; a project within it reads the addition's file once more.
TEST_F(Install, WhatIsBuiltAlongIsPartOfTheEngine) {
    auto lock = tiny();
    lock.recipe.additions = {
        {.name = "own",
         .files = {{"own.cmake",
                    "include_guard(GLOBAL)\n"
                    "cmake_language(EVAL CODE \"cmake_language(DEFER CALL add_own "
                    "[[${CMAKE_CURRENT_LIST_DIR}]])\")\n"
                    "function(add_own folder)\n  add_executable(own ${folder}/main.cpp)\nendfunction()\n"},
                   {"main.cpp", "#ifdef TOLD\nint main() {}\n#endif\n"}}},
        {.name = "told", .files = {{"told.cmake", "add_compile_definitions(TOLD)\n"}}}};
    lock.recipe.targets.emplace_back("own");
    lock.programs.emplace_back("own");
    auto const engine = install(lock, store, world);
    ASSERT_TRUE(engine) << engine.error().message;
    EXPECT_TRUE(os::run_to_end({.argv = {engine->program("own")}})->status.clean());

    lock.recipe.additions[0].files[1].text = "int main() { return TOLD; }\n";
    auto const changed = install(lock, store, world);
    ASSERT_TRUE(changed) << changed.error().message;
    EXPECT_NE(changed->directory, engine->directory);
}

TEST_F(Install, AFailedStepNamesTheLogAndShowsItsEnd) {
    auto const broken = install(tiny({"COUNT=/dev/null", "GATE=/dev/null", "CODE=nonsense"}), store, world);
    ASSERT_FALSE(broken);
    EXPECT_EQ(broken.error().kind, Errc::Io);
    EXPECT_NE(broken.error().message.find("building Tiny 1 failed"), std::string::npos)
        << broken.error().message;
    EXPECT_NE(broken.error().message.find(log), std::string::npos);
    EXPECT_NE(broken.error().message.find("nonsense"), std::string::npos) << "not the compiler's own words";
    EXPECT_NE(os::read_file(log, 1_MiB)->find("-- Configuring done"), std::string::npos);
    EXPECT_TRUE(store.list().empty());
}

TEST_F(Install, WhatDoesNotRunIsNotInstalled) {
    auto const broken = install(tiny({"COUNT=/dev/null", "GATE=/dev/null", "CODE=3"}), store, world);
    ASSERT_FALSE(broken);
    EXPECT_NE(broken.error().message.find("trying Tiny 1 failed: it exited with code 3"), std::string::npos)
        << broken.error().message;
    EXPECT_TRUE(store.list().empty());
}

// In the middle of its second step the installer is killed, as by kill -9 or the end of memory. Another one
// waits for it meanwhile.
TEST_F(Install, KilledInTheMiddleTheNextGoesOnWhereItWas) {
    auto const count = dir / "count";
    auto const gate = dir / "gate";
    auto const lock = tiny({"COUNT=" + count, "GATE=" + gate, "CODE=0"});
    ASSERT_EQ(::mkfifo(gate.c_str(), 0600), 0);
    auto const child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
        (void)install(lock, store, world);
        (void)::open(gate.c_str(), O_RDONLY);  // lets the test go on and fail
        ::_exit(1);
    }
    os::UniqueFd held{::open(gate.c_str(), O_WRONLY | O_CLOEXEC)};  // waits for the step that reads it
    ASSERT_TRUE(held.open());
    EXPECT_TRUE(store.list().empty());
    bool waited = false;
    world.fetch.progress = [&](models::Progress const& progress) {
        if (progress.step != format("waiting for process {}, which installs Tiny 1", child)) return;
        waited = true;
        ::kill(child, SIGKILL);
        ::waitpid(child, nullptr, 0);
        EXPECT_TRUE(store.list().empty());
        // What it had started still reads the gate; the next one waits for its end.
        EXPECT_TRUE(os::atomic_write(gate, ""));
        EXPECT_EQ(os::read_file(count, 1_KiB).value(), "once\n");
        held.reset();
    };
    auto const engine = install(lock, store, world);
    ASSERT_TRUE(engine) << engine.error().message;
    EXPECT_TRUE(waited);
    EXPECT_EQ(os::read_file(count, 1_KiB).value(), "once\n");
}

// As by a power cut: the names of the source's files are there, what was in them is not.
TEST_F(Install, ABuildThatCantBeContinuedBeginsAnewOnce) {
    auto const count = dir / "count";
    auto const gate = dir / "gate";
    auto const lock = tiny({"COUNT=" + count, "GATE=" + gate, "CODE=0"});
    ASSERT_FALSE(install(lock, store, world)) << "there is no gate";
    auto const trees = os::list_directory(dir / "build/tiny").value();
    ASSERT_EQ(trees.size(), 1U);
    auto const source = format("{}/{}/source", dir / "build/tiny", trees.front());
    EXPECT_NE(os::read_file(log, 1_MiB)->find("$ sync --file-system " + os::directory_of(source)),
              std::string::npos);
    ASSERT_TRUE(os::atomic_write(source + "/main.cpp", ""));
    ASSERT_TRUE(os::atomic_write(gate, ""));
    auto const engine = install(lock, store, world);
    ASSERT_TRUE(engine) << engine.error().message;
    EXPECT_EQ(os::read_file(count, 1_KiB).value(), "once\nonce\n");
    EXPECT_EQ(notes,
              std::vector<std::string>{
                  "the build of Tiny 1 that was left in the middle can't be continued; it begins anew"});
    EXPECT_NE(
        os::read_file(log, 1_MiB)->find(format("$ sync --file-system {}/.build-", dir / "engines/tiny")),
        std::string::npos);
}

TEST_F(Install, TakesThePrebuiltOneThatFitsAndNeedsNoCompiler) {
    auto lock = tiny();
    auto elsewhere = prebuilt("elsewhere", "#!/bin/sh\n");
    elsewhere.cpu_features = {"asimd"};
    lock.prebuilt = {elsewhere, prebuilt("here", "#!/bin/sh\necho $0 is here\n")};
    world.environment = [](char const*) { return std::nullopt; };
    auto const engine = install(lock, store, world);
    ASSERT_TRUE(engine) << engine.error().message;
    EXPECT_EQ(engine->cpu_features, std::vector<std::string>{"lm"});
    EXPECT_NE(os::run_to_end({.argv = {engine->program("tiny-server")}})->output.find("is here"),
              std::string::npos);
    EXPECT_EQ(install(lock, store, world).value(), *engine);
}

// The maker's tarball and a package of the same have their content in different folders.
TEST_F(Install, EachSourceHasItsOwnFolder) {
    auto lock = tiny();
    auto other = prebuilt("mirrored", "#!/bin/sh\necho $0 is here\n");
    other.sources.insert(other.sources.begin(),
                         {.source = {.url = "http://0.0.0.0:1/other"}, .folder = "not/of/this/archive/"});
    lock.prebuilt = {other};
    auto const engine = install(lock, store, world);
    ASSERT_TRUE(engine) << engine.error().message;
    EXPECT_EQ(engine->cpu_features, std::vector<std::string>{"lm"});
}

TEST_F(Install, SaysHowToGetTheProgramsThatAreMissing) {
    ASSERT_TRUE(os::make_directories(dir / "bin"));
    ASSERT_EQ(::symlink("/usr/bin/c++", (dir / "bin/c++").c_str()), 0);
    world.environment = [this](char const* name) -> std::optional<std::string> {
        return name == std::string_view{"PATH"} ? std::optional{dir / "bin"} : std::nullopt;
    };
    auto const engine = install(tiny(), store, world);
    ASSERT_FALSE(engine);
    EXPECT_EQ(engine.error().kind, Errc::Unsupported);
    EXPECT_NE(engine.error().message.find("apt-get install -y cmake ninja-build"), std::string::npos)
        << engine.error().message;
}

TEST_F(Install, AnArchiveThatWasDamagedSinceIsNotLookedAt) {
    auto lock = tiny();
    put(models::Fetcher{world.fetch}.place_of(lock.recipe.sources.front().source), "another");
    EXPECT_EQ(install(lock, store, world).error().kind, Errc::Unavailable);
    ASSERT_EQ(notes.size(), 1U);
    EXPECT_NE(notes[0].find("was damaged since it was downloaded"), std::string::npos) << notes[0];
}

TEST_F(Install, AsksForRoomBeforeItBegins) {
    auto lock = tiny();
    lock.recipe.disk = Bytes{std::int64_t{1} << 60};
    auto const engine = install(lock, store, world);
    ASSERT_FALSE(engine);
    EXPECT_EQ(engine.error().kind, Errc::NoSpace);
    EXPECT_NE(engine.error().message.find("HAL0_CACHE"), std::string::npos);
}

TEST(NinjaStep, IsReadFromItsLines) {
    EXPECT_EQ(ninja_step("[17/219] Building CXX object a[1/2].o"), (NinjaStep{17, 219}));
    for (auto const* line : {"ninja: no work to do.", "FAILED: [1/2]", "[x/2] a", "[1] a", "[ABC/x] /", ""})
        EXPECT_FALSE(ninja_step(line)) << line;
}

}  // namespace
}  // namespace hal0::engines
