#include "models/gguf_header.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <random>

#include "models/gguf_format.hpp"
#include "models/test_gguf.hpp"
#include "os/file.hpp"
#include "os/test_dir.hpp"

namespace hal0::models {
namespace {

using gguf::Bits;
using gguf::head;
using gguf::ValueType;

// Two tensors, 32 bytes of F16 padded to 64 and 68 of Q8_0, after a header with every shape of value.
std::string whole_model() {
    auto bits = head(2, 7);
    bits.key("llama.context_length", ValueType::Uint32).number(8192U);
    bits.key("clip.context_length", ValueType::Uint32).number(77U);
    bits.key("general.architecture", ValueType::String).text("llama");
    bits.key("general.name", ValueType::String).text("Tiny");
    bits.key("general.alignment", ValueType::Uint32).number(64U);
    bits.key("tokenizer.ggml.tokens", ValueType::Array).number(static_cast<std::uint32_t>(ValueType::String));
    bits.number(std::uint64_t{2}).text("a").text("bc");
    bits.key("tokenizer.ggml.scores", ValueType::Array)
        .number(static_cast<std::uint32_t>(ValueType::Float32));
    bits.number(std::uint64_t{2}).number(1.0F).number(2.0F);
    bits.tensor("a.weight", 8, gguf::tensor_f16, 0).tensor("b.weight", 32, 8, 64);
    bits.bytes.resize((bits.bytes.size() + 63) / 64 * 64);
    bits.bytes.append(64 + 68, 'w');
    return bits.bytes;
}

class GgufHeaderOf : public testing::Test {
  protected:
    Result<GgufHeader> read(std::string_view bytes) {
        // Not by atomic_write, and not over the old file: either waits for the disk, thousands of times here.
        EXPECT_TRUE(os::remove_file(path_));
        std::ofstream{path_, std::ios::binary} << bytes;
        return read_gguf_header(path_);
    }
    std::string fault_of(std::string_view bytes) {
        auto const header = read(bytes);
        return header ? "no fault" : header.error().message;
    }
    os::TestDir dir_{};
    std::string path_{dir_ / "m.gguf"};
};

TEST_F(GgufHeaderOf, AWholeFileSaysWhatItIs) {
    auto const bytes = whole_model();
    GgufHeader const expected{.architecture = "llama",
                              .name = "Tiny",
                              .context_length = {8192},
                              .tensors = 2,
                              .size = {static_cast<std::int64_t>(bytes.size())}};
    EXPECT_EQ(read(bytes).value(), expected);
}

TEST_F(GgufHeaderOf, AFileCutAnywhereIsRefused) {
    auto const bytes = whole_model();
    for (std::size_t length = 0; length < bytes.size(); ++length) {
        auto const header = read(bytes.substr(0, length));
        ASSERT_FALSE(header) << length;
        ASSERT_EQ(header.error().kind, Errc::Corrupt) << length;
    }
    EXPECT_NE(fault_of(bytes.substr(0, bytes.size() - 1)).find("m.gguf can't be loaded: it is cut: "),
              std::string::npos);
}

TEST_F(GgufHeaderOf, WhatIsNoModelIsNamed) {
    EXPECT_EQ(fault_of("PK\3\4 a wheel"),
              path_ + " can't be loaded: it isn't a GGUF file; get the file again");
    EXPECT_NE(fault_of("version https://git-lfs.github.com/spec/v1\noid sha256:0").find("Git LFS pointer"),
              std::string::npos);
    EXPECT_EQ(read(head(0, 0, 1).bytes).error().kind, Errc::Unsupported);
    EXPECT_NE(fault_of(head(0, 0).bytes).find("architecture"), std::string::npos);
    EXPECT_EQ(read_gguf_header(dir_ / "absent.gguf").error().kind, Errc::NotFound);
    EXPECT_EQ(read_gguf_header(dir_.path()).error().kind, Errc::Invalid);
}

TEST_F(GgufHeaderOf, CountsThatCannotBeTrueCostNothing) {
    constexpr auto huge = ~std::uint64_t{0};
    EXPECT_NE(fault_of(head(0, huge).bytes).find("keys"), std::string::npos);
    EXPECT_NE(fault_of(head(huge, 0).bytes).find("tensors"), std::string::npos);
    EXPECT_NE(fault_of(head(0, 1).number(huge).bytes).find("where a name should be"), std::string::npos);
    auto array = head(0, 1).key("a", ValueType::Array).number(4U).number(huge / 2);
    EXPECT_NE(fault_of(array.bytes).find("after the file's end"), std::string::npos);
    auto nested = head(0, 1).key("a", ValueType::Array).number(9U).number(std::uint64_t{1});
    EXPECT_NE(fault_of(nested.bytes).find("unknown type"), std::string::npos);
    auto wide = head(1, 0).text("t").number(2U).number(huge).number(huge).number(0U).number(std::uint64_t{0});
    EXPECT_NE(fault_of(wide.bytes).find("larger than any disk"), std::string::npos);
}

TEST_F(GgufHeaderOf, DamagedBytesGiveAnAnswerAndNothingElse) {
    std::mt19937 random{20260};  // fixed: the same files every time
    auto const whole = whole_model();
    for (int round = 0; round < 2000; ++round) {
        auto bytes = whole;
        for (int i = 0; i < 3; ++i)
            bytes[random() % bytes.size()] = static_cast<char>(random());
        auto const header = read(bytes);
        if (!header) {
            ASSERT_NE(header.error().message.find(path_), std::string::npos);
        }
    }
}

}  // namespace
}  // namespace hal0::models
