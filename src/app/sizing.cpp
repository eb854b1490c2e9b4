#include "app/sizing.hpp"

#include <algorithm>
#include <utility>

#include "base/format.hpp"
#include "base/text.hpp"
#include "memory/closed_form.hpp"
#include "memory/planned.hpp"
#include "memory/weights.hpp"
#include "models/catalog.hpp"
#include "models/gguf_model.hpp"
#include "os/file.hpp"

namespace hal0::app {
namespace {

constexpr std::int64_t context_step = 256;
constexpr std::int64_t context_unasked = 4096;         // as a slot has it
constexpr std::int64_t context_unknown_most = 131072;  // of a model that doesn't say what it was trained for

Result<Subject> subject_of_model(models::GgufModel model, std::string const& name, std::string from) {
    auto shape = memory::model_shape(model);
    if (!shape) return in_context(format("sizing {}", clipped(name)), shape.error());
    return Subject{.name = name,
                   .from = std::move(from),
                   .embeds = !shape->causal,
                   .size = model.size,
                   .shape = std::move(*shape),
                   .tensors = std::move(model.tensors),
                   .files = std::move(model.files)};
}

Result<Subject> subject_of_file(std::string const& path, std::string const& name, std::string from) {
    HAL0_TRY(model, models::read_gguf_model(path));
    return subject_of_model(std::move(model), name, std::move(from));
}

// How far along `span` a line from `left` (0 or more) to `right` (less) meets 0.
std::int64_t along(std::int64_t span, std::int64_t left, std::int64_t right) {
    auto const fall = static_cast<double>(std::max<std::int64_t>(left - right, 1));
    return static_cast<std::int64_t>(static_cast<double>(span) * static_cast<double>(left) / fall);
}

Error nowhere(std::string const& name, Library const& library) {
    std::vector<std::string> names;
    for (auto const& model : library.model_store().list())
        names.push_back(model.record.id);
    for (auto const& model : models::loadouts().models)
        names.push_back(model.name);
    auto const near = nearest(name, names);
    return {Errc::NotFound,
            format("there is no model '{}' in the store, in a loadout, or as a file{}", clipped(name),
                   near ? format("; did you mean '{}'?", *near)
                        : "; 'hal0 model list' and 'hal0 loadout list' show what there is")};
}

}  // namespace

bool names_a_file(std::string const& name) {
    return name.ends_with(".gguf") || name.find('/') != std::string::npos;
}

Bytes Subject::largest_tensor() const {
    bool const has_output = std::ranges::any_of(
        tensors, [](models::GgufTensor const& tensor) { return tensor.name == "output.weight"; });
    Bytes largest{};
    for (auto const& tensor : tensors) {
        bool const is_output_too = tensor.name == "token_embd.weight" && !has_output;
        if (!memory::is_input(tensor.name) || is_output_too)
            largest = std::max(largest, tensor.size.value_or(Bytes{}));
    }
    return largest;
}

Bytes Subject::tensors_size() const {
    Bytes sum{};
    for (auto const& tensor : tensors)
        sum += tensor.size.value_or(Bytes{});
    return sum;
}

Result<Subject> subject_of(models::LoadoutModel const& model) {
    if (!model.header) {
        return Error{Errc::Unsupported,
                     format("{} is served by an engine that nobody here can plan for", model.name)};
    }
    HAL0_TRY(subject, subject_of_model(models::header_model(model), model.name, "loadout"));
    subject.embeds = model.kind == "embed";
    if (!model.note.empty()) subject.notes.push_back(model.note);
    if (model.hard_ceiling) subject.notes.emplace_back("past the hard ceiling of boxes of 128 GB");
    return subject;
}

Result<Subject> find_subject(std::string const& name, Library const& library) {
    if (names_a_file(name)) return subject_of_file(name, name, "file");
    if (auto const stored = library.model_store().find(name); stored && stored->readable) {
        HAL0_TRY(subject, subject_of_file(stored->main_file(), name, "store"));
        auto const kind = stored->record.kind;
        subject.embeds = kind == models::Kind::Embed || kind == models::Kind::Rerank;
        if (stored->state == models::ModelState::Damaged)
            subject.notes.push_back(format("damaged: {}", stored->fault));
        return subject;
    }
    if (auto const* const model = models::loadouts().model(name)) return subject_of(*model);
    if (auto const entry = models::catalog_entry(name)) {
        return Error{
            Errc::NotFound,
            format("'{}' isn't here yet, and its header with it; 'hal0 model pull {}' gets it", name, name)};
    }
    return nowhere(name, library);
}

Tokens context_of(Subject const& subject, SizingSettings const& settings) {
    if (settings.context.count > 0) return settings.context;
    auto const trained = subject.shape.context_trained.count;
    return {trained > 0 ? std::min(trained, context_unasked) : context_unasked};
}

engines::PlanRequest plan_request(Subject const& subject, SizingSettings const& settings) {
    auto const context = context_of(subject, settings);
    engines::PlanRequest request{.context = {context.count * settings.parallel},
                                 .parallel = settings.parallel,
                                 .kv_type_k = settings.kv_type,
                                 .kv_type_v = settings.kv_type,
                                 .flash_attention = settings.flash_attention,
                                 .cache_ram = settings.cache_ram,
                                 .checkpoints = engines::checkpoints_wanted,
                                 .embeddings = subject.embeds};
    if (subject.embeds) request.batch = request.ubatch = context;
    if (settings.ubatch.count > 0) request.ubatch = settings.ubatch;
    request.batch = std::max(request.batch, request.ubatch);
    return request;
}

Sizing::Sizing(Subject const& subject, SizingPlace const& place) : subject_{subject}, place_{place} {
    std::string why;
    if (subject.files.empty()) {
        why = "its file isn't here for an engine to plan";
    } else if (!place.engine) {
        why = place.no_engine.empty() ? "no engine was asked" : place.no_engine;
    } else if (place.engine->backend != place.backend) {
        why = format("{} {} plans for {}, not for {}", place.engine->id, place.engine->version,
                     place.engine->backend, place.backend);
    } else if (!os::exists(place.engine->program(engines::Planner::program))) {
        why = format("{} {} was installed without its planner; 'hal0 engine install {}' brings it",
                     place.engine->id, place.engine->version, place.engine->id);
    } else {
        engine_name_ = format("{} {}", place.engine->id, place.engine->version);
        planner_ = std::make_unique<engines::Planner>(*place.engine, place.cache);
    }
    why_formulas_ = format("hal0's own formulas, a bound: {}", why);
    planned_by_ = planner_ ? engine_name_ : why_formulas_;
}

Result<memory::MemoryEstimate> Sizing::planned(engines::PlanRequest const& request) {
    engines::PlannedModel model;
    for (auto const& file : subject_.files)
        model.files.push_back({.path = file});
    HAL0_TRY(plan, planner_->plan(model, request));
    return memory::planned(plan, place_.target.device, engine_name_);
}

memory::Known Sizing::known(engines::PlanRequest const& request) const {
    memory::Known known{.vocabulary = subject_.shape.vocabulary};
    auto const& experience = place_.experience;
    if (!place_.engine || experience.box.empty()) return known;
    known.learned = memory::learn(experience.of_model, experience.of_others,
                                  {.box = experience.box,
                                   .engine = place_.engine->id,
                                   .version = place_.engine->version,
                                   .backend = place_.backend,
                                   .card = experience.card,
                                   .settings = memory::settings_name(request)});
    return known;
}

Result<memory::MemoryEstimate> Sizing::estimate(SizingSettings const& settings) {
    auto const request = plan_request(subject_, settings);
    auto const gpu =
        place_.target.device == memory::host_device ? std::nullopt : std::optional{place_.target.device};
    auto estimate =
        planner_ ? planned(request) : memory::closed_form(subject_.shape, subject_.tensors, request, gpu);
    planned_by_ = planner_ ? engine_name_ : why_formulas_;
    // What the engine refuses is refused; where it can't answer, the formulas do.
    bool by_formulas = !planner_;
    if (!estimate && planner_ && estimate.error().kind != Errc::Unsupported) {
        planned_by_ = format("hal0's own formulas, a bound: {}", estimate.error().message);
        by_formulas = true;
        estimate = memory::closed_form(subject_.shape, subject_.tensors, request, gpu);
    }
    if (!estimate) return estimate;
    if (by_formulas) estimate->exactness = memory::Exactness::Bound;
    memory::add_growing(*estimate, subject_.shape, request);
    memory::add_overhead(*estimate, place_.target, known(request));
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
    if (planner_ && estimated.exactness == memory::Exactness::Bound)
        return Error{Errc::Unavailable, "the planner doesn't answer for every context"};
    auto needed = demand(estimated);
    needed += beside.others;
    auto const judgement = memory::judge(needed, beside.pools, place_.target);
    using memory::Verdict;
    bool const fits = judgement.verdict == Verdict::Fits || judgement.verdict == Verdict::Tight;
    return Trial{judgement.verdict != Verdict::Unknown, fits, judgement.headroom.value_or(Bytes{}).count};
}

// What is left falls nearly in a straight line with the context, so a line through what is known says where
// to look, and the next is looked at beside it: four plans or so instead of ten. Every third halves what
// remains, whatever the line is like.
Result<std::optional<Tokens>> Sizing::largest_context(SizingSettings settings,
                                                      std::vector<memory::Pool> const& pools,
                                                      memory::Demand const& others) {
    auto const said = subject_.shape.context_trained.count;
    auto const trained = said > 0 ? said : context_unknown_most;
    Beside const beside{pools, others};
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
