#pragma once
// Gets files from sources, on the calling thread: made for a job process (`hal0 job …`), never for the
// daemon's loops. Downloads stand in CACHE/downloads, named by their sha256, and are complete and checked
// when they have that name; a partial one is continued where its source can. What pip, npm or hal0-fetch do
// meanwhile lies in CACHE/downloads/.SHA256, with the log of the last failure.
#include <chrono>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "base/units.hpp"
#include "models/progress.hpp"
#include "models/source.hpp"

namespace hal0::models {

inline constexpr Bytes spare_space = 64_MiB;  // stays free: a full disk helps nobody

struct FetchWorld {
    std::string cache{};          // Places::cache
    std::string fetch_program{};  // hal0-fetch; beside the hal0 binary
    OnProgress progress{};
    OnNote note{};
    std::chrono::seconds answer_within{5};  // a source that says nothing for so long is passed over
};

struct ArchiveMember {
    std::string archive{};
    std::string member{};  // empty: the file itself
};

class Fetcher {
  public:
    explicit Fetcher(FetchWorld world) : world_{std::move(world)} {}

    // The path of the downloaded file, its hash checked before anything else looks at it. The sources are
    // tried in their order; one that doesn't answer within 5 s is named by `note` and the next is tried. Only
    // the last is given the time that pip or npm give it as they are set up. Where another process is getting
    // it, this one waits for its end.
    // Errors: Unavailable (none answered; lists each with its reason), Corrupt (another hash than pinned),
    // NoSpace.
    [[nodiscard]] Result<std::string> fetch(std::vector<Source> const& sources) const;
    // Where that source's file stands once it was fetched; says which of the sources fetch() has used.
    [[nodiscard]] std::string place_of(Source const& source) const;

    // Copies `member` of an archive (zip, tar.gz) to `target`; NotFound when the archive has no such member.
    [[nodiscard]] Result<void> extract(std::string const& archive, std::string const& member,
                                       std::string const& target) const {
        return extract_joined({{.archive = archive, .member = member}}, target);
    }
    // Several members, of one archive or of several, one after the other.
    [[nodiscard]] Result<void> extract_joined(std::vector<ArchiveMember> const& members,
                                              std::string const& target) const;
    // Unpacks every member under `prefix` (ending in '/') into the directory `target`, the prefix taken off.
    // Refuses members that would land outside.
    [[nodiscard]] Result<void> extract_tree(std::string const& archive, std::string const& prefix,
                                            std::string const& target) const;

  private:
    enum class Others { Remain, None };  // sources still to be tried
    [[nodiscard]] bool have(Source const& source) const;
    [[nodiscard]] Result<void> download(Source const& source, Others others) const;
    // These give the path of what came, in `work`.
    [[nodiscard]] Result<std::string> bring(Source const& source, std::string const& work,
                                            Others others) const;
    [[nodiscard]] Result<std::string> from_url(Source const& source, std::string const& work) const;
    [[nodiscard]] Result<std::string> from_package(Source const& source, std::string const& work,
                                                   Others others) const;
    [[nodiscard]] Result<void> run_fetch_program(std::vector<std::string> words, Progress const& step) const;
    void note(std::string const& line) const;

    FetchWorld world_;
};

}  // namespace hal0::models
