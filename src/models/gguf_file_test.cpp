#include "models/gguf_file.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "models/test_gguf.hpp"

// Of the sanitizers' runtime, whose headers g++ doesn't bring: called after each malloc and before each free.
extern "C" int __sanitizer_install_malloc_and_free_hooks(void (*allocated)(void const volatile*, std::size_t),
                                                         void (*freed)(void const volatile*));

namespace hal0::models {
namespace {

using gguf::Bits;
using gguf::head;
using gguf::ServedBytes;
using gguf::ValueType;

constexpr auto huge = ~std::uint64_t{0};

Result<GgufFile> read(std::string bytes) {
    ServedBytes source{std::move(bytes)};
    return read_gguf(source);
}
std::string fault_of(Bits const& bits) {
    auto const file = read(bits.bytes);
    return file ? "no fault" : file.error().message;
}

TEST(GgufFile, AnIntegerIsReadInAnyWidth) {
    auto bits = head(0, 10);
    bits.key("u8", ValueType::Uint8).number(std::uint8_t{200});
    bits.key("i8", ValueType::Int8).number(std::int8_t{-1});
    bits.key("u16", ValueType::Uint16).number(std::uint16_t{40000});
    bits.key("i16", ValueType::Int16).number(std::int16_t{-2});
    bits.key("u32", ValueType::Uint32).number(4'000'000'000U);
    bits.key("i32", ValueType::Int32).number(std::int32_t{-3});
    bits.key("u64", ValueType::Uint64).number(std::uint64_t{1} << 40);
    bits.key("i64", ValueType::Int64).number(std::int64_t{-4});
    bits.key("too large", ValueType::Uint64).number(huge);
    bits.key("fraction", ValueType::Float32).number(0.5F);
    auto const file = read(bits.bytes).value();
    EXPECT_EQ(file.metadata.integer("u8"), 200);
    EXPECT_EQ(file.metadata.integer("i8"), -1);
    EXPECT_EQ(file.metadata.integer("u16"), 40000);
    EXPECT_EQ(file.metadata.integer("i16"), -2);
    EXPECT_EQ(file.metadata.integer("u32"), 4'000'000'000);
    EXPECT_EQ(file.metadata.integer("i32"), -3);
    EXPECT_EQ(file.metadata.integer("u64"), std::int64_t{1} << 40);
    EXPECT_EQ(file.metadata.integer("i64"), -4);
    EXPECT_EQ(file.metadata.integer("too large"), std::nullopt);
    EXPECT_EQ(file.metadata.integer("fraction"), std::nullopt);
    EXPECT_EQ(file.metadata.integer("absent"), std::nullopt);
    EXPECT_TRUE(file.metadata.holds("too large"));
}

TEST(GgufFile, AnArrayKeepsItsNumbersWhenItIsOneALayer) {
    auto bits = head(0, 4);
    bits.key("heads", ValueType::Array).number(static_cast<std::uint32_t>(ValueType::Int32));
    bits.number(std::uint64_t{3}).number(8).number(0).number(4);
    bits.key("sliding", ValueType::Array).number(static_cast<std::uint32_t>(ValueType::Bool));
    bits.number(std::uint64_t{2}).number(std::uint8_t{1}).number(std::uint8_t{0});
    bits.key("tokens", ValueType::Array).number(static_cast<std::uint32_t>(ValueType::String));
    bits.number(std::uint64_t{2}).text("a").text("bc");
    bits.key("types", ValueType::Array).number(static_cast<std::uint32_t>(ValueType::Int8));
    bits.number(std::uint64_t{5000}).bytes.append(5000, '\1');
    auto const file = read(bits.bytes).value();
    EXPECT_EQ(*file.metadata.array("heads"), (GgufArray{.count = 3, .numbers = {8, 0, 4}}));
    EXPECT_EQ(*file.metadata.array("sliding"), (GgufArray{.count = 2, .numbers = {1, 0}}));
    EXPECT_EQ(*file.metadata.array("tokens"), (GgufArray{.count = 2}));
    EXPECT_EQ(*file.metadata.array("types"), (GgufArray{.count = 5000}));
    EXPECT_EQ(file.metadata.array("absent"), nullptr);
}

TEST(GgufFile, EveryTypeOfTensorHasItsSize) {
    struct Case {
        std::uint32_t type;
        std::int64_t bytes;  // of 256 x 2 numbers; from ggml-common.h, by hand
    };
    constexpr Case cases[]{{0, 2048},  {1, 1024}, {2, 288},   {3, 320},   {6, 352},   {7, 384},   {8, 544},
                           {9, 576},   {10, 168}, {11, 220},  {12, 288},  {13, 352},  {14, 420},  {15, 584},
                           {16, 132},  {17, 148}, {18, 196},  {19, 100},  {20, 288},  {21, 220},  {22, 164},
                           {23, 272},  {24, 512}, {25, 1024}, {26, 2048}, {27, 4096}, {28, 4096}, {29, 112},
                           {30, 1024}, {34, 108}, {35, 132},  {39, 272},  {40, 288},  {41, 72},   {42, 144}};
    for (auto const& [type, bytes] : cases) {
        auto const file = read(head(1, 0).tensor("t", 256, type, 0).bytes).value();
        EXPECT_EQ(file.tensors.at(0).size, Bytes{bytes}) << type;
    }
    for (std::uint32_t const type : {4U, 5U, 31U, 38U, 43U, 4'000'000'000U})  // given up, or of the future
        EXPECT_EQ(read(head(1, 0).tensor("t", 256, type, 0).bytes).value().tensors.at(0).size, std::nullopt);
}

TEST(GgufFile, SaysWhereItsDataLies) {
    auto const bits = head(2, 0).tensor("a", 32, 0, 0).tensor("b", 32, 8, 256);
    auto const file = read(bits.bytes).value();
    EXPECT_EQ(file.data_begin.count, static_cast<std::int64_t>((bits.bytes.size() + 31) / 32 * 32));
    EXPECT_EQ(file.data_end.count, file.data_begin.count + 256 + 68);
    EXPECT_EQ(file.tensors.at(1).shape, (std::array<std::uint64_t, 4>{32, 2, 1, 1}));
}

TEST(GgufFile, WhatLiesFarAwayIsReadInGrowingPiecesAndNoByteTwice) {
    auto bits = head(1, 2);
    bits.key("tokens", ValueType::Array).number(static_cast<std::uint32_t>(ValueType::String));
    bits.number(std::uint64_t{400'000});
    for (int i = 0; i < 400'000; ++i)
        bits.text("a token");
    bits.key("last", ValueType::Uint32).number(7U).tensor("t", 256, 0, 0);
    auto const header = static_cast<std::int64_t>(bits.bytes.size());  // 6 MB
    ServedBytes source{std::move(bits.bytes), 40_GiB};
    auto const file = read_gguf(source).value();
    EXPECT_EQ(file.metadata.integer("last"), 7);
    EXPECT_EQ(source.asked, (std::vector<Bytes>{1_MiB, 2_MiB, 4_MiB}));
    EXPECT_LT(source.served, (Bytes{2 * header}));
}

TEST(GgufFile, ASmallFileFarAwayIsNotAskedForMoreThanItHas) {
    ServedBytes source{head(1, 0).tensor("t", 256, 0, 0).bytes};
    (void)read_gguf(source).value();
    EXPECT_EQ(source.asked, std::vector<Bytes>{source.size()});
}

TEST(GgufFile, NumbersOfEveryTokenAreSteppedOver) {
    auto bits = head(0, 2);
    bits.key("scores", ValueType::Array).number(static_cast<std::uint32_t>(ValueType::Float32));
    bits.number(std::uint64_t{4'000'000}).bytes.append(16'000'000, '\0');
    bits.key("last", ValueType::Uint32).number(7U);
    ServedBytes source{std::move(bits.bytes)};
    EXPECT_EQ(read_gguf(source).value().metadata.integer("last"), 7);
    EXPECT_LT(source.served, 2_MiB);  // of 16
}

TEST(GgufFile, ASourceThatShrinksIsCut) {
    ServedBytes source{head(5, 0).tensor("t", 256, 0, 0).bytes, 1_GiB};
    EXPECT_EQ(read_gguf(source).error().kind, Errc::Corrupt);
}

TEST(GgufFile, WhatCannotBeTrueIsNamed) {
    auto swapped = head(0, 0, 0x03000000).bytes;
    EXPECT_NE(read(swapped).error().message.find("big-endian"), std::string::npos);
    EXPECT_EQ(read(swapped).error().kind, Errc::Unsupported);
    EXPECT_EQ(read(head(0, 0, 1).bytes).error().kind, Errc::Unsupported);
    EXPECT_EQ(read(head(0, 0, 4).bytes).error().kind, Errc::Unsupported);
    auto twice = head(0, 2).key("k", ValueType::Uint8).number(std::uint8_t{1});
    EXPECT_EQ(fault_of(twice.key("k", ValueType::Uint8).number(std::uint8_t{1})), "its key k is there twice");
    EXPECT_NE(fault_of(head(1, 0).text("t").number(5U)).find("5 dimensions"), std::string::npos);
    EXPECT_EQ(fault_of(head(1, 0).tensor("t", 100, 8, 0)), "a row of 100 numbers in blocks of 32");
    EXPECT_NE(fault_of(head(1, 0).tensor("t", 256, 0, huge)).find("larger than any disk"), std::string::npos);
    auto upon_each_other = head(64, 0);
    for (int i = 0; i < 64; ++i)  // each of 1 TiB, all in the same place
        upon_each_other.tensor(format("t{}", i), std::uint64_t{1} << 38, 0, 0);
    EXPECT_EQ(fault_of(upon_each_other), "its tensors together are larger than any disk");
    auto uneven = head(0, 1).key("general.alignment", ValueType::Uint32).number(48U);
    EXPECT_EQ(fault_of(uneven), "its alignment is no power of 2");
    EXPECT_NE(fault_of(head(0, 1).key("k", static_cast<ValueType>(99))).find("unknown type 99"),
              std::string::npos);
}

// What the test below has allocated between its two marks. The hooks are the sanitizer's, called by its
// malloc.
struct Allocated {
    bool counting{false};
    std::size_t bytes{0};
    std::size_t largest{0};
};
thread_local Allocated allocated;
void count_allocation(void const volatile* /*where*/, std::size_t size) {
    if (!allocated.counting) return;
    allocated.bytes += size;
    allocated.largest = std::max(allocated.largest, size);
}
void ignore_free(void const volatile* /*where*/) {}

TEST(GgufFile, AHostileFileOf10KBAllocatesLittle) {
    ASSERT_NE(__sanitizer_install_malloc_and_free_hooks(&count_allocation, &ignore_free), 0);
    auto const array = [](std::uint64_t count, ValueType type) {
        auto bits = head(1U << 20, 1U << 16).key("a", ValueType::Array);
        return bits.number(static_cast<std::uint32_t>(type)).number(count);
    };
    auto many_keys = head(1U << 20, 1U << 16);
    for (std::uint32_t i = 0; i < 600; ++i)
        many_keys.key(std::to_string(i), ValueType::Uint8).number(std::uint8_t{1});
    auto many_tensors = head(1U << 20, 0);
    for (std::uint32_t i = 0; i < 400; ++i)
        many_tensors.text("").number(0U).number(0U).number(std::uint64_t{0});
    for (auto bits :
         {array(huge, ValueType::Uint8), array(1U << 30, ValueType::String), array(4096, ValueType::Uint8),
          head(1U << 20, 1U << 16).number(std::uint64_t{65536}), many_keys, many_tensors}) {
        bits.bytes.resize(10'000);
        ServedBytes source{bits.bytes};
        allocated = {.counting = true};
        auto const file = read_gguf(source);
        allocated.counting = false;
        EXPECT_FALSE(file);
        EXPECT_LT(allocated.bytes, 300'000U);  // in all; what grows is copied as it grows
        EXPECT_LT(allocated.largest, 100'000U);
    }
}

}  // namespace
}  // namespace hal0::models
