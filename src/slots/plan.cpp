#include "slots/plan.hpp"

#include "base/format.hpp"
#include "base/text.hpp"
#include "engines/llama_server.hpp"
#include "models/gguf_header.hpp"

namespace hal0::slots {
namespace {

Result<models::StoredModel> sound_model(models::ModelStore const& store, std::string const& id) {
    HAL0_TRY(model, store.find(id));
    if (model.state == models::ModelState::Damaged) {
        return Error{Errc::Corrupt,
                     format("the model '{}' is damaged: {}; get it again with 'hal0 model pull {}'", id,
                            model.fault, id)};
    }
    HAL0_TRY(header, models::read_gguf_header(model.main_file()));
    if (model.record.context_max == 0) model.record.context_max = header.context_length.count;
    return model;
}

}  // namespace

Result<engines::WorkerSpec> plan_worker(SlotConfig const& config, Supplies const& supplies,
                                        RunDir const& run) {
    HAL0_TRY(model, sound_model(supplies.models, config.model));
    HAL0_TRY(engine, supplies.engines.find(config.engine, config.device));
    if (config.device != engine.backend) {
        return Error{Errc::Unsupported,
                     format("{} {} computes on '{}', not on '{}': set device = \"{}\"", engine.id,
                            engine.version, engine.backend, clipped(config.device), engine.backend)};
    }
    auto const kind = config.kind.value_or(model.record.kind);
    return engines::render(engine, {.model = std::move(model),
                                    .kind = kind,
                                    .context = config.context,
                                    .parallel = config.parallel,
                                    .threads = config.threads > 0 ? config.threads : supplies.threads,
                                    .cache_ram_mib = config.cache_ram_mib,
                                    .device = config.device,
                                    .extra_args = config.extra_args,
                                    .socket = run.socket,
                                    .key_file = run.key});
}

std::optional<models::Kind> kind_of(SlotConfig const& config, models::ModelStore const& models) {
    if (config.kind) return config.kind;
    auto const model = models.find(config.model);
    if (!model || model->state == models::ModelState::Damaged) return std::nullopt;
    return model->record.kind;
}

bool same_settings(engines::WorkerSpec const& a, engines::WorkerSpec const& b) {
    auto settings = [](engines::WorkerSpec spec) {
        spec.argv.front().clear();
        spec.arguments.clear();  // told by argv already
        spec.version.clear();
        return spec;
    };
    return settings(a) == settings(b);
}

}  // namespace hal0::slots
