#pragma once
// What makes two builds of an engine the same: its version, its options, what is built along, the compiler,
// and the CPU features the compiler may use. Pure.
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "engines/lock.hpp"

namespace hal0::engines {

struct Compiler {
    std::string name{};                       // "GNU 12.2.0", "Clang 14.0.6"
    std::vector<std::string> cpu_features{};  // what its code will need, as /proc/cpuinfo names them; sorted
    bool operator==(Compiler const&) const = default;
};

// From the predefined macros, as `c++ -march=native -dM -E` prints them. Unsupported for a compiler that is
// neither GCC nor Clang.
Result<Compiler> compiler_from(std::string_view macros_text);

// Twelve hexadecimal digits. Where the files come from makes no difference.
std::string build_key(EngineLock const& lock, Compiler const& compiler);
std::string build_key(EngineLock const& lock, Prebuilt const& prebuilt);

}  // namespace hal0::engines
