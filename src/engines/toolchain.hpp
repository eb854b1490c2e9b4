#pragma once
// The programs that build an engine here, and the environment they get: only what is named, so that a flag
// set for other work does not slip into the build.
#include <cstdint>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "engines/build_key.hpp"
#include "engines/lock.hpp"
#include "os/places.hpp"

namespace hal0::engines {

struct Toolchain {
    std::string cmake{};  // paths
    std::string ninja{};
    std::string cxx{};  // $CXX, else c++: what CMake would take
    std::int64_t cores{1};
    std::vector<std::string> environment{};  // "NAME=value"
};

// Unsupported, with the line that installs what is missing.
Result<Toolchain> find_toolchain(EngineLock const& lock, os::Environment const& environment);
// Asks the compiler who it is and, for a native recipe, which CPU features it would use.
Result<Compiler> probe_compiler(Toolchain const& tools, Recipe const& recipe);

}  // namespace hal0::engines
