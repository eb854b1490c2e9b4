#include "engines/lock.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "base/format.hpp"

namespace hal0::engines {
namespace {

std::string const hash(64, 'a');

std::string lock_text() {
    return format(
        R"({{"schema": 1, "id": "e", "name": "E", "licence": "MIT", "version": "1", "backend": "cpu",
        "programs": ["server"], "smoke_test": ["server", "--version"],
        "prebuilt": [{{"sources": [{{"folder": "e/",
                                     "source": {{"kind": "url", "url": "https://example.org/e.tgz", "sha256": "{0}"}}}}],
                       "cpu_features": ["lm"]}}],
        "build": {{"sources": [{{"folder": "e-1.0/",
                                 "source": {{"kind": "pypi", "package": "e", "version": "1.0", "size": 7, "sha256": "{0}"}}}}],
                   "options": ["A=B"], "targets": ["server"], "output": "bin",
                   "native": true, "disk": 5, "minutes": 9}}}})",
        hash);
}

TEST(Lock, SaysHowAnEngineIsGot) {
    auto const lock = decode_lock(lock_text(), "e.json").value();
    EXPECT_EQ(lock.smoke_test, (std::vector<std::string>{"server", "--version"}));
    EXPECT_EQ(lock.prebuilt.front().sources.front().source.url, "https://example.org/e.tgz");
    EXPECT_EQ(lock.recipe.sources.front(),
              (FolderSource{{models::SourceKind::Pypi, "e", "1.0", "", Bytes{7}, hash}, "e-1.0/"}));
    EXPECT_TRUE(lock.recipe.native);
}

struct Fault {
    char const* before;
    char const* after;
    char const* told;
};

TEST(Lock, AFaultIsNamedWithItsPlace) {
    constexpr Fault faults[] = {
        {R"("schema": 1)", R"("schema": 2)", "schema 2 is newer"},
        {R"("id": "e")", R"("id": "../e")", "id must be a file name"},
        {R"("version": "1")", R"("version": "")", "version must be a file name"},
        {R"("programs": ["server"])", R"("programs": [])", "programs must not be empty"},
        {R"("smoke_test": ["server")", R"("smoke_test": ["sh")",
         "smoke_test must begin with one of the programs"},
        {R"("kind": "pypi")", R"("kind": "cargo")", "build.sources[0].source.kind must be pypi, npm or url"},
        {R"("kind": "url", )", "", "prebuilt[0].sources[0].source.kind"},
        {R"("size": 7, "sha256": "a)", R"("size": 7, "sha256": "A)",
         "build.sources[0].source.sha256 must be 64"},
        {R"("folder": "e-1.0/")", R"("folder": "e-1.0")", "build.sources[0].folder must end in '/'"},
        {R"("A=B")", R"("A")", "'A', which is not NAME=VALUE"},
        {R"("native": true)", R"("native": true, "nativ": true)", "build.nativ"},
        {R"("native": true)", R"("native": true, "additions": ["planer"])", "it has compiler and planner"},
        {R"(["lm"])", "[]", "prebuilt[0].cpu_features"},
        {R"("build")", R"("built")", "build is missing"},
    };
    for (auto const& fault : faults) {
        auto text = lock_text();
        auto const at = text.find(fault.before);
        ASSERT_NE(at, std::string::npos) << fault.before;
        text.replace(at, std::string_view{fault.before}.size(), fault.after);
        auto const lock = decode_lock(text, "e.json");
        ASSERT_FALSE(lock) << fault.after;
        EXPECT_TRUE(lock.error().message.starts_with("e.json: ")) << lock.error().message;
        EXPECT_NE(lock.error().message.find(fault.told), std::string::npos) << lock.error().message;
    }
}

TEST(KnownEngines, AreReadFromTheLockFilesInTheTree) {
    auto const llama = known_engine("llama.cpp").value();
    EXPECT_EQ(llama.programs.front(), "llama-server");
    EXPECT_EQ(llama.recipe.targets, llama.programs);
    // The build number is not in the source tree; the options must say the one that the lock names.
    auto const& options = llama.recipe.options;
    EXPECT_NE(std::find(options.begin(), options.end(), "LLAMA_BUILD_NUMBER=" + llama.version),
              options.end());
    EXPECT_EQ(llama.recipe.additions,
              (std::vector{known_addition("compiler").value(), known_addition("planner").value()}));
    EXPECT_NE(known_engine("lama").error().message.find("llama.cpp"), std::string::npos);
}

}  // namespace
}  // namespace hal0::engines
