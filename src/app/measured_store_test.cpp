#include "app/measured_store.hpp"

#include <gtest/gtest.h>

#include "models/beside.hpp"
#include "os/file.hpp"
#include "os/test_dir.hpp"

namespace hal0::app {
namespace {

class MeasuredStoreTest : public testing::Test {
  protected:
    // Gives its main file.
    std::string model(std::string const& id, std::string const& sha256 = "0f") {
        auto const directory = dir / ("models/" + id);
        EXPECT_TRUE(os::make_directories(directory));
        EXPECT_TRUE(os::atomic_write(directory + "/m.gguf", "GGUF"));
        EXPECT_TRUE(os::atomic_write(
            directory + "/model.json",
            models::encode({.id = id, .files = {{.name = "m.gguf", .size = {4}, .sha256 = sha256}}})));
        return directory + "/m.gguf";
    }
    std::string beside(std::string const& id) {
        return dir / ("models/" + id + "/" + std::string{models::measured_name});
    }
    static memory::Measurement reading(std::string const& load) {
        return {.load = load, .time = "2026-11-25T20:00:00Z", .own_loaded = 1_MiB};
    }

    os::TestDir dir;
    MeasuredStore store{{.state = dir / "state"}};
};

TEST_F(MeasuredStoreTest, ItStandsBesideTheModelAndGoesWithIt) {
    auto const file = model("a");
    EXPECT_EQ(store.of(file).size(), 0U);
    EXPECT_EQ(store.add(file, reading("1")).value(), "");
    EXPECT_EQ(store.of(file), std::vector{reading("1")});
    EXPECT_TRUE(os::exists(beside("a")));
    EXPECT_FALSE(os::exists(dir / "state"));
    models::ModelStore const models{{dir / "models"}};
    EXPECT_EQ(models.find("a")->state, models::ModelState::Present) << "it is no file of the model's";
    auto const other = model("b");
    EXPECT_EQ(store.of_others(models, other), std::vector{reading("1")});
    EXPECT_EQ(store.of_others(models, file).size(), 0U);
    ASSERT_TRUE(os::remove_tree(dir / "models/a"));
    EXPECT_EQ(store.of_others(models, other).size(), 0U);
}

TEST_F(MeasuredStoreTest, WhatIsOfOtherBytesDoesNotCount) {
    auto const file = model("a");
    ASSERT_TRUE(store.add(file, reading("1")));
    model("a", "ff");
    EXPECT_EQ(store.of(file).size(), 0U);
    ASSERT_TRUE(store.add(file, reading("2")));
    EXPECT_EQ(store.of(file), std::vector{reading("2")});
}

TEST_F(MeasuredStoreTest, ADamagedFileIsBegunAnewAndANewerOneIsLeftAlone) {
    auto const file = model("a");
    ASSERT_TRUE(os::atomic_write(beside("a"), "{\"schema\":1,"));
    EXPECT_EQ(store.of(file).size(), 0U);
    EXPECT_NE(store.add(file, reading("1"))->find("begun anew"), std::string::npos);
    EXPECT_EQ(store.of(file), std::vector{reading("1")});
    std::string const newer = "{\"schema\":9}";
    ASSERT_TRUE(os::atomic_write(beside("a"), newer));
    EXPECT_EQ(store.add(file, reading("2")).error().kind, Errc::Unsupported);
    EXPECT_EQ(os::read_file(beside("a"), 1_KiB).value(), newer);
    EXPECT_EQ(store.of(file).size(), 0U);
}

TEST_F(MeasuredStoreTest, AFileOfNoStoreHasItInTheStateDirectory) {
    auto const file = dir / "own.gguf";
    ASSERT_TRUE(os::atomic_write(file, "GGUF"));
    ASSERT_TRUE(store.add(file, reading("1")));
    EXPECT_EQ(store.of(file), std::vector{reading("1")});
    EXPECT_EQ(os::list_directory(dir / "state/measured")->size(), 1U);
    ASSERT_TRUE(os::atomic_write(file, "GGUF, another"));
    EXPECT_EQ(store.of(file).size(), 0U);
}

}  // namespace
}  // namespace hal0::app
