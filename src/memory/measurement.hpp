#pragma once
// What loads truly took, held against what the engine had planned for them, and what the next estimate learns
// of it. Pure. docs/memory.md says why it is done so.
//
// A worker's memory is not all there when it is ready. What it holds from then on: the context (cleared, so
// every page is there) and the weights it has copied. What comes with use: buffers for computing, copies of
// states, the prompt cache. So a reading right after the load is taken to hold nothing of the latter, a later
// one all of it: both ways the process itself is never taken for less than it is.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "base/units.hpp"
#include "engines/plan_request.hpp"
#include "engines/planner_protocol.hpp"
#include "wire/codec.hpp"

namespace hal0::memory {

using wire::BodyTitle;

// What the engine's own plan said for a load.
struct PlannedLoad {
    static constexpr BodyTitle title{"PlannedLoad", "What the engine had planned for a load."};
    Bytes context{};   // on the host, like all but the last
    Bytes copied{};    // weights that are rearranged, and so copied
    Bytes mappable{};  // weights that are used as they lie in the file
    Bytes later{};     // taken as it is used: buffers for computing and output, caches
    Bytes gpu{};       // all that is on the GPU, taken at once
    bool operator==(PlannedLoad const&) const = default;

    template <class Self, class F> static void fields(Self& self, F& f) {
        f("context", self.context, "on the host");
        f("copied", self.copied, "weights that the engine rearranges, on the host");
        f("mappable", self.mappable, "other weights on the host: mapped from the file, or read");
        f("later", self.later,
          "on the host, taken as it is used: compute and output buffers, copies of states, prompt cache");
        f("gpu", self.gpu, "on the GPU");
    }
};
// `growing`: what comes with use and is in no plan (memory/planned.hpp).
PlannedLoad planned_load(engines::Plan const& plan, Bytes growing);
// All that decides what an engine allocates, in a line: loads are compared by it.
std::string settings_name(engines::PlanRequest const& request);

// What a load is of, and on what: figures of one count for another only where these are the same.
struct Circumstances {
    std::string box{};
    std::string engine{};
    std::string version{};
    std::string backend{};
    std::string card{};
    std::string settings{};
    bool operator==(Circumstances const&) const = default;

    template <class Self, class F> static void fields(Self& self, F& f) {
        f("box", self.box, "names the box");
        f("engine", self.engine, "what it was served by");
        f("version", self.version, "of that");
        f("backend", self.backend, "`cpu`, `vulkan`, …");
        f("card", self.card, "the GPU and its driver; empty on the processor");
        f("settings", self.settings, "all that decides what the engine allocates");
    }
};

// One load of a model. Readings of the same load go together: the largest counts.
struct Measurement {
    static constexpr BodyTitle title{"Measurement", "What one load of a model took."};
    std::string load{};
    std::string time{};
    Circumstances at{};
    std::optional<PlannedLoad> planned{};
    bool maps_model{false};
    std::optional<Bytes> own_loaded{};
    std::optional<Bytes> own_used{};
    std::optional<Bytes> gpu{};
    bool operator==(Measurement const&) const = default;

    template <class Self, class F> static void fields(Self& self, F& f) {
        f("load", self.load, "names the worker process on its box");
        f("time", self.time, "of the last reading");
        Circumstances::fields(self.at, f);
        f("planned", self.planned, "what it had planned; null where it has no planner");
        f("maps_model", self.maps_model, "whether the model's files were mapped");
        f("own_loaded", self.own_loaded,
          "what it held of the host's memory when it was ready, its mapped "
          "model apart; null where nobody looked then");
        f("own_used", self.own_used, "the most that it held later");
        f("gpu", self.gpu, "the most that it held of the GPU's; null where nobody can tell");
    }
};

// measured.json.
struct MeasuredLoads {
    static constexpr BodyTitle title{"MeasuredLoads", "What the loads of a model took: measured.json."};
    std::int64_t schema{1};
    std::string model{};
    std::vector<Measurement> loads{};
    bool operator==(MeasuredLoads const&) const = default;

    template <class Self, class F> static void fields(Self& self, F& f) {
        f("schema", self.schema, "of this file");
        f("model", self.model, "names what was loaded: what was learned of other bytes doesn't count");
        f("loads", self.loads, "oldest first");
    }
};
inline constexpr std::int64_t measured_schema = 1;
inline constexpr std::size_t loads_kept_each = 5;  // of the same settings on the same box
inline constexpr std::size_t loads_kept_max = 100;

std::string encode(MeasuredLoads const& measured);
// Unsupported: of a newer hal0. Corrupt: not what encode() writes.
Result<MeasuredLoads> decode_measured(std::string_view text);

// True where that changed anything: a reading that is smaller than one that the same load has already does
// not.
bool add(MeasuredLoads& measured, Measurement const& reading);

// ---- what is learned

struct LearnedBytes {
    Bytes bytes{};
    std::string source{};
};
// Largest figures; nothing where nothing was measured.
struct Learned {
    std::optional<LearnedBytes> process{};    // of this model: it grows with the vocabulary
    std::optional<LearnedBytes> driver{};     // beside the plan, on the GPU: of this model, else of any
    std::optional<LearnedBytes> gpu_total{};  // of this model with these very settings, planned or not
};

// Over what was measured, since use adds a little: heaps grow, texts are held while they are worked on; on a
// GPU the first products bring their workspaces (up to 118 MiB on an H100).
inline constexpr Bytes process_margin = 32_MiB;
inline constexpr Bytes driver_margin = 128_MiB;

// `of_sequence`: what each further sequence adds to the process at the most (overhead.hpp). A load with fewer
// than now is taken with that on top; one with more counts only where there is no other.
Learned learn(std::vector<Measurement> const& of_model, std::vector<Measurement> const& of_others,
              Circumstances const& now, Bytes of_sequence = {});

}  // namespace hal0::memory
