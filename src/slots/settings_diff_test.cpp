#include "slots/settings_diff.hpp"

#include <gtest/gtest.h>

namespace hal0::slots {
namespace {

engines::WorkerSpec spec(std::vector<std::string> words) {
    engines::WorkerSpec made{.argv = {"/e/bin/llama-server"},
                             .engine = "llama.cpp",
                             .version = "11434",
                             .backend = "cpu",
                             .device = "cpu",
                             .model = "a"};
    made.argv.insert(made.argv.end(), words.begin(), words.end());
    return made;
}

TEST(SettingsDiff, NamesEachOptionThatDiffersOnce) {
    auto after = spec({"-c", "8192", "--threads", "2", "--no-perf", "--lora", "x", "--lora", "y"});
    after.model = "b";
    EXPECT_EQ(settings_diff(spec({"--ctx-size", "4096", "--threads", "2", "--metrics", "--perf"}), after),
              (std::vector<SettingDiff>{{"model", "a", "b"},
                                        {"--ctx-size", "4096", "8192"},
                                        {"--lora", std::nullopt, "x, y"},
                                        {"--metrics", "on", std::nullopt},
                                        {"--no-perf", "--perf", "--no-perf"}}));
}

TEST(SettingsDiff, TheSameByAnotherNameIsTheSame) {
    EXPECT_EQ(
        settings_diff(spec({"--ctx-size", "4096", "-fa", "on"}), spec({"--flash_attn", "on", "-c", "4096"})),
        std::vector<SettingDiff>{});
}

}  // namespace
}  // namespace hal0::slots
