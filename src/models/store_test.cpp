#include "models/store.hpp"

#include <gtest/gtest.h>

#include "os/file.hpp"
#include "os/test_dir.hpp"

namespace hal0::models {
namespace {

ModelRecord record_of(std::string const& id, std::string const& content) {
    return {.id = id,
            .name = "Tiny",
            .kind = Kind::Embed,
            .licence = "apache-2.0",
            .source = "file",
            .context_max = 512,
            .files = {{"m.gguf", {static_cast<std::int64_t>(content.size())}, os::sha256_hex(content)}}};
}

void put(std::string const& root, std::string const& id, std::string const& content) {
    ASSERT_TRUE(os::make_directories(root + "/" + id));
    ASSERT_TRUE(os::atomic_write(root + "/" + id + "/m.gguf", content));
    ASSERT_TRUE(os::atomic_write(root + "/" + id + "/model.json", encode(record_of(id, content))));
}

TEST(ModelRecord, ComesBackAsWritten) {
    auto const record = record_of("tiny", "x");
    EXPECT_EQ(decode_model(encode(record), "p").value(), record);
}

TEST(ModelRecord, FaultsNameTheFileAndThePlace) {
    auto const message = [](std::string_view text) {
        return decode_model(text, "m/model.json").error().message;
    };
    EXPECT_EQ(message("{"), "m/model.json: not JSON at byte 1: incomplete JSON");
    EXPECT_EQ(message(R"({"schema":1,"kind":"chatt","files":[]})"),
              "m/model.json: kind 'chatt' is none of chat, embed, rerank, stt, tts, image");
    EXPECT_NE(message(R"({"schema":2,"kind":"chat","files":[]})").find("newer"), std::string::npos);
    EXPECT_NE(message(R"({"schema":1,"kind":"chat","files":[{"name":"../x","size":1,"sha256":""}]})")
                  .find("files[0].name"),
              std::string::npos);
}

TEST(ModelStore, FindsListsAndVerifies) {
    os::TestDir dir;
    put(dir / "a", "tiny", "hello");
    put(dir / "b", "tiny", "shadowed");
    put(dir / "b", "other", "world");
    ModelStore const store{{dir / "a", dir / "b", dir / "not-there"}};
    ASSERT_EQ(store.list().size(), 2U);
    EXPECT_EQ(store.find("tiny")->directory, dir / "a/tiny");
    EXPECT_EQ(store.find("other")->main_file(), dir / "b/other/m.gguf");
    EXPECT_TRUE(store.verify("tiny"));
}

TEST(ModelStore, SeesDamage) {
    os::TestDir dir;
    put(dir.path(), "cut", "hello");
    ASSERT_TRUE(os::atomic_write(dir / "cut/m.gguf", "hell"));
    put(dir.path(), "changed", "hello");
    ASSERT_TRUE(os::atomic_write(dir / "changed/m.gguf", "jello"));
    ASSERT_TRUE(os::make_directories(dir / "garbage"));
    ASSERT_TRUE(os::atomic_write(dir / "garbage/model.json", "nonsense"));
    ModelStore const store{{dir.path()}};
    EXPECT_EQ(store.find("cut")->fault, "m.gguf has 4 bytes instead of 5");
    EXPECT_EQ(store.find("garbage")->state, ModelState::Damaged);
    EXPECT_FALSE(store.find("garbage")->readable);
}

TEST(ModelStore, WhatVerifyFindsWrongIsDamagedUntilItIsWholeAgain) {
    os::TestDir dir;
    put(dir.path(), "changed", "hello");
    ASSERT_TRUE(os::atomic_write(dir / "changed/m.gguf", "jello"));
    ModelStore const store{{dir.path()}};
    EXPECT_EQ(store.find("changed")->state, ModelState::Present) << "nobody has looked";
    auto const error = store.verify("changed").error();
    EXPECT_EQ(error.kind, Errc::Corrupt);
    EXPECT_EQ(
        error.message,
        "model 'changed': m.gguf is not what was pulled (its SHA-256 differs); pull it again with 'hal0 "
        "model pull changed'");
    EXPECT_EQ(store.find("changed")->state, ModelState::Damaged);
    EXPECT_EQ(store.find("changed")->fault, "m.gguf is not what was pulled (its SHA-256 differs)");
    EXPECT_EQ(store.verify("changed").error().kind, Errc::Corrupt);

    ASSERT_TRUE(os::atomic_write(dir / "changed/m.gguf", "hello"));
    std::vector<Progress> told;
    EXPECT_TRUE(store.verify("changed", [&told](Progress const& progress) { told.push_back(progress); }));
    EXPECT_EQ(told.back().step, "checking m.gguf");
    EXPECT_EQ(told.back().done, told.back().total);
    EXPECT_EQ(store.find("changed")->state, ModelState::Present);
}

TEST(ModelStore, TheUnknownIsSaidWithTheWayToGetIt) {
    os::TestDir dir;
    put(dir.path(), "smollm2-135m", "x");
    ModelStore const store{{dir.path()}};
    auto const error = store.find("smollm-135m").error();
    EXPECT_EQ(error.kind, Errc::NotFound);
    EXPECT_NE(error.message.find("did you mean 'smollm2-135m'"), std::string::npos);
    EXPECT_EQ(store.find("../smollm2-135m").error().kind, Errc::NotFound);
}

}  // namespace
}  // namespace hal0::models
