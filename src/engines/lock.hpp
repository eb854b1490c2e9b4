#pragma once
// What an engine is and how it is got, as data: a lock file of engines/ beside src/, compiled in. Another
// engine, or another backend of one, is another lock file.
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "base/units.hpp"
#include "models/source.hpp"

namespace hal0::engines {

// An archive, and the folder in it that is wanted, ending in '/'.
struct FolderSource {
    models::Source source{};
    std::string folder{};
    bool operator==(FolderSource const&) const = default;
};

// Programs of hal0's own that are built within the engine's build, on its headers: a folder of engines/
// beside src/. Its file NAME.cmake is read at the beginning of the engine's own project.
struct Addition {
    struct File {
        std::string name{};
        std::string text{};
        bool operator==(File const&) const = default;
    };
    std::string name{};  // "planner"
    std::vector<File> files{};
    bool operator==(Addition const&) const = default;
};
// NotFound lists what there is.
Result<Addition> known_addition(std::string_view name);

// How it is built on this machine, with CMake and Ninja.
struct Recipe {
    std::vector<FolderSource> sources{};  // of the source tree, in order of preference
    std::vector<std::string> options{};   // CMake's, "NAME=VALUE"
    std::vector<std::string> targets{};
    std::vector<Addition> additions{};
    std::string output{};     // where in the build tree its programs are: "bin"
    bool native{false};       // its code uses all that this CPU has (-march=native)
    Bytes disk{};             // what a build takes at its largest
    std::int64_t minutes{0};  // what it takes on two cores, for people
    bool operator==(Recipe const&) const = default;
};

// Programs that somebody built already. The first that fits is tried before the recipe.
struct Prebuilt {
    std::vector<FolderSource> sources{};  // of what becomes bin/, in order of preference
    // What its code needs, as /proc/cpuinfo names it. "lm" is every x86-64, "asimd" every 64-bit ARM: never
    // empty.
    std::vector<std::string> cpu_features{};
    bool operator==(Prebuilt const&) const = default;
};

struct EngineLock {
    std::string id{};    // the lock file's and the directory's name: "llama.cpp"
    std::string name{};  // for people
    std::string licence{};
    std::string version{};                // "11434"
    std::string backend{};                // "cpu"
    std::vector<std::string> programs{};  // that an installed one has in bin/; the first is the server
    std::vector<std::string>
        smoke_test{};  // one of them and its arguments: ends with 0 where the engine runs
    std::vector<Prebuilt> prebuilt{};
    Recipe recipe{};
    bool operator==(EngineLock const&) const = default;
};
inline constexpr std::int64_t lock_schema = 1;

// Refuses what it does not know: a misspelt option must not build something else. `file` is for the errors.
Result<EngineLock> decode_lock(std::string_view text, std::string const& file);

// The engines this hal0 knows, in the order they are shown.
std::vector<EngineLock> const& known_engines();
// NotFound lists what there is.
Result<EngineLock> known_engine(std::string_view id);

}  // namespace hal0::engines
