#pragma once
// What libFuzzer calls, and replay.cpp in its stead.
#include <cstddef>
#include <cstdint>

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* bytes, std::size_t count);
