// Pulls of models whose downloads stand in the cache already, and of one whose source is nobody's address.
#include "models/pull.hpp"

#include <gtest/gtest.h>

#include "base/format.hpp"
#include "models/bert_gguf.hpp"
#include "models/test_held.hpp"
#include "os/child.hpp"
#include "os/file.hpp"
#include "os/test_dir.hpp"

namespace hal0::models {
namespace {

class PullTest : public testing::Test {
  protected:
    // A source whose file is in the cache already.
    PartSource cached(std::string const& name, std::string const& path, std::string member) {
        Source const source{.url = "http://127.0.0.1:1/" + name,  // nobody listens there
                            .size = os::status(path)->size,
                            .sha256 = os::sha256_of(path).value()};
        auto const place = Fetcher{world_}.place_of(source);
        EXPECT_TRUE(os::make_directories(os::directory_of(place)));
        EXPECT_TRUE(os::atomic_write(place, os::read_file(path, 1_MiB).value()));
        return {.source = source, .member = std::move(member)};
    }
    // "tiny": the member of a tarball and a plain file, joined.
    CatalogEntry tiny() {
        EXPECT_TRUE(os::make_directories(dir_ / "in/data"));
        EXPECT_TRUE(os::atomic_write(dir_ / "in/data/part00", "hello "));
        EXPECT_TRUE(os::atomic_write(dir_ / "in/part01", "world"));
        auto const packed =
            os::run_to_end({.argv = {"tar", "czf", dir_ / "in/a.tgz", "-C", dir_ / "in", "data"}});
        EXPECT_TRUE(packed->status.clean());
        CatalogEntry entry{.record = {.id = "tiny", .name = "Tiny", .licence = "mit", .source = "preferred"}};
        entry.record.files = {{.name = "m.gguf", .size = {11}, .sha256 = os::sha256_hex("hello world")}};
        entry.plans = {{.parts = {{.sources = {cached("a.tgz", dir_ / "in/a.tgz", "data/part00")}},
                                  {.sources = {cached("part01", dir_ / "in/part01", "")}}}}};
        return entry;
    }
    // What stands in the store's directory, hidden things too.
    [[nodiscard]] std::vector<std::string> names() const { return os::list_directory(store_.root()).value(); }
    void lose_downloads() { ASSERT_TRUE(os::remove_tree(dir_ / "cache/downloads")); }

