#include "engines/arguments.hpp"

#include <gtest/gtest.h>

#include "engines/lock.hpp"

namespace hal0::engines {
namespace {

std::vector<Argument> parsed(std::vector<std::string> const& words, std::string const& from = "extra_args") {
    return parse_arguments(words, llama_server_flags(), from, Unknown::Refused).value();
}
std::string refused(std::vector<std::string> const& words) {
    return parse_arguments(words, llama_server_flags(), "extra_args", Unknown::Refused).error().message;
}

// A new engine without its flags would refuse what it takes, and take what it refuses.
TEST(Flags, AreThoseOfThePinnedEngine) {
    EXPECT_EQ(llama_server_flags().version(), known_engine("llama.cpp")->version);
    auto const* const context = llama_server_flags().find("-c");
    ASSERT_NE(context, nullptr);
    EXPECT_EQ(context->name(), "--ctx-size");
    EXPECT_EQ(context->value, "N");
    EXPECT_EQ(llama_server_flags().find("--ctx_size"), context) << "the engine takes _ for -";
    EXPECT_EQ(llama_server_flags().find("--no-mmap"), nullptr) << "gone in this build";
    EXPECT_TRUE(llama_server_flags().find("--metrics")->value.empty());
}

TEST(Arguments, AreFlagsWithTheValuesThatTheyTake) {
    EXPECT_EQ(parsed({"--temp", "-0.5", "--metrics", "-fa", "on"}),
              (std::vector<Argument>{{.flag = "--temp", .value = "-0.5", .from = "extra_args"},
                                     {.flag = "--metrics", .from = "extra_args"},
                                     {.flag = "-fa", .value = "on", .from = "extra_args"}}));
}

TEST(Arguments, WhatTheEngineHasNotIsRefusedWithWhatIsNear) {
    EXPECT_EQ(refused({"--flash-atn", "on"}), "it has no flag '--flash-atn'; did you mean '--flash-attn'?");
    EXPECT_NE(refused({"--no-mmap"}).find("it has no flag '--no-mmap'"), std::string::npos);
    EXPECT_EQ(refused({"--metrics", "on"}), "'on' is no flag, nor the value of one");
    EXPECT_EQ(refused({"--temp"}), "'--temp' lacks its value, N");
    auto const taken =
        parse_arguments({"--new-flag", "7", "--newer"}, llama_server_flags(), "extra_args", Unknown::Taken);
    EXPECT_EQ(words_of(taken.value()), (std::vector<std::string>{"--new-flag", "7", "--newer"}))
        << "of an engine of another version";
}

TEST(Arguments, TheLaterCountsAndSaysWhatItStandsInsteadOf) {
    auto const all = merged(parsed({"--batch-size", "512", "--threads", "4"}, "hal0"), parsed({"-b", "2048"}),
                            llama_server_flags());
    EXPECT_EQ(words_of(all), (std::vector<std::string>{"--threads", "4", "-b", "2048"}));
    EXPECT_EQ(all.back().instead_of, "--batch-size 512 (hal0)");
    auto const both =
        merged({}, parsed({"--lora", "a", "--lora", "b", "--perf", "--no-perf"}), llama_server_flags());
    EXPECT_EQ(words_of(both), (std::vector<std::string>{"--lora", "a", "--lora", "b", "--no-perf"}));
    EXPECT_EQ(both.back().instead_of, "--perf (extra_args)");
}

}  // namespace
}  // namespace hal0::engines
