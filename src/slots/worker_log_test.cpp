#include "slots/worker_log.hpp"

#include <gtest/gtest.h>

#include "base/text.hpp"

namespace hal0::slots {
namespace {

TEST(WorkerLog, AFailedLoadIsExplainedByItsFirstComplaint) {
    EXPECT_EQ(telling_line("srv  load_model: loading model 'x'\n"
                           "E llama_model_load: error loading model: tensor data is not within the file\n"
                           "E srv  load_model: failed to load model, 'x'\n"
                           "srv  operator(): cleaning up before exit...\n",
                           EndedWhile::Loading),
              "E llama_model_load: error loading model: tensor data is not within the file");
}

TEST(WorkerLog, ACrashIsExplainedByItsLastComplaint) {
    EXPECT_EQ(telling_line("E srv  send_error: task 3: exceeds the context\n"
                           "slot release: id 0\n"
                           "ggml.c:1234: GGML_ASSERT(x) failed\n",
                           EndedWhile::Serving),
              "ggml.c:1234: GGML_ASSERT(x) failed");
}

TEST(WorkerLog, AnEarlierWorkersWordsDontCount) {
    EXPECT_EQ(telling_line("E error of yesterday\n==== hal0 starts m with llama.cpp 1, now\nhello\n",
                           EndedWhile::Loading),
              "hello");
    EXPECT_EQ(telling_line("E error\n==== hal0 starts m with llama.cpp 1, now\n", EndedWhile::Loading), "");
}

TEST(WorkerLog, WhatItGivesCanBeShown) {
    auto const line =
        telling_line("\x1b[31mfailed: \xff" + std::string(1000, 'x') + "\n", EndedWhile::Loading);
    EXPECT_TRUE(line.starts_with("?[31mfailed: ?xxx"));
    EXPECT_TRUE(valid_utf8(line));
    EXPECT_LT(line.size(), 310U);
}

}  // namespace
}  // namespace hal0::slots
