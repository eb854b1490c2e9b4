#include "app/sizing.hpp"

#include <algorithm>
#include <utility>

#include "base/format.hpp"
#include "memory/closed_form.hpp"
#include "memory/planned.hpp"
#include "os/file.hpp"

namespace hal0::app {
namespace {

constexpr std::int64_t context_step = 256;
constexpr std::int64_t context_unasked = 4096;         // as a slot has it
constexpr std::int64_t context_unknown_most = 131072;  // of a model that doesn't say what it was trained for

// How far along `span` a line from `left` (0 or more) to `right` (less) meets 0.
std::int64_t along(std::int64_t span, std::int64_t left, std::int64_t right) {
    auto const fall = static_cast<double>(std::max<std::int64_t>(left - right, 1));
    return static_cast<std::int64_t>(static_cast<double>(span) * static_cast<double>(left) / fall);
}

// Nothing where no engine with a planner is there.
std::unique_ptr<engines::Planner> planner_of(SizingPlace const& place) {
    auto const& engine = place.engine;
    if (!engine || !os::exists(engine->program(engines::Planner::program))) return nullptr;
    return std::make_unique<engines::Planner>(*engine, place.cache, place.patience);
}

std::string by_formulas(std::string const& why) { return format("hal0's own formulas, a bound: {}", why); }

std::string name_of(std::optional<engines::InstalledEngine> const& engine) {
    return engine ? format("{} {}", engine->id, engine->version) : "";
}

}  // namespace

Tokens context_of(Subject const& subject, SizingSettings const& settings) {
    if (settings.context.count > 0) return settings.context;
    auto const trained = subject.shape.context_trained.count;
    return {trained > 0 ? std::min(trained, context_unasked) : context_unasked};
}

engines::PlanRequest plan_request(Subject const& subject, SizingSettings const& settings,
                                  Extras const& extras) {
    auto const context = context_of(subject, settings);
    engines::PlanRequest request{.context = {context.count * settings.parallel},
                                 .parallel = settings.parallel,
                                 .kv_type_k = settings.kv_type,
                                 .kv_type_v = settings.kv_type,
                                 .flash_attention = settings.flash_attention,
                                 .cache_ram = settings.cache_ram,
                                 .checkpoints = engines::checkpoints_wanted,
                                 .embeddings = subject.embeds};
    if (extras.mtp) request.drafter = engines::Drafter::Mtp;
    if (extras.draft) request.drafter = engines::Drafter::Model;
    if (subject.embeds) request.batch = request.ubatch = context;
    if (settings.ubatch.count > 0) request.ubatch = settings.ubatch;
    request.batch = std::max(request.batch, request.ubatch);
    return request;
}

// ---- what is asked

Sizing::Sizing(Subject const& subject, SizingPlace const& place, Extras const& extras)
    : subject_{subject}, place_{place}, extras_{extras} {
    if (extras.draft) draft_ = std::make_unique<Sizing>(*extras.draft, place);
    std::string why;
    if (subject.files.empty()) {
        why = "its file isn't here for an engine to plan";
    } else if (!place.engine) {
        why = place.no_engine.empty() ? "no engine was asked" : place.no_engine;
    } else if (place.engine->backend != place.backend) {
        why = format("{} {} plans for {}, not for {}", place.engine->id, place.engine->version,
                     place.engine->backend, place.backend);
    } else if (planner_ = planner_of(place); !planner_) {
        why = format("{} was installed without its planner; 'hal0 engine install {}' brings it",
                     name_of(place.engine), place.engine->id);
    }
    by_formulas_ = by_formulas(why);
    planned_by_ = planner();
}

std::string Sizing::planner() const { return planner_ ? name_of(place_.engine) : by_formulas_; }

std::optional<std::string> Sizing::gpu() const {
    auto const& device = place_.target.device;
    return device == memory::host_device ? std::nullopt : std::optional{device};
}

Result<memory::MemoryEstimate> Sizing::planned(engines::PlanRequest const& request) {
    engines::PlannedModel model;
    for (auto const& file : subject_.files)
        model.files.push_back({.path = file});
    HAL0_TRY(plan, planner_->plan(model, request));
    return memory::planned(plan, place_.target.device, name_of(place_.engine));
}

Result<memory::MemoryEstimate> Sizing::bound(engines::PlanRequest const& request) const {
    auto estimate = request.of_mtp ? memory::closed_form_of_mtp(subject_.shape, request, gpu())
                                   : memory::closed_form(subject_.shape, subject_.tensors, request, gpu());
    if (estimate) estimate->exactness = memory::Exactness::Bound;
    return estimate;
}

// What the engine refuses is refused; where it can't answer, the formulas do.
Result<memory::MemoryEstimate> Sizing::of_model(engines::PlanRequest const& request,
                                                std::string& planned_by) {
    if (!planner_) return bound(request);
    auto estimate = planned(request);
    if (estimate || estimate.error().kind == Errc::Unsupported) return estimate;
    auto const fault = std::move(estimate).error();
    if (fault.kind == Errc::Corrupt) refused_ = fault.message;
    planned_by = by_formulas(fault.message);
    planner_failed_ = true;
    if (fault.kind == Errc::Timeout) {  // the next would be waited for as long
        planner_.reset();
        by_formulas_ = planned_by;
    }
    return bound(request);
}

// ---- what is loaded beside it

// As llama-server has it: a context as large as the model's own, with a cache of its own type.
Result<memory::MemoryEstimate> Sizing::of_draft(Subject const& draft, SizingSettings settings) {
    settings.context = context_of(subject_, settings);
    settings.kv_type = engines::KvType::F16;
    settings.cache_ram = {};
    auto const request = plan_request(draft, settings);
    auto planned_by = draft_->planner();
    draft_->planner_failed_ = false;
    draft_->refused_.clear();
    auto estimate = draft_->of_model(request, planned_by);
    if (!estimate) return in_context(format("the draft model {}", draft.name), std::move(estimate).error());
    memory::add_growing(*estimate, draft.shape, request);
    memory::share_of(*estimate, memory::host_device)
        .terms.push_back(memory::drafter_term("process", draft.shape.vocabulary, request.parallel));
    if (planned_by != planned_by_) planned_by_ += format("; the draft model by {}", planned_by);
    return estimate;
}

// On the processor, whatever the model computes on: there the engine can be asked without taking memory.
// Asked once: a file on a disk that hangs isn't waited for at each step of a search.
Result<engines::Plan> const& Sizing::projector_plan(Projector const& projector,
                                                    engines::FlashAttention flash_attention) {
    if (!projector_plan_ || projector_plan_->flash_attention != flash_attention) {
        auto const planner = planner_of(place_);
        Result<engines::Plan> plan{Error{Errc::Unavailable, "no engine with a planner is installed"}};
        if (planner)
            plan = planner->plan({.files = {{.path = projector.file}}, .projector = true},
                                 {.flash_attention = flash_attention});
        projector_plan_.emplace(ProjectorPlan{flash_attention, std::move(plan)});
    }
    return projector_plan_->plan;
}

// The engine tells one figure; what the tensors don't take of it is the buffer that it computes the image in
// that it makes ready with, which is smaller than the largest it takes (set_warmup_n_tokens of clip.cpp).
Result<memory::MemoryEstimate> Sizing::of_projector(Projector const& projector,
                                                    engines::FlashAttention flash_attention) {
    using memory::Exactness;
    auto const& plan = projector_plan(projector, flash_attention);
    if (!plan && plan.error().kind == Errc::Corrupt)
        return Error{plan.error()}.with(std::string{file_detail}, projector.name);
    Bytes all{};
    if (plan) {
        for (auto const& buffer : plan->buffers)
            all += buffer.model;
    }
    memory::PoolShare share{.device = gpu().value_or(std::string{memory::host_device}),
                            .terms = {{std::string{memory::projector_term}, projector.tensors,
                                       "sum of its tensors", Exactness::Bound}}};
    if (all > projector.tensors)
        share.terms.push_back({std::string{memory::projector_compute_term}, all - projector.tensors,
                               format("{}'s own plan for the processor, and the image that it makes ready "
                                      "with: larger ones take more",
                                      name_of(place_.engine)),
                               Exactness::Least});
    else
        share.terms.front().source += format("; what it computes in comes on top, and isn't known: {}",
                                             plan ? "the engine couldn't make it" : plan.error().message);
    return memory::MemoryEstimate{.exactness = Exactness::Least, .shares = {std::move(share)}};
}

Result<void> Sizing::add_extras(memory::MemoryEstimate& estimate, SizingSettings const& settings,
                                engines::PlanRequest const& request) {
    if (extras_.mtp) {
        auto of_mtp = request;
        of_mtp.of_mtp = true;
        HAL0_TRY(layers, of_model(of_mtp, planned_by_));
        memory::add_sampling(layers, place_.target.device,
                             {.vocabulary = subject_.shape.vocabulary, .sequences = request.parallel});
        memory::add_beside(estimate, layers, "MTP ");
    }
    if (extras_.draft) {
        HAL0_TRY(draft, of_draft(*extras_.draft, settings));
        memory::add_beside(estimate, draft, "draft ");
    }
    if (extras_.projector) {
        HAL0_TRY(projector, of_projector(*extras_.projector, request.flash_attention));
        memory::add_beside(estimate, projector, "");
    }
    return {};
}

// ---- all of it

memory::Known Sizing::known(engines::PlanRequest const& request) const {
    memory::Known known{.vocabulary = subject_.shape.vocabulary, .sequences = request.parallel};
    auto const& experience = place_.experience;
    if (!place_.engine || experience.box.empty()) return known;
    known.learned = memory::learn(experience.of_model, experience.of_others,
                                  {.box = experience.box,
                                   .engine = place_.engine->id,
                                   .version = place_.engine->version,
                                   .backend = place_.backend,
                                   .card = experience.card,
                                   .settings = memory::settings_name(request)},
                                  memory::sequence_bytes(subject_.shape.vocabulary));
    return known;
}

Result<memory::MemoryEstimate> Sizing::estimate(SizingSettings const& settings) {
    auto const request = plan_request(subject_, settings, extras_);
    planned_by_ = planner();
    planner_failed_ = false;
    refused_.clear();
    HAL0_TRY(estimate, of_model(request, planned_by_));
    memory::add_growing(estimate, subject_.shape, request);
    // Before what is loaded beside it: of a load like this one, without that, the overhead was learned.
    memory::add_overhead(estimate, place_.target, known(request));
    HAL0_CHECK(add_extras(estimate, settings, request));
    return estimate;
}

Result<memory::Demand> Sizing::demand(SizingSettings const& settings) {
    HAL0_TRY(estimated, estimate(settings));
    return demand(estimated);
}

memory::Demand Sizing::demand(memory::MemoryEstimate const& estimate) const {
    auto demand = memory::demand_of(estimate);
    // Only files have all their tensors; what stands for one has them added up.
    if (!subject_.files.empty()) demand.largest = subject_.largest_tensor();
    return demand;
}

Result<Sizing::Trial> Sizing::attempt(SizingSettings const& settings, Beside const& beside) {
    HAL0_TRY(estimated, estimate(settings));
    // One that fails would fail for the next too, after as long a wait.
    if (planner_failed_ || (draft_ && draft_->planner_failed_))
        return Error{Errc::Unavailable, "the planner doesn't answer for every context"};
    auto needed = demand(estimated);
    needed += beside.others;
    auto const judgement = memory::judge(needed, beside.pools, place_.target, beside.may_go);
    using memory::Verdict;
    bool const fits = judgement.verdict == Verdict::Fits || judgement.verdict == Verdict::Tight ||
                      judgement.verdict == Verdict::NeedsEviction;
    return Trial{judgement.verdict != Verdict::Unknown, fits, judgement.headroom.value_or(Bytes{}).count};
}

// What is left falls nearly in a straight line with the context, so a line through what is known says where
// to look, and the next is looked at beside it: four plans or so instead of ten. Every third halves what
// remains, whatever the line is like.
Result<std::optional<Tokens>> Sizing::largest_context(SizingSettings settings, Beside const& beside) {
    auto const said = subject_.shape.context_trained.count;
    auto const trained = said > 0 ? said : context_unknown_most;
    auto const attempted = [&](std::int64_t steps) {
        settings.context = {std::min(steps * context_step, trained)};
        return attempt(settings, beside);
    };
    std::int64_t good = 1;  // in steps: the largest known to fit, and the smallest known not to
    auto bad = std::max<std::int64_t>((trained + context_step - 1) / context_step, 1);
    HAL0_TRY(least, attempted(good));
    if (!least.known) return std::optional<Tokens>{};
    if (!least.fits) return std::optional{Tokens{}};
    HAL0_TRY(most, attempted(bad));
    if (most.fits) return std::optional{Tokens{trained}};
    bool last_fits = true;
    for (int turn = 0; bad - good > 1; ++turn) {
        auto const on_line = good + along(bad - good, least.left, most.left);
        auto const beside_last = last_fits ? good + 1 : bad - 1;
        std::int64_t const choices[]{on_line, beside_last, good + (bad - good) / 2};
        auto const middle = std::clamp(choices[turn % 3], good + 1, bad - 1);
        HAL0_TRY(trial, attempted(middle));
        last_fits = trial.fits;
        (trial.fits ? good : bad) = middle;
        (trial.fits ? least : most) = trial;
    }
    return std::optional{Tokens{std::min(good * context_step, trained)}};
}

}  // namespace hal0::app
