#include "models/bert_gguf.hpp"

#include <gtest/gtest.h>

#include <cstring>
#include <limits>

#include "models/gguf_header.hpp"
#include "models/safetensors.hpp"
#include "os/file.hpp"
#include "os/test_dir.hpp"

namespace hal0::models {
namespace {

TEST(ToHalf, RoundsToTheNearestAndTiesToEven) {
    EXPECT_EQ(to_half(0.0F), 0x0000);
    EXPECT_EQ(to_half(-0.0F), 0x8000);
    EXPECT_EQ(to_half(1.0F), 0x3c00);
    EXPECT_EQ(to_half(-2.0F), 0xc000);
    EXPECT_EQ(to_half(1.0F + 0x1p-11F), 0x3c00);             // a tie: the even one below
    EXPECT_EQ(to_half(1.0F + 0x1p-10F + 0x1p-11F), 0x3c02);  // a tie: the even one above
    EXPECT_EQ(to_half(65504.0F), 0x7bff);                    // the largest
    EXPECT_EQ(to_half(65519.0F), 0x7bff);
    EXPECT_EQ(to_half(65520.0F), 0x7c00);  // rounds to infinity
    EXPECT_EQ(to_half(0x1p-24F), 0x0001);  // the smallest
    EXPECT_EQ(to_half(0x1p-25F), 0x0000);  // a tie with zero, which is even
    EXPECT_EQ(to_half(0x1.8p-25F), 0x0001);
    EXPECT_EQ(to_half(-std::numeric_limits<float>::infinity()), 0xfc00);
    EXPECT_EQ(to_half(std::numeric_limits<float>::quiet_NaN()) & 0x7e00, 0x7e00);
}

std::string safetensors(std::string const& head, std::string const& data) {
    std::uint64_t const size = head.size();
    std::string out(sizeof size, '\0');
    std::memcpy(out.data(), &size, sizeof size);
    return out + head + data;
}

struct TinyModel {
    os::TestDir dir{};
    explicit TinyModel(std::string const& weights) {
        put("config.json", R"({"num_hidden_layers":1,"max_position_embeddings":8,"hidden_size":2,
            "intermediate_size":4,"num_attention_heads":1,"type_vocab_size":2,"layer_norm_eps":1e-12})");
        put("vocab.txt", "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\nhello\n##s\n");
        put("model.safetensors", weights);
    }
    void put(std::string const& name, std::string const& text) const {
        ASSERT_TRUE(os::atomic_write(dir / name, text));
    }
    [[nodiscard]] Result<void> convert() const {
        return bert_to_gguf(dir.path(), "tiny", dir / "out.gguf", RerankHead::None);
    }
};

std::string const good = safetensors(
    R"({"embeddings.LayerNorm.bias":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},)"
    R"("encoder.layer.0.output.dense.weight":{"dtype":"F32","shape":[2,4],"data_offsets":[8,40]},)"
    R"("pooler.dense.bias":{"dtype":"F32","shape":[1],"data_offsets":[40,44]}})",
    std::string(44, '\0'));

TEST(BertGguf, WritesWhatTheHeaderReaderTakes) {
    TinyModel const model{good};
    ASSERT_TRUE(model.convert());
    auto const header = read_gguf_header(model.dir / "out.gguf");
    ASSERT_TRUE(header.ok()) << header.error().message;
    EXPECT_EQ(header->architecture, "bert");
    EXPECT_EQ(header->context_length, Tokens{8});
    auto const text = os::read_file(model.dir / "out.gguf", 1_MiB).value();
    EXPECT_NE(text.find("blk.0.ffn_down.weight"), std::string::npos);
    EXPECT_NE(text.find("\u2581hello"), std::string::npos);
    EXPECT_EQ(text.find("pooler"), std::string::npos);
}

TEST(BertGguf, BrokenWeightsAreCorruptAndLeaveNoFile) {
    for (auto const& weights : {good.substr(0, 30), good.substr(0, good.size() - 20), std::string{"{}"},
                                safetensors("[]", ""), safetensors("{}", "")}) {
        TinyModel const model{weights};
        auto const done = model.convert();
        ASSERT_FALSE(done.ok());
        EXPECT_EQ(done.error().kind, Errc::Corrupt) << done.error().message;
        EXPECT_FALSE(os::exists(model.dir / "out.gguf"));
    }
}

}  // namespace
}  // namespace hal0::models