    os::TestDir dir_{};
    std::vector<Progress> progress_{};
    FetchWorld world_{.cache = dir_ / "cache",
                      .fetch_program = HAL0_FETCH_PROGRAM,
                      .progress = [this](Progress const& p) { progress_.push_back(p); }};
    ModelStore store_{{dir_ / "models"}};
};

TEST_F(PullTest, AModelIsMadeOfItsPartsAndPutInPlace) {
    auto const entry = tiny();
    auto const record = pull(entry, store_, world_);
    ASSERT_TRUE(record) << record.error().message;
    EXPECT_EQ(record->source, "http://127.0.0.1:1/a.tgz, http://127.0.0.1:1/part01");
    EXPECT_EQ(store_.find("tiny")->record, *record);
    EXPECT_TRUE(store_.verify("tiny"));
    EXPECT_EQ(names(), std::vector<std::string>{"tiny"});
    EXPECT_TRUE(os::list_directory(dir_ / "cache/downloads")->empty());
    EXPECT_EQ(progress_.back().step, "checking m.gguf");

    EXPECT_EQ(pull(entry, store_, world_).value(), *record);  // from nothing but the store
}

TEST_F(PullTest, AConversionFindsItsPartsByTheirNames) {
    std::vector<std::pair<std::string, std::string>> const inputs{
        {"config.json",
         R"({"num_hidden_layers":1,"max_position_embeddings":8,"hidden_size":2,"intermediate_size":4,
                            "num_attention_heads":1,"type_vocab_size":2,"layer_norm_eps":1e-12})"},
        {"vocab.txt", "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\nhello\n"},
        {"model.safetensors",
         std::string{"\x4e\0\0\0\0\0\0\0", 8} +
             R"({"embeddings.LayerNorm.bias":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})"
             "abcd"}};
    ASSERT_TRUE(os::make_directories(dir_ / "in"));
    FilePlan plan{.making = Making::BertGguf, .title = "T"};
    for (auto const& [name, content] : inputs) {
        ASSERT_TRUE(os::atomic_write(dir_ / ("in/" + name), content));
        plan.parts.push_back({.name = name, .sources = {cached("x-" + name, dir_ / ("in/" + name), "")}});
    }
    ASSERT_TRUE(bert_to_gguf(dir_ / "in", "T", dir_ / "expected.gguf", RerankHead::None));
    CatalogEntry entry{.record = {.id = "bert", .name = "Bert", .kind = Kind::Embed}, .plans = {plan}};
    entry.record.files = {{.name = "b.gguf",
                           .size = os::status(dir_ / "expected.gguf")->size,
                           .sha256 = os::sha256_of(dir_ / "expected.gguf").value()}};
    auto const record = pull(entry, store_, world_);
    ASSERT_TRUE(record) << record.error().message;
    EXPECT_TRUE(store_.verify("bert"));
    EXPECT_EQ(os::list_directory(dir_ / "models/bert").value(),
              (std::vector<std::string>{"b.gguf", "model.json"}));
}

TEST_F(PullTest, AfterAKillWhatIsMadeIsKeptAndStraysAreNot) {
    auto const entry = tiny();
    lose_downloads();
    ASSERT_TRUE(os::make_directories(dir_ / "models/.pull-tiny/.inputs"));
    ASSERT_TRUE(os::atomic_write(dir_ / "models/.pull-tiny/m.gguf", "hello world"));
    ASSERT_TRUE(os::atomic_write(dir_ / "models/.pull-tiny/old.gguf.part", "half"));
    ASSERT_TRUE(pull(entry, store_, world_));
    EXPECT_EQ(os::list_directory(dir_ / "models/tiny").value(),
              (std::vector<std::string>{"m.gguf", "model.json"}));

    ASSERT_TRUE(os::make_directories(dir_ / "other/.pull-tiny"));
    ASSERT_TRUE(os::atomic_write(dir_ / "other/.pull-tiny/m.gguf", "hello"));  // half made: made again
    ModelStore const other{{dir_ / "other"}};
    EXPECT_EQ(pull(entry, other, world_).error().kind, Errc::Unavailable);
    EXPECT_TRUE(other.list().empty());
}

TEST_F(PullTest, WhatIsNotAsPinnedIsNeverSeen) {
    auto entry = tiny();
    entry.record.files.front().sha256 = os::sha256_hex("hello there");
    auto const error = pull(entry, store_, world_).error();
    EXPECT_EQ(error.kind, Errc::Corrupt);
    EXPECT_NE(
        error.message.find("m.gguf was made of http://127.0.0.1:1/a.tgz, http://127.0.0.1:1/part01 and has "
                           "11 bytes and the SHA-256 " +
                           os::sha256_hex("hello world")),
        std::string::npos)
        << error.message;
    EXPECT_TRUE(store_.list().empty());
    EXPECT_FALSE(os::exists(dir_ / "models/.pull-tiny/m.gguf"));
}

TEST_F(PullTest, TooLittleSpaceIsSaidWithFiguresBeforeAnythingIsDownloaded) {
    auto entry = tiny();
    entry.record.files.front().size = {std::int64_t{1} << 50};
    auto const error = pull(entry, store_, world_).error();
    EXPECT_EQ(error.kind, Errc::NoSpace);
    EXPECT_NE(error.message.find("pulling tiny needs 1024 TiB at "), std::string::npos) << error.message;
    EXPECT_NE(error.message.find(" are free"), std::string::npos);
    EXPECT_TRUE(names().empty());
}

TEST_F(PullTest, OneThatAnotherProcessPullsIsWaitedForAndTakenAsItIs) {
    auto const entry = tiny();
    ASSERT_TRUE(os::make_directories(store_.root()));
    auto other = std::make_unique<HeldElsewhere>(dir_ / "models/.pull-tiny.lock");
    auto const waiting = format("waiting for process {}, which pulls tiny", other->pid());
    std::vector<std::string> steps;
    world_.progress = [&](Progress const& progress) {
        steps.push_back(progress.step);
        if (progress.step != waiting) return;
        ASSERT_TRUE(os::make_directories(dir_ / "models/tiny"));
        ASSERT_TRUE(os::atomic_write(dir_ / "models/tiny/m.gguf", "hello world"));
        ASSERT_TRUE(os::atomic_write(dir_ / "models/tiny/model.json", encode(entry.record)));
        other.reset();
    };
    EXPECT_EQ(pull(entry, store_, world_).value(), entry.record);
    EXPECT_EQ(steps, std::vector<std::string>{waiting});

    ASSERT_TRUE(os::remove_tree(dir_ / "models/tiny"));
    other = std::make_unique<HeldElsewhere>(dir_ / "models/.pull-tiny.lock");
    world_.progress = [&](Progress const&) { other.reset(); };  // it has failed
    EXPECT_TRUE(pull(entry, store_, world_));
}

TEST_F(PullTest, ADamagedModelIsMadeAgainAndAForeignOneIsLeftAlone) {
    auto const entry = tiny();
    ASSERT_TRUE(pull(entry, store_, world_));
    ASSERT_TRUE(os::atomic_write(dir_ / "models/tiny/m.gguf", "hell"));
    auto const again = tiny();
    ASSERT_TRUE(pull(again, store_, world_));
    EXPECT_TRUE(store_.verify("tiny"));
    EXPECT_EQ(names(), std::vector<std::string>{"tiny"});

    ASSERT_TRUE(os::remove_file(dir_ / "models/tiny/model.json"));
    ASSERT_TRUE(os::atomic_write(dir_ / "models/tiny/m.gguf", "mine"));
    auto const error = pull(again, store_, world_).error();
    EXPECT_EQ(error.kind, Errc::Exists);
    EXPECT_NE(error.message.find(dir_ / "models/tiny"), std::string::npos);
    EXPECT_EQ(os::read_file(dir_ / "models/tiny/m.gguf", 1_KiB).value(), "mine");
}

// It stood beside the model, and is not the model's.
TEST_F(PullTest, WhatStandsBesideADamagedModelIsKept) {
    auto const entry = tiny();
    ASSERT_TRUE(pull(entry, store_, world_));
    auto const mine = dir_ / "models/tiny/my-lora.gguf";
    ASSERT_TRUE(os::atomic_write(mine, "mine"));
    ASSERT_TRUE(os::atomic_write(dir_ / "models/tiny/m.gguf", "hell"));
    ASSERT_TRUE(pull(tiny(), store_, world_));
    EXPECT_EQ(os::read_file(mine, 1_KiB).value(), "mine");
    EXPECT_EQ(store_.find("tiny")->state, ModelState::Present);

    // One that was killed at its very end has left the old directory: the next goes on from there.
    auto const left = dir_ / "models/.damaged-tiny";
    ASSERT_TRUE(os::make_directories(left));
    ASSERT_TRUE(os::atomic_write(left + "/notes.txt", "mine too"));
    ASSERT_TRUE(os::atomic_write(left + "/m.gguf", "hell"));
    ASSERT_TRUE(pull(tiny(), store_, world_));
    EXPECT_EQ(os::read_file(dir_ / "models/tiny/notes.txt", 1_KiB).value(), "mine too");
    EXPECT_FALSE(os::exists(left));
    EXPECT_TRUE(store_.verify("tiny"));
}

// What verify has found wrong is mended by the pull that it tells to make, and nothing else is got again.
TEST_F(PullTest, OfADamagedModelOnlyWhatIsWrongIsGot) {
    auto entry = tiny();
    ASSERT_TRUE(os::atomic_write(dir_ / "in/other", "more"));
    entry.record.files.push_back({.name = "m2.gguf", .size = {4}, .sha256 = os::sha256_hex("more")});
    auto const downloads = dir_ / "cache/downloads";
    ASSERT_TRUE(os::run_to_end({.argv = {"cp", "-r", downloads, dir_ / "of-m"}})->status.clean());
    entry.plans.push_back({.parts = {{.sources = {cached("other", dir_ / "in/other", "")}}}});
    ASSERT_TRUE(pull(entry, store_, world_));
    auto const kept = os::status(dir_ / "models/tiny/m2.gguf")->inode;

    ASSERT_TRUE(os::atomic_write(dir_ / "models/tiny/m.gguf", "hello_world"));
    EXPECT_TRUE(pull(entry, store_, world_)) << "its size is right: nobody knows";
    ASSERT_FALSE(store_.verify("tiny"));
    lose_downloads();
    ASSERT_TRUE(os::rename_path(dir_ / "of-m", downloads));  // what m.gguf is made of can be had, and no more
    ASSERT_TRUE(pull(entry, store_, world_));
    EXPECT_TRUE(store_.verify("tiny"));
    EXPECT_EQ(store_.find("tiny")->state, ModelState::Present);
    EXPECT_EQ(os::status(dir_ / "models/tiny/m2.gguf")->inode, kept);
}

TEST_F(PullTest, ABrokenSidecarIsWrittenAnewAndNothingBesideItIsLost) {
    auto const entry = tiny();
    ASSERT_TRUE(pull(entry, store_, world_));
    ASSERT_TRUE(os::atomic_write(dir_ / "models/tiny/model.json", "{\"schema\":"));
    ASSERT_TRUE(pull(entry, store_, world_));  // from nothing but the store
    EXPECT_TRUE(store_.verify("tiny"));

    ASSERT_TRUE(os::atomic_write(dir_ / "models/tiny/model.json", "{\"schema\":"));
    ASSERT_TRUE(os::atomic_write(dir_ / "models/tiny/notes.txt", "mine"));
    EXPECT_EQ(pull(entry, store_, world_).error().kind, Errc::Exists);
    EXPECT_EQ(os::read_file(dir_ / "models/tiny/notes.txt", 1_KiB).value(), "mine");
}

}  // namespace
}  // namespace hal0::models
