#pragma once
// The engines installed on this machine: cache/engines/ID/VERSION-KEY/ with bin/ and a sidecar engine.json.
// What was built for other CPU features than this box has is not used.
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "base/units.hpp"

namespace hal0::engines {

struct InstalledEngine {
    std::string id{};       // "llama.cpp"
    std::string version{};  // "11434"
    std::string key{};      // of version, options, compiler, CPU features
    std::string backend{};  // "cpu"
    std::string compiler{};
    std::string built_at{};                   // RFC 3339
    std::vector<std::string> cpu_features{};  // what its code needs, as /proc/cpuinfo names them
    std::vector<std::string> programs{};      // in bin/; without one of them it is not complete
    std::string directory{};
    [[nodiscard]] std::string program(std::string_view name) const;
    [[nodiscard]] Bytes size() const;  // of its programs, as they stand there now
    bool operator==(InstalledEngine const&) const = default;
};
std::string encode(InstalledEngine const& engine);
Result<InstalledEngine> decode_engine(std::string_view text, std::string const& directory);

// The flags line of /proc/cpuinfo and "apx", which that leaves out; sorted. Empty where there is none.
std::vector<std::string> this_cpu_features();

class EngineStore {
  public:
    // `cpu_features`: this machine's, sorted.
    EngineStore(std::string cache, std::vector<std::string> cpu_features)
        : root_{std::move(cache) + "/engines"}, cpu_features_{std::move(cpu_features)} {}

    [[nodiscard]] std::vector<InstalledEngine> list()
        const;  // all that stand there complete, newest version first
    [[nodiscard]] bool runs_here(InstalledEngine const& engine) const;
    // Of that id, what runs here: the newest for `backend`, else (or where that is empty) the newest of all.
    // NotFound says what is wrong with those that are there, and how to install one.
    [[nodiscard]] Result<InstalledEngine> find(std::string const& id, std::string_view backend = {}) const;
    [[nodiscard]] std::string const& root() const { return root_; }
    [[nodiscard]] std::vector<std::string> const& cpu_features() const { return cpu_features_; }

  private:
    std::string root_;
    std::vector<std::string> cpu_features_;
};

}  // namespace hal0::engines
