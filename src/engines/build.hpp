#pragma once
// Builds an engine from its source in a tree of its own, at low priority, everything its tools say in a log.
// A tree that was left in the middle is continued.
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "engines/lock.hpp"
#include "engines/toolchain.hpp"
#include "models/fetcher.hpp"
#include "os/child.hpp"
#include "os/unique_fd.hpp"

namespace hal0::engines {

// Where the output of an installation's programs goes. Begins anew.
class InstallLog {
  public:
    static Result<InstallLog> open(std::string const& path);
    Result<void> note(std::string_view line);
    // Runs it to its end; each line that it writes is told to `on_line`, too. Another end than exit code 0 is
    // an Io error: "`doing` failed", the log's name and last lines.
    Result<void> run(os::Command command, std::string_view doing,
                     std::function<void(std::string_view line)> const& on_line = {});

  private:
    InstallLog(std::string path, os::UniqueFd fd) : path_{std::move(path)}, fd_{std::move(fd)} {}
    std::string path_;
    os::UniqueFd fd_;
};

// "[17/219] Building …": how far Ninja is.
struct NinjaStep {
    std::int64_t done{0};
    std::int64_t total{0};
    bool operator==(NinjaStep const&) const = default;
};
std::optional<NinjaStep> ninja_step(std::string_view line);

struct BuildTree {
    std::string path{};  // the directory of this build and no other
    [[nodiscard]] std::string source() const { return path + "/source"; }  // there: unpacked whole
    [[nodiscard]] std::string build() const { return path + "/build"; }
    [[nodiscard]] std::string additions() const { return path + "/additions"; }
};

// Configures and builds the recipe's targets from tree.source().
Result<void> build(EngineLock const& lock, Toolchain const& tools, BuildTree const& tree, InstallLog& log,
                   models::OnProgress const& progress);

}  // namespace hal0::engines
