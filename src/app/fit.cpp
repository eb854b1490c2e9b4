#include "app/fit.hpp"

#include <algorithm>
#include <utility>

#include "app/measuring.hpp"
#include "base/format.hpp"
#include "base/text.hpp"
#include "engines/lock.hpp"
#include "memory/closed_form.hpp"

namespace hal0::app {
namespace {

constexpr std::int64_t context_asked_max = std::int64_t{1} << 30;
constexpr Duration largest_age_max = std::chrono::seconds{5};

Result<std::int64_t> within(std::optional<std::int64_t> asked, std::string_view what, std::int64_t most,
                            std::int64_t otherwise) {
    if (asked && (*asked < 1 || *asked > most))
        return Error{Errc::Invalid, format("{} must be 1 to {}, not {}", what, most, *asked)};
    return asked.value_or(otherwise);
}

Result<engines::KvType> kv_type_of(std::optional<std::string> const& name) {
    if (!name) return engines::KvType::F16;
    if (auto const known = engines::kv_type_from(*name)) return *known;
    return Error{Errc::Invalid, format("the type of the cache can't be '{}': f32, f16, bf16, q8_0, q5_1, "
                                       "q5_0, q4_1, q4_0 or iq4_nl",
                                       clipped(*name))};
}

Result<engines::FlashAttention> flash_attention_of(std::optional<std::string> const& name) {
    if (!name || *name == "auto") return engines::FlashAttention::Auto;
    if (*name == "on") return engines::FlashAttention::On;
    if (*name == "off") return engines::FlashAttention::Off;
    return Error{Errc::Invalid, format("flash attention is 'on', 'off' or 'auto', not '{}'", clipped(*name))};
}

Result<SizingSettings> settings_of(wire::FitQuestion const& question) {
    HAL0_TRY(context, within(question.context, "context", context_asked_max, 0));
    HAL0_TRY(parallel, within(question.parallel, "parallel", 64, 1));
    HAL0_TRY(ubatch, within(question.ubatch, "ubatch", 1 << 20, 0));
    constexpr std::int64_t cache_ram_max_mib = 1 << 20;
    auto const cache_ram = question.cache_ram_mib.value_or(0);
    if (cache_ram < 0 || cache_ram > cache_ram_max_mib)
        return Error{Errc::Invalid,
                     format("the prompt cache must be 0 to {} MiB, not {}", cache_ram_max_mib, cache_ram)};
    HAL0_TRY(kv_type, kv_type_of(question.kv_type));
    HAL0_TRY(flash_attention, flash_attention_of(question.flash_attention));
    using engines::KvType;
    bool const quantised = kv_type != KvType::F32 && kv_type != KvType::F16 && kv_type != KvType::BF16;
    if (quantised && flash_attention == engines::FlashAttention::Off)  // llama-context.cpp refuses it
        return Error{Errc::Invalid, format("a cache of {} needs flash attention: on or auto, not off",
                                           engines::to_string(kv_type))};
    return SizingSettings{.context = {context},
                          .parallel = static_cast<std::int32_t>(parallel),
                          .ubatch = {ubatch},
                          .kv_type = kv_type,
                          .flash_attention = flash_attention,
                          .cache_ram = {cache_ram * (1_MiB).count}};
}

std::vector<wire::FitDevice> views_of(memory::MemoryEstimate const& estimate) {
    std::vector<wire::FitDevice> devices;
    for (auto const& share : estimate.shares) {
        auto& device = devices.emplace_back(wire::FitDevice{.device = share.device, .total = share.total()});
        for (auto const& term : share.terms)
            device.terms.push_back(
                {term.name, term.bytes, std::string{memory::to_string(term.exactness)}, term.source});
    }
    return devices;
}

wire::FitPool view_of(memory::Pool const& pool, std::string const& device) {
    wire::FitPool view{.id = pool.id,
                       .total = pool.total(),
                       .used = pool.used(),
                       .free = pool.free(),
                       .host_known = pool.host_known};
    if (auto const* const carved = pool.part(memory::PoolPart::Kind::CarveOut, device))
        view.carve_out = carved->total;
    if (auto const* const cap = pool.cap(device)) {
        view.cap = cap->total;
        view.cap_used = cap->used;
    }
    return view;
}

// What people would trip over in an answer that is right.
std::vector<std::string> warnings_of(Subject const& subject, SizingSettings const& settings,
                                     memory::MemoryEstimate const& estimate) {
    std::vector<std::string> found;
    auto const asked = context_of(subject, settings).count;
    auto const trained = subject.shape.context_trained.count;
    if (trained > 0 && asked > trained)
        found.push_back(
            format("{} tokens were asked for, and it was trained for {}: past that it answers "
                   "badly, or not at all",
                   asked, trained));
    auto const output = estimate.of(memory::output_term);
    if (subject.embeds && output >= 1_GiB)
        found.push_back(
            format("of an embedder the engine keeps a row of its whole vocabulary for each token of a "
                   "text, {} here: a smaller context takes less",
                   human(output)));
    if (estimate.exactness == memory::Exactness::Least)
        found.emplace_back("its projector takes more than that for a large image, or for several at a time");
    return found;
}

Result<Extras> extras_of(wire::FitQuestion const& question, Library const& library) {
    Extras extras{.mtp = question.mtp.value_or(false)};
    if (question.mmproj) {
        HAL0_TRY(projector, find_projector(*question.mmproj, library));
        extras.projector = std::move(projector);
    }
    if (question.draft) {
        HAL0_TRY(draft, find_subject(*question.draft, library));
        extras.draft = std::move(draft);
    }
    return extras;
}

wire::FitSettings view_of(Subject const& subject, SizingSettings const& settings, SizingPlace const& place) {
    auto const request = plan_request(subject, settings);
    bool const on_host = place.target.device == memory::host_device;
    return {.context = context_of(subject, settings).count,
            .parallel = request.parallel,
            .kv_type = std::string{engines::to_string(settings.kv_type)},
            .ubatch = request.ubatch.count,
            .flash_attention = std::string{engines::to_string(settings.flash_attention)},
            .device = on_host ? "cpu" : place.target.device,
            .backend = place.backend,
            .engine = place.engine ? format("{} {}", place.engine->id, place.engine->version) : ""};
}

}  // namespace

wire::FitVerdict view_of(memory::Judgement const& judgement, memory::Target const& target) {
    wire::FitVerdict view{.verdict = std::string{memory::to_string(judgement.verdict)},
                          .headroom = judgement.headroom,
                          .evict = judgement.evicted,
                          .stays = judgement.stays,
                          .sentence = memory::sentence(judgement, target)};
    if (auto const& bound = judgement.decisive) {
        view.limit = std::string{memory::to_string(bound->limit)};
        view.need = bound->need;
        view.free = bound->free;
        view.capacity = bound->capacity;
    }
    return view;
}

Result<std::unique_ptr<Fit>> Fit::open(wire::FitQuestion const& question, os::Places const& places,
                                       Library const& library, hardware::HardwareReport const& report,
                                       Duration patience) {
    HAL0_CHECK(settings_of(question));
    HAL0_TRY(device, device_of(report, question.device));
    HAL0_TRY(subject, find_subject(question.model, library));
    HAL0_TRY(extras, extras_of(question, library));
    HAL0_CHECK(check_extras(subject, extras));
    SizingPlace place{
        .target = device.target, .backend = device.backend, .cache = places.cache, .patience = patience};
    auto const engine = library.engine_store().find(question.engine.value_or("llama.cpp"), device.backend);
    if (engine) place.engine = *engine;
    if (!engine && question.engine) {
        HAL0_CHECK(engines::known_engine(*question.engine));
        return engine.error();
    }
    if (!engine) place.no_engine = engine.error().message;
    return std::unique_ptr<Fit>{new Fit{question,
                                        std::move(subject),
                                        std::move(extras),
                                        std::move(place),
                                        {MeasuredStore{places}, library.model_store()}}};
}

bool Fit::holds(wire::FitQuestion const& question, hardware::HardwareReport const& report) const {
    auto const device = device_of(report, question.device);  // another may be recommended by now
    return device && device->target.device == place_.target.device && device->backend == place_.backend &&
           question.model == question_.model && question.engine == question_.engine &&
           question.mmproj == question_.mmproj && question.draft == question_.draft &&
           question.mtp.value_or(false) == question_.mtp.value_or(false);
}

// A search that fails takes nothing from the answer.
std::optional<std::int64_t> Fit::largest_context(std::optional<Largest>& known, SizingSettings settings,
                                                 std::vector<std::string> const& evicted, Box const& box) {
    settings.context = {};
    auto const now = Clock::now();
    bool const fresh = known && known->settings == settings && known->evicted == evicted &&
                       now - known->found < largest_age_max;
    if (!fresh) {
        auto may_go = box.residents(place_.target);
        std::erase_if(may_go, [&evicted](memory::Resident const& resident) {
            return std::ranges::find(evicted, resident.name) == evicted.end();
        });
        auto const largest = sizing_.largest_context(settings, {.pools = box.pools, .may_go = may_go});
        if (!largest) return std::nullopt;
        known = Largest{settings, evicted, *largest, now};
    }
    if (!known->context) return std::nullopt;
    return known->context->count;
}

void Fit::tell_contexts(wire::FitView& view, SizingSettings const& settings,
                        memory::Judgement const& judgement, Box const& box) {
    auto const beside_all = largest_context(beside_all_, settings, {}, box);
    view.context_that_fits = beside_all;
    if (judgement.evicted.empty()) return;
    view.context_beside_all = beside_all;
    view.context_that_fits = largest_context(with_evicted_gone_, settings, judgement.evicted, box);
}

// On the processor nothing is learned of other models.
Experience Fit::experience(Box const& box) const {
    if (box.name.empty()) return {};
    auto const main_file = subject_.files.empty() ? std::string{} : subject_.files.front();
    Experience experience{.box = box.name, .card = card_name(box.report, place_.target.device)};
    if (!main_file.empty()) experience.of_model = measured_.store.of(main_file);
    if (place_.target.device != memory::host_device)
        experience.of_others = measured_.store.of_others(measured_.models, main_file);
    return experience;
}

Result<wire::FitView> Fit::answer(wire::FitQuestion const& question, Box const& box) {
    HAL0_TRY(settings, settings_of(question));
    place_.experience = experience(box);
    HAL0_TRY(estimate, sizing_.estimate(settings));
    auto const planned_by = sizing_.planned_by();
    auto const refused = sizing_.refused();
    auto const& target = place_.target;
    auto const judgement = memory::judge(sizing_.demand(estimate), box.pools, target, box.residents(target));
    wire::FitView view{.model = subject_.name,
                       .from = subject_.from,
                       .size = subject_.size,
                       .settings = view_of(subject_, settings, place_),
                       .mmproj = question.mmproj,
                       .draft = question.draft,
                       .mtp = extras_.mtp,
                       .exactness = std::string{memory::to_string(estimate.exactness)},
                       .planned_by = planned_by,
                       .devices = views_of(estimate),
                       .total = estimate.total(),
                       .fit = app::view_of(judgement, target),
                       .notes = subject_.notes};
    auto fault = fault_of(subject_, extras_);
    if (fault.empty()) fault = refused;
    if (!fault.empty()) view.fault = std::move(fault);
    auto const warnings = warnings_of(subject_, settings, estimate);
    view.notes.insert(view.notes.end(), warnings.begin(), warnings.end());
    if (auto const* const gpu = box.report.gpu(target.device); gpu != nullptr && gpu->why_not)
        view.notes.push_back(format("{} can't be used now: {}", target.device, *gpu->why_not));
    auto const computing = std::ranges::count_if(box.report.gpus, [](hardware::GpuReport const& gpu) {
        return gpu.vendor == "amd" || gpu.vendor == "nvidia" || gpu.vendor == "intel";
    });
    if (target.device != memory::host_device && computing > 1)
        view.notes.push_back(
            format("this box has {} GPUs, and which of them a worker takes its engine says: "
                   "this is for {} alone",
                   computing, target.device));
    view.notes.insert(view.notes.end(), box.notes.begin(), box.notes.end());
    if (auto const* const pool = memory::pool_of(box.pools, target.device))
        view.pool = view_of(*pool, target.device);
    tell_contexts(view, settings, judgement, box);
    if (subject_.shape.context_trained.count > 0) view.context_max = subject_.shape.context_trained.count;
    return view;
}

}  // namespace hal0::app
