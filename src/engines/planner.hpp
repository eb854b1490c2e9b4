#pragma once
// The exact tier: what the installed engine itself would allocate for a model, in bytes, with nothing loaded.
// The engine's own code plans, in a process of its own (hal0-planner, built together with the engine), so a
// file that makes it crash is an error here. Blocks for up to some seconds: for the CLI and for Pool work.
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/no_copy.hpp"
#include "base/result.hpp"
#include "engines/plan_cache.hpp"
#include "engines/plan_request.hpp"
#include "engines/planner_protocol.hpp"
#include "engines/store.hpp"
#include "os/dialogue.hpp"

namespace hal0::engines {

// A model file; or the beginning of one, with all of its header, that stands for the whole: for a model that
// is not downloaded yet.
struct PlannedFile {
    std::string path{};
    std::optional<Bytes> size_of_whole{};
    bool operator==(PlannedFile const&) const = default;
};

struct PlannedModel {
    std::vector<PlannedFile> files{};  // one, or all parts of a split model in their order
    // Names what is in the header (its SHA-256), where that is known: plans are then kept for the header,
    // wherever its file is. Else for the files as they are (size, time, inode).
    std::string header_digest{};
    bool projector{false};  // for images and sound, and no language model: one file
    bool operator==(PlannedModel const&) const = default;
};

class Planner final : NoCopy {
  public:
    static constexpr std::string_view program = "hal0-planner";

    // `cache`: the cache directory, the plans go below it. `longest`: for one answer.
    Planner(InstalledEngine engine, std::string const& cache, Duration longest = std::chrono::seconds{60})
        : engine_{std::move(engine)}, cache_{cache + "/plans"}, longest_{longest} {}

    // For request.context; of a projector flash attention alone counts, and its weights and its buffers are
    // told as one. A model asked for again is answered from the cache in microseconds, with other
    // settings by the process that holds it open in milliseconds. Errors: Unsupported when the engine takes
    // no such settings, or was installed without its planner (says what to do); Corrupt for what is no model;
    // Timeout; Unavailable when the planner crashed; those of the file system.
    Result<Plan> plan(PlannedModel const& model, PlanRequest const& request);
    // For other contexts than the request's; the plans are in the order of `contexts`. The first that can't
    // be planned fails all.
    Result<std::vector<Plan>> plan(PlannedModel const& model, PlanRequest const& request,
                                   std::vector<Tokens> const& contexts);
    // Ends the process, if there is one: it holds the model's vocabulary, some hundred megabytes for large
    // ones.
    void close();

  private:
    Result<Plan> ask(PlannedModel const& model, PlanRequest const& request, Tokens context);
    Result<void> open(PlannedModel const& model);

    InstalledEngine engine_;
    PlanCache cache_;
    Duration longest_;
    std::unique_ptr<os::Dialogue> process_{};
    std::string opened_{};  // what the process holds open: subject of its model
};

}  // namespace hal0::engines
