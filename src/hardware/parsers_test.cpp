// What the kernel writes, and what it should never write.
#include <gtest/gtest.h>

#include "hardware/cgroups.hpp"
#include "hardware/counters.hpp"
#include "hardware/dmi.hpp"
#include "hardware/kfd.hpp"
#include "hardware/known_devices.hpp"
#include "hardware/recorded_files.hpp"

namespace hal0::hardware {
namespace {

TEST(Sizes, AreBelievedOnlyWhereTheyCanBe) {
    EXPECT_EQ(to_bytes("0"), Bytes{0});
    EXPECT_EQ(to_bytes("4611686018427387904"), Bytes{std::int64_t{1} << 62});
    for (auto const* const text :
         {"", "-1", "4611686018427387905", "18446744073709551616", "12 ", "0x10", "1e9"})
        EXPECT_EQ(to_bytes(text), std::nullopt) << text;
    EXPECT_EQ(to_bytes_of_kib("131006464 kB"), Bytes{134150619136});
    for (auto const* const text : {"131006464", "-5 kB", "9007199254740993 kB", " kB", "1 MB"})
        EXPECT_EQ(to_bytes_of_kib(text), std::nullopt) << text;
}

TEST(Lists, OfProcessorsAreCounted) {
    EXPECT_EQ(count_of_list("0-31"), 32);
    EXPECT_EQ(count_of_list("0-7,16,18-19\n"), 11);
    EXPECT_EQ(count_of_list(""), 0);
    for (auto const* const text : {"x", "3-1", "0-", "-1", "0-99999999", "1,,2"})
        EXPECT_EQ(count_of_list(text), std::nullopt) << text;
}

// The minor version and the step are one hexadecimal digit each: 90010 is gfx90a, not gfx9010.
TEST(GfxName, IsAmdsOwn) {
    EXPECT_EQ(gfx_name(110501), "gfx1151");
    EXPECT_EQ(gfx_name(110003), "gfx1103");
    EXPECT_EQ(gfx_name(120001), "gfx1201");
    EXPECT_EQ(gfx_name(90010), "gfx90a");
    EXPECT_EQ(gfx_name(90012), "gfx90c");
    EXPECT_EQ(gfx_name(90402), "gfx942");
    for (auto const version : {0, -1, 119999, 1'000'000})
        EXPECT_EQ(gfx_name(version), std::nullopt) << version;
}

TEST(CgroupLimits, HaveTwoWordsForNone) {
    EXPECT_TRUE(parse_memory_limit("max").valid);
    EXPECT_EQ(parse_memory_limit("max").bytes, std::nullopt);
    EXPECT_EQ(parse_memory_limit("9223372036854771712").bytes, std::nullopt);
    EXPECT_EQ(parse_memory_limit("17179869184").bytes, Bytes{17179869184});
    EXPECT_FALSE(parse_memory_limit("-1").valid);
    EXPECT_FALSE(parse_memory_limit("many").valid);
    EXPECT_EQ(parse_cpu_max("150000 100000"), 1.5);
    for (auto const* const text : {"max 100000", "-1 100000", "1 0", "1", ""})
        EXPECT_EQ(parse_cpu_max(text), std::nullopt) << text;
}

TEST(Pressure, IsOfItsOwnLine) {
    constexpr auto text = "some avg10=1.25 avg60=0.00 avg300=0.00 total=5\nfull avg10=100.00 avg60=0.00";
    EXPECT_EQ(parse_pressure(text, "some"), 1.25);
    EXPECT_EQ(parse_pressure(text, "full"), 100.0);
    EXPECT_EQ(parse_pressure("some avg10=nan", "some"), std::nullopt);
    EXPECT_EQ(parse_pressure("some avg10=101", "some"), std::nullopt);
    EXPECT_EQ(parse_pressure("", "some"), std::nullopt);
}

class MemoryModules : public testing::Test {
  protected:
    // SMBIOS 3.2's type 17, whose size stands at 0x0c and 0x1c and whose speed at 0x20.
    std::string table_{std::string{"\x11\x28", 2} + std::string(0x28 - 2, '\0')};
    void put(std::size_t at, std::uint32_t number, std::size_t count) {
        for (std::size_t i = 0; i < count; ++i)
            table_[at + i] = static_cast<char>(number >> (8 * i) & 0xffU);
    }
};

TEST_F(MemoryModules, HaveTheirSizeInTwoPlaces) {
    put(0x0c, 16384, 2);
    put(0x20, 8000, 2);
    EXPECT_EQ(parse_memory_module(table_)->size, 16_GiB);
    EXPECT_EQ(parse_memory_module(table_)->speed_mts, 8000);
    put(0x0c, 0x7fff, 2);
    put(0x1c, 65536, 4);
    EXPECT_EQ(parse_memory_module(table_)->size, 64_GiB);
    put(0x0c, 0x8200, 2);  // in KiB
    EXPECT_EQ(parse_memory_module(table_)->size, 512_KiB);
    put(0x0c, 0, 2);
    EXPECT_EQ(parse_memory_module(table_)->size, Bytes{});  // nothing is plugged in
}

TEST_F(MemoryModules, OfUnknownSizeAndCutTablesAreNone) {
    put(0x0c, 0xffff, 2);
    EXPECT_FALSE(parse_memory_module(table_).has_value());
    put(0x0c, 0x7fff, 2);
    EXPECT_FALSE(parse_memory_module(table_.substr(0, 0x1d)).has_value());
    EXPECT_FALSE(parse_memory_module(table_.substr(0, 5)).has_value());
    EXPECT_FALSE(parse_memory_module("").has_value());
    table_[0] = 16;
    EXPECT_FALSE(parse_memory_module(table_).has_value());
}

TEST(KnownDevices, TellARevisionFromAnother) {
    EXPECT_EQ(known_gpu({0x1002, 0x1586, 0xc1})->name, "AMD Radeon 8060S Graphics");
    EXPECT_EQ(known_gpu({0x1002, 0x1586, 0xd2})->name, "AMD Radeon 8050S Graphics");
    auto const other = known_gpu({0x1002, 0x1586, 0xd5});
    ASSERT_TRUE(other.has_value());
    EXPECT_EQ(other->name, std::nullopt);
    EXPECT_EQ(other->gfx, "gfx1151");
    EXPECT_FALSE(known_gpu({0x1002, 0xffff, 0x00}).has_value());
    EXPECT_EQ(known_npu({0x1022, 0x17f0, 0x20})->generation, 2);
}

TEST(NameLists, AreReadAsDistributionsInstallThem) {
    constexpr auto amdgpu_ids = "# comment, 1586, C1\n1.0.0\n1586,\tC1,\tAMD Radeon 8060S, with a comma\n";
    EXPECT_EQ(name_in_amdgpu_ids(amdgpu_ids, {0x1002, 0x1586, 0xc1}), "AMD Radeon 8060S, with a comma");
    EXPECT_EQ(name_in_amdgpu_ids(amdgpu_ids, {0x1002, 0x1586, std::nullopt}), std::nullopt);
    constexpr auto pci_ids =
        "\n0e11  Compaq\n\t2204  Not this\n10de  NVIDIA Corporation\n\t2204  GA102 [GeForce RTX 3090]\n"
        "\t\t10de 1454  A board\n1af4  Red Hat\n\t1050  Virtio\n";
    EXPECT_EQ(name_in_pci_ids(pci_ids, {0x10de, 0x2204}), "GA102 [GeForce RTX 3090]");
    EXPECT_EQ(name_in_pci_ids(pci_ids, {0x10de, 0x1050}), std::nullopt);
    EXPECT_EQ(name_in_pci_ids(pci_ids, {0x1002, 0x1050}), std::nullopt);
}

TEST(RecordedFiles, ComeBackAsTheyWereWritten) {
    RecordedFiles files;
    files.set("/proc/meminfo", {RecordedFile::Kind::Text, "MemTotal: 1 kB\n\n== x\n"});
    files.set("/proc/1/environ", {RecordedFile::Kind::Text, std::string{"a\0b\\\x80", 5}});
    files.set("/empty", {RecordedFile::Kind::Text, ""});
    files.set("/sys/class/drm/card1", {RecordedFile::Kind::Link, "../x"});
    files.set("/sys/class/drm/card1/device", {RecordedFile::Kind::Text, "y\n"});
    files.set("/sys/class/drm/card1-HDMI-A-1", {RecordedFile::Kind::Present, ""});
    files.set("/hidden", {RecordedFile::Kind::Fault, "EACCES"});
    auto const again = RecordedFiles::parse("for people\n" + files.to_text());
    ASSERT_TRUE(again.ok()) << again.error().message;
    EXPECT_EQ((*again)->all(), files.all());
    EXPECT_EQ((*again)->list("/sys/class/drm").value(),
              (std::vector<std::string>{"card1", "card1-HDMI-A-1"}));
    EXPECT_EQ((*again)->read("/hidden", 1_KiB).error().kind, Errc::Forbidden);
    EXPECT_EQ((*again)->read("/none", 1_KiB).error().kind, Errc::NotFound);
    EXPECT_TRUE((*again)->exists("/sys/class"));
}

TEST(RecordedFiles, SayWhereTheyAreNone) {
    EXPECT_EQ(RecordedFiles::parse("== meminfo\n").error().message, "line 1: a path begins with /");
    EXPECT_EQ(RecordedFiles::parse("== /a\nx\\y\n").error().message,
              "line 2: a backslash is written \\\\, a byte \\xHH");
    EXPECT_EQ(RecordedFiles::parse("== /a -> b\nx\n").error().message, "line 2: only a file has lines");
}

}  // namespace
}  // namespace hal0::hardware
