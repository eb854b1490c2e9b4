#include "api/translate.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "base/format.hpp"
#include "base/text.hpp"
#include "base/time.hpp"

namespace hal0::api {
namespace {

template <class T> void take_if(std::optional<T> const& given, T& field) {
    if (given) field = *given;
}

std::optional<std::int64_t> tokens_told(std::int32_t tokens) {
    return tokens >= 0 ? std::optional<std::int64_t>{tokens} : std::nullopt;
}

// Three digits are what a clock of milliseconds is good for.
std::optional<double> per_second(std::int32_t tokens, float ms) {
    if (tokens <= 0 || ms <= 0) return std::nullopt;
    auto const exact = static_cast<double>(tokens) * 1000.0 / static_cast<double>(ms);
    auto const unit = std::pow(10.0, std::floor(std::log10(exact)) - 2);
    return std::round(exact / unit) * unit;
}

}  // namespace

wire::SlotView view_of(slots::SlotStatus const& slot, SlotLoad const& load) {
    wire::SlotView view;
    view.name = slot.name;
    if (slot.kind) view.kind = models::to_string(*slot.kind);
    view.state = slots::to_string(slot.state);
    view.wanted = slots::to_string(slot.wanted);
    view.cause = slot.cause;
    view.model = slot.model;
    view.provider = slot.engine;
    view.version = slot.version;
    view.backend = slot.backend;
    view.device = slot.device;
    view.pid = slot.pid;
    view.since = rfc3339(slot.since);
    if (slot.memory) view.memory = slot.memory->count;
    view.context = slot.context;
    view.parallel = slot.parallel;
    view.in_flight = static_cast<std::int64_t>(load.in_flight);
    view.waiting = static_cast<std::int64_t>(load.waiting);
    view.loads = slot.loads;
    view.restarts = slot.restarts;
    view.adopted = slot.adopted;
    view.restart_pending = slot.restart_pending;
    if (!slot.suspicious.empty()) view.suspicious = slot.suspicious;
    if (load.address) view.address = os::to_string(*load.address);
    view.file = slot.file;
    view.log = slot.log;
    view.warnings = slot.warnings;
    return view;
}

wire::ModelView view_of(models::StoredModel const& model, std::vector<std::string> used_by) {
    auto const& record = model.record;
    wire::ModelView view;
    view.id = record.id;
    view.name = record.name;
    view.kind = models::to_string(record.kind);
    view.state = model.state == models::ModelState::Present ? "present" : "damaged";
    view.fault = model.fault;
    view.licence = record.licence;
    view.source = record.source;
    view.size = model.size().count;
    view.context_max = record.context_max;
    view.directory = model.directory;
    for (auto const& file : record.files)
        view.files.push_back({.name = file.name, .size = file.size.count, .sha256 = file.sha256});
    view.used_by = std::move(used_by);
    return view;
}

wire::EngineView view_of(engines::InstalledEngine const& engine, bool runs_here,
                         std::vector<std::string> used_by) {
    wire::EngineView view;
    view.id = engine.id;
    view.version = engine.version;
    view.key = engine.key;
    view.backend = engine.backend;
    view.state = "installed";
    view.runs_here = runs_here;
    view.size = engine.size().count;
    view.directory = engine.directory;
    view.built_at = engine.built_at;
    view.used_by = std::move(used_by);
    return view;
}

wire::JobView view_of(jobs::Job const& job) {
    wire::JobView view;
    view.id = job.id;
    view.kind = job.kind;
    view.subject = job.subject;
    view.state = jobs::to_string(job.state);
    view.step = job.progress.step;
    view.done = job.progress.done;
    view.total = job.progress.total;
    view.unit = jobs::to_string(job.progress.unit);
    view.notes.assign(job.notes.begin(), job.notes.end());
    view.message = job.message;
    if (job.error) view.code = errc_name(job.error->kind);
    view.log = job.log;
    view.started = rfc3339(job.started);
    if (job.ended) view.ended = rfc3339(*job.ended);
    return view;
}

wire::EventView view_of(history::Event const& event) {
    return {.id = history::to_string(event.id),
            .time = rfc3339(event.time),
            .type = event.type,
            .subject = event.subject,
            .data = {event.data.empty() ? "null" : event.data}};
}

wire::RequestView view_of(history::RequestRecord const& request) {
    auto const& told = request.figures;
    wire::RequestView view{.number = request.number,
                           .id = request.id,
                           .time = rfc3339(request.began),
                           .slot = request.slot,
                           .model = request.model,
                           .path = request.path,
                           .outcome = request.outcome,
                           .status = request.status,
                           .stream = request.stream,
                           .waited_s = request.waited_s,
                           .first_byte_s = request.first_byte_s,
                           .total_s = request.total_s,
                           .prompt_tokens = tokens_told(told.prompt_tokens),
                           .cached_tokens = tokens_told(told.cached_tokens),
                           .generated_tokens = tokens_told(told.generated_tokens),
                           .in_flight = request.in_flight,
                           .answer_bytes = request.answer_bytes};
    view.prompt_tokens_per_s =
        per_second(told.prompt_tokens - std::max(told.cached_tokens, 0), told.prompt_ms);
    view.generated_tokens_per_s = per_second(told.generated_tokens, told.generated_ms);
    return view;
}

wire::LoadView view_of(history::LoadRecord const& load) {
    return {.number = load.number,
            .time = rfc3339(load.began),
            .slot = load.slot,
            .model = load.model,
            .provider = load.engine,
            .version = load.version,
            .backend = load.backend,
            .seconds = load.seconds,
            .outcome = load.outcome,
            .why = load.why,
            .memory = load.memory};
}

wire::PlacesView view_of(os::Places const& places) {
    return {.config = places.config,
            .data = places.data,
            .state = places.state,
            .runtime = places.runtime,
            .cache = places.cache};
}

Result<slots::SlotConfig> config_of(wire::SlotCreate const& slot) {
    slots::SlotConfig config;
    config.name = slot.name;
    config.model = slot.model;
    if (slot.kind) {
        config.kind = models::kind_from(*slot.kind);
        if (!config.kind) {
            return Error{Errc::Invalid,
                         format("kind is one of {}, not '{}'", models::kind_list(), clipped(*slot.kind))};
        }
    }
    take_if(slot.device, config.device);
    take_if(slot.enabled, config.enabled);
    take_if(slot.context, config.context);
    take_if(slot.parallel, config.parallel);
    take_if(slot.threads, config.threads);
    take_if(slot.cache_ram_mib, config.cache_ram_mib);
    take_if(slot.idle_unload_s, config.idle_unload_s);
    take_if(slot.extra_args, config.extra_args);
    return config;
}

}  // namespace hal0::api
