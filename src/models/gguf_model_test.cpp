#include "models/gguf_model.hpp"

#include <gtest/gtest.h>

#include <map>

#include "models/test_gguf.hpp"

namespace hal0::models {
namespace {

using gguf::head;
using gguf::ServedBytes;
using gguf::ValueType;

// A directory far away.
struct Served {
    std::map<std::string, std::string> files{};
    [[nodiscard]] OpenSource opener() const {
        return [this](std::string const& path) -> Result<std::unique_ptr<ByteSource>> {
            auto const found = files.find(path);
            if (found == files.end()) return Error{Errc::NotFound, path + " is not there"};
            return std::unique_ptr<ByteSource>{std::make_unique<ServedBytes>(found->second)};
        };
    }
};

std::string shard(std::uint16_t count, std::string_view tensor) {
    auto bits = head(1, 1).key("split.count", ValueType::Uint16).number(count);
    return bits.tensor(tensor, 256, 0, 0).bytes;
}

TEST(GgufModel, AShardSaysWhichItIs) {
    EXPECT_EQ(shard_name("/m/a-b-00002-of-00012.gguf"),
              (ShardName{.base = "/m/a-b", .index = 2, .count = 12}));
    EXPECT_EQ(shard_name("/m/a-b-00002-of-00012.gguf")->of(7), "/m/a-b-00007-of-00012.gguf");
    for (auto const* const name : {"a.gguf", "a-00000-of-00002.gguf", "a-00003-of-00002.gguf",
                                   "a-0001-of-00002.gguf", "-00001-of-00002.gguf", "a-00001-of-00002.bin",
                                   "a-0000x-of-00002.gguf", "a-+0001-of-00002.gguf", ""})
        EXPECT_EQ(shard_name(name), std::nullopt) << name;
}

TEST(GgufModel, TheTensorsOfAllShardsAreItsOwn) {
    Served const served{{{"m-00001-of-00003.gguf", shard(3, "a")},
                         {"m-00002-of-00003.gguf", shard(3, "b")},
                         {"m-00003-of-00003.gguf", shard(3, "c")}}};
    auto const model = read_gguf_model("m-00001-of-00003.gguf", served.opener()).value();
    ASSERT_EQ(model.tensors.size(), 3U);
    EXPECT_EQ(model.tensors[2].name, "c");
    EXPECT_EQ(model.files.size(), 3U);
    EXPECT_EQ(model.size.count, 3 * static_cast<std::int64_t>(shard(3, "a").size()));
}

TEST(GgufModel, MissingShardsAreNamed) {
    Served const served{{{"m-00001-of-00004.gguf", shard(4, "a")}, {"m-00003-of-00004.gguf", shard(4, "c")}}};
    auto const error = read_gguf_model("m-00001-of-00004.gguf", served.opener()).error();
    EXPECT_EQ(error.kind, Errc::NotFound);
    EXPECT_NE(error.message.find("m-00002-of-00004.gguf, m-00004-of-00004.gguf"), std::string::npos);
}

TEST(GgufModel, AnotherShardThanTheFirstIsNoModel) {
    Served const served{};
    auto const error = read_gguf_model("m-00002-of-00002.gguf", served.opener()).error();
    EXPECT_EQ(error.kind, Errc::Invalid);
    EXPECT_NE(error.message.find("m-00001-of-00002.gguf"), std::string::npos);
}

TEST(GgufModel, AFileThatSaysAnotherCountThanItsNameIsRefused) {
    Served const served{{{"m.gguf", shard(3, "a")}, {"m-00001-of-00002.gguf", shard(5, "a")}}};
    EXPECT_EQ(read_gguf_model("m.gguf", served.opener()).error().kind, Errc::Corrupt);
    EXPECT_EQ(read_gguf_model("m-00001-of-00002.gguf", served.opener()).error().kind, Errc::Corrupt);
}

TEST(GgufModel, WhatIsWrongIsSaidOfTheFile) {
    Served const served{{{"m.gguf", "PK"}}};
    EXPECT_EQ(read_gguf_model("m.gguf", served.opener()).error().message,
              "reading m.gguf: it isn't a GGUF file");
}

}  // namespace
}  // namespace hal0::models
