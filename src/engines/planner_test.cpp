#include "engines/planner.hpp"

#include <gtest/gtest.h>

#include <csignal>

#include "base/format.hpp"
#include "base/text.hpp"
#include "os/file.hpp"
#include "os/test_dir.hpp"

// What the real planner answers is tried in tests/e2e; here are the ways in which it can fail.
namespace hal0::engines {
namespace {

using namespace std::chrono_literals;

constexpr std::string_view answers =
    R"(echo '{"context":4096,"context_per_sequence":4096,"output":1,"buffers":[]}')";

class PlannerFaults : public testing::Test {
  protected:
    os::TestDir dir{};
    PlannedModel model{{{.path = dir / "m.gguf"}}, {}};

    void SetUp() override {
        ASSERT_TRUE(os::atomic_write(model.files.front().path, "GGUF"));
        ASSERT_TRUE(os::make_directories(dir / "engine/bin"));
    }

    // A planner that does this with each question ("$line"), and notes that it was started, with which
    // arguments.
    InstalledEngine engine(std::string_view per_question) {
        auto const script = format("#!/bin/sh\necho \"$@\" >> {}\nwhile read -r line; do {}; done\n",
                                   dir / "starts", per_question);
        EXPECT_TRUE(os::atomic_write(dir / "engine/bin/hal0-planner", script, 0755));
        return {.id = "llama.cpp",
                .version = "1",
                .key = "k",
                .programs = {"llama-server", "hal0-planner"},
                .directory = dir / "engine"};
    }
    std::vector<std::string> starts() {
        auto const text = os::read_file(dir / "starts", 1_MiB).value_or("");
        std::vector<std::string> lines;
        for (auto const line : split(text, '\n')) {
            if (!line.empty()) lines.emplace_back(line);
        }
        return lines;
    }
};

TEST_F(PlannerFaults, OneProcessAnswersWhateverIsAskedOfAModelAndTheCacheWhatWasAskedBefore) {
    Planner planner{engine(answers), dir.path()};
    ASSERT_TRUE(planner.plan(model, {}, {{1024}, {2048}}));
    ASSERT_TRUE(planner.plan(model, {.kv_type_k = KvType::Q8_0}));
    EXPECT_EQ(starts(), std::vector<std::string>{model.files.front().path});
    planner.close();
    EXPECT_TRUE(planner.plan(model, {}, {{2048}}));
    EXPECT_TRUE(planner.plan(model, {.kv_type_k = KvType::Q8_0, .cache_ram = 1_GiB}));
    EXPECT_EQ(starts().size(), 1U) << "the cache was not asked";

    Planner another{engine(answers), dir.path()};
    EXPECT_TRUE(another.plan(model, {}, {{2048}}));
    EXPECT_EQ(starts().size(), 1U) << "what one process keeps is not seen by the next";
}

TEST_F(PlannerFaults, AFileThatChangedIsAnotherModelAndAHeaderIsTheSameWhereverItIs) {
    Planner planner{engine(answers), dir.path()};
    ASSERT_TRUE(planner.plan(model, {}));
    ASSERT_TRUE(os::atomic_write(model.files.front().path, "GGUF, longer"));
    ASSERT_TRUE(planner.plan(model, {}));
    EXPECT_EQ(starts().size(), 2U);

    model.header_digest = "abc";
    ASSERT_TRUE(planner.plan(model, {}));
    ASSERT_TRUE(os::atomic_write(dir / "header", "GGUF"));
    ASSERT_TRUE(planner.plan({{{.path = dir / "header", .size_of_whole = 12_GiB}}, "abc"}, {}));
    EXPECT_EQ(starts().size(), 2U);
}

TEST_F(PlannerFaults, EachPartIsNamedWithTheSizeOfItsWhole) {
    Planner planner{engine(answers), dir.path()};
    ASSERT_TRUE(os::atomic_write(dir / "two", "GGUF"));
    model.files = {{.path = dir / "m.gguf", .size_of_whole = Bytes{100}},
                   {.path = dir / "two", .size_of_whole = {}}};
    ASSERT_TRUE(planner.plan(model, {}));
    EXPECT_EQ(starts(), std::vector<std::string>{format("--size 100 {} {}", dir / "m.gguf", dir / "two")});
}

TEST_F(PlannerFaults, ACrashIsAnErrorAndTheNextQuestionStartsItAnew) {
    Planner planner{engine("kill -SEGV $$"), dir.path()};
    auto const crashed = planner.plan(model, {});
    ASSERT_FALSE(crashed);
    EXPECT_EQ(crashed.error().kind, Errc::Unavailable);
    EXPECT_NE(crashed.error().message.find("hal0-planner killed by SIGSEGV"), std::string::npos)
        << crashed.error().message;
    EXPECT_NE(crashed.error().message.find("m.gguf"), std::string::npos);
    (void)engine(answers);
    EXPECT_TRUE(planner.plan(model, {}));
}

TEST_F(PlannerFaults, ARefusalLeavesItRunning) {
    Planner planner{
        engine(format(R"(case $line in *kv_v=q*) echo '{{"error":"no","kind":"settings"}}';; *) {};; esac)",
                      answers)),
        dir.path()};
    auto const refused = planner.plan(model, {.kv_type_v = KvType::Q8_0});
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().kind, Errc::Unsupported);
    EXPECT_TRUE(planner.plan(model, {}));
    EXPECT_EQ(starts().size(), 1U);
}

TEST_F(PlannerFaults, OneThatHangsIsEnded) {
    Planner planner{engine("echo $$ > " + dir / "pid; read -r line"), dir.path(), 200ms};
    auto const hung = planner.plan(model, {});
    ASSERT_FALSE(hung);
    EXPECT_EQ(hung.error().kind, Errc::Timeout);
    auto const pid = to_int(trim(os::read_file(dir / "pid", 1_KiB).value()));
    ASSERT_TRUE(pid);
    EXPECT_NE(::kill(static_cast<pid_t>(*pid), 0), 0);
}

TEST_F(PlannerFaults, GarbageIsNotAPlanAndIsNotKept) {
    Planner planner{engine("echo 42"), dir.path()};
    EXPECT_EQ(planner.plan(model, {}).error().kind, Errc::Internal);
    EXPECT_EQ(planner.plan(model, {}).error().kind, Errc::Internal);
    EXPECT_EQ(starts().size(), 2U);
}

TEST_F(PlannerFaults, AnEngineWithoutOneSaysWhatToDo) {
    auto old = engine(answers);
    old.programs.pop_back();
    auto const plan = Planner{old, dir.path()}.plan(model, {});
    ASSERT_FALSE(plan);
    EXPECT_EQ(plan.error().kind, Errc::Unsupported);
    EXPECT_NE(plan.error().message.find("hal0 engine install llama.cpp"), std::string::npos);
}

TEST_F(PlannerFaults, WhatCantBeAskedIsNot) {
    Planner planner{engine(answers), dir.path()};
    EXPECT_EQ(planner.plan(model, {.context = {0}}).error().kind, Errc::Invalid);
    EXPECT_EQ(planner.plan(model, {}, {}).error().kind, Errc::Invalid);
    EXPECT_EQ(planner.plan({}, {}).error().kind, Errc::Invalid);
    model.files.front().path = dir / "nowhere";
    EXPECT_EQ(planner.plan(model, {}).error().kind, Errc::NotFound);
    EXPECT_TRUE(starts().empty());
}

}  // namespace
}  // namespace hal0::engines
