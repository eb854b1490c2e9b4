#pragma once
// What a model would take: asks the installed engine's planner where that plans for the backend that will run
// it, and hal0's own formulas where not. Blocks for some tenths of a second at the most.
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "app/subject.hpp"
#include "base/no_copy.hpp"
#include "base/time.hpp"
#include "engines/planner.hpp"
#include "memory/estimate.hpp"
#include "memory/measurement.hpp"
#include "memory/overhead.hpp"
#include "memory/shape.hpp"
#include "memory/verdict.hpp"
#include "models/loadouts.hpp"

namespace hal0::app {

// The settings of `hal0 fit` with their defaults, which are a slot's: `context` is of one request, 0 is the
// model's own up to 4096.
struct SizingSettings {
    Tokens context{};
    std::int32_t parallel{1};
    Tokens ubatch{};  // 0: the engine's; of a model that embeds its context, for a text is read in one piece
    engines::KvType kv_type{engines::KvType::F16};
    engines::FlashAttention flash_attention{engines::FlashAttention::Auto};
    Bytes cache_ram{};  // prompts kept in the host's memory
    bool operator==(SizingSettings const&) const = default;
};
engines::PlanRequest plan_request(Subject const& subject, SizingSettings const& settings,
                                  Extras const& extras = {});
Tokens context_of(Subject const& subject, SizingSettings const& settings);  // of one request

// What loads on this box took.
struct Experience {
    std::string box{};
    std::string card{};
    std::vector<memory::Measurement> of_model{};
    std::vector<memory::Measurement> of_others{};
};

struct SizingPlace {
    memory::Target target{};
    std::string backend{"cpu"};
    std::optional<engines::InstalledEngine> engine{};
    std::string no_engine{};  // why there is none
    std::string cache{};
    Duration patience{std::chrono::seconds{60}};  // with the planner, for one answer
    Experience experience{};
};

class Sizing final : NoCopy {
  public:
    // All of these outlive it.
    Sizing(Subject const& subject, SizingPlace const& place, Extras const& extras = no_extras);

    // With overheads. Unsupported when the engine takes no such settings.
    Result<memory::MemoryEstimate> estimate(SizingSettings const& settings);
    Result<memory::Demand> demand(SizingSettings const& settings);
    [[nodiscard]] memory::Demand demand(memory::MemoryEstimate const& estimate) const;
    // What it is to go in beside, and who may go for it.
    struct Beside {
        std::vector<memory::Pool> const& pools;
        memory::Demand others{};
        std::vector<memory::Resident> may_go{};
    };
    // The most tokens of one request, in steps of 256 up to what the model was trained for, with which it
    // goes; 0 when not even 256 do, nothing where nobody can tell. Unavailable when the planner fails for
    // one of them.
    Result<std::optional<Tokens>> largest_context(SizingSettings settings, Beside const& beside);
    // Who made the last estimate, in words.
    [[nodiscard]] std::string const& planned_by() const { return planned_by_; }
    // Why the engine wouldn't take the model of the last estimate at all; empty where it would, or wasn't
    // asked.
    [[nodiscard]] std::string refused() const {
        return draft_ && refused_.empty() ? draft_->refused_ : refused_;
    }

  private:
    // Whether it goes with so much context; how much is left then, less than nothing where not.
    struct Trial {
        bool known{true};
        bool fits{false};
        std::int64_t left{0};
    };
    Result<Trial> attempt(SizingSettings const& settings, Beside const& beside);
    Result<memory::MemoryEstimate> planned(engines::PlanRequest const& request);
    Result<memory::MemoryEstimate> bound(engines::PlanRequest const& request) const;
    // Says in `planned_by` when it wasn't planner().
    Result<memory::MemoryEstimate> of_model(engines::PlanRequest const& request, std::string& planned_by);
    Result<memory::MemoryEstimate> of_draft(Subject const& draft, SizingSettings settings);
    Result<memory::MemoryEstimate> of_projector(Projector const& projector,
                                                engines::FlashAttention flash_attention);
    Result<engines::Plan> const& projector_plan(Projector const& projector,
                                                engines::FlashAttention flash_attention);
    Result<void> add_extras(memory::MemoryEstimate& estimate, SizingSettings const& settings,
                            engines::PlanRequest const& request);
    [[nodiscard]] std::string planner() const;  // who plans, in words
    [[nodiscard]] std::optional<std::string> gpu() const;
    [[nodiscard]] memory::Known known(engines::PlanRequest const& request) const;

    Subject const& subject_;
    SizingPlace const& place_;
    Extras const& extras_;
    std::unique_ptr<engines::Planner> planner_{};
    struct ProjectorPlan {
        engines::FlashAttention flash_attention{};  // all that it depends on
        Result<engines::Plan> plan;
    };
    std::optional<ProjectorPlan> projector_plan_{};
    std::unique_ptr<Sizing> draft_{};
    std::string by_formulas_{};
    bool planner_failed_{false};  // in the last estimate
    std::string planned_by_{};
    std::string refused_{};
};

}  // namespace hal0::app
