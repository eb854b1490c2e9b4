#include "engines/build_key.hpp"

#include <gtest/gtest.h>

namespace hal0::engines {
namespace {

constexpr std::string_view gcc =
    "#define __GNUC__ 12\n#define __GNUC_MINOR__ 2\n#define __GNUC_PATCHLEVEL__ 0\n"
    "#define __INT8_C(c) c\n#define __AVX2__ 1\n#define __BMI__ 1\n#define __AES__ 1\n";

TEST(Compiler, IsReadFromItsMacros) {
    EXPECT_EQ(compiler_from(gcc).value(), (Compiler{"GNU 12.2.0", {"avx2", "bmi1"}}));
}

// What -march=native makes of a Bulldozer, and of what comes after AVX-512.
TEST(Compiler, WhatOnlySomeMakersHaveCountsToo) {
    EXPECT_EQ(compiler_from("#define __GNUC__ 14\n#define __FMA4__ 1\n#define __XOP__ 1\n#define __TBM__ 1\n"
                            "#define __APX_F__ 1\n")
                  ->cpu_features,
              (std::vector<std::string>{"apx", "fma4", "tbm", "xop"}));
}

TEST(Compiler, ClangIsNotTheGccItSaysItIs) {
    auto const clang = compiler_from(
        "#define __GNUC__ 4\n#define __clang__ 1\n#define __clang_major__ 19\n"
        "#define __clang_minor__ 1\n#define __clang_patchlevel__ 7\n");
    EXPECT_EQ(clang->name, "Clang 19.1.7");
    EXPECT_EQ(compiler_from("#define __TINYC__ 927\n").error().kind, Errc::Unsupported);
}

EngineLock lock() {
    return {.id = "e",
            .version = "1",
            .recipe = {.options = {"A=1", "B=2"}, .targets = {"server"}, .minutes = 3}};
}

TEST(BuildKey, ChangesWithWhatMakesAnotherBuild) {
    Compiler const compiler{"GNU 12.2.0", {"avx2"}};
    auto const key = build_key(lock(), compiler);
    EXPECT_EQ(key.size(), 12U);

    auto version = lock();
    version.version = "2";
    EXPECT_NE(build_key(version, compiler), key);
    auto options = lock();
    options.recipe.options = {"A=1", "B=3"};
    EXPECT_NE(build_key(options, compiler), key);
    auto targets = lock();
    targets.recipe.targets.emplace_back("bench");
    EXPECT_NE(build_key(targets, compiler), key);
    auto additions = lock();
    additions.recipe.additions = {{.name = "a", .files = {{"main.cpp", "int main() {}"}}}};
    EXPECT_NE(build_key(additions, compiler), key);
    auto changed = additions;
    changed.recipe.additions[0].files[0].text += "\n";
    EXPECT_NE(build_key(changed, compiler), build_key(additions, compiler));
    EXPECT_NE(build_key(lock(), {"GNU 13.1.0", {"avx2"}}), key);
    EXPECT_NE(build_key(lock(), {"GNU 12.2.0", {"avx2", "fma"}}), key);
}

TEST(BuildKey, StaysWhereTheBuildIsTheSame) {
    Compiler const compiler{"GNU 12.2.0", {"avx2"}};
    auto other = lock();
    other.recipe.options = {"B=2", "A=1"};
    other.recipe.minutes = 4;
    other.recipe.sources.push_back({.source = {.package = "from-elsewhere"}, .folder = "its-folder/"});
    EXPECT_EQ(build_key(other, compiler), build_key(lock(), compiler));
}

TEST(BuildKey, APrebuiltOneIsWhatItIsWhereverItComesFrom) {
    Prebuilt const prebuilt{.sources = {{.source = {.sha256 = "1"}, .folder = "a/"}}, .cpu_features = {"lm"}};
    auto mirrored = prebuilt;
    mirrored.sources.insert(mirrored.sources.begin(), {.source = {.sha256 = "2"}, .folder = "b/"});
    EXPECT_EQ(build_key(lock(), mirrored), build_key(lock(), prebuilt));
    auto faster = prebuilt;
    faster.cpu_features = {"avx2", "lm"};
    EXPECT_NE(build_key(lock(), faster), build_key(lock(), prebuilt));
    EXPECT_NE(build_key(lock(), Compiler{"GNU 12.2.0", {"lm"}}), build_key(lock(), prebuilt));
}

}  // namespace
}  // namespace hal0::engines
