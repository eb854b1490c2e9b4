#include "app/library.hpp"

#include <algorithm>

#include "api/translate.hpp"
#include "base/format.hpp"
#include "base/text.hpp"
#include "engines/lock.hpp"
#include "models/catalog.hpp"
#include "os/file.hpp"

namespace hal0::app {
namespace {

wire::ModelView view_of_entry(models::CatalogEntry const& entry) {
    wire::ModelView view{.id = entry.record.id,
                         .name = entry.record.name,
                         .kind = std::string{models::to_string(entry.record.kind)},
                         .state = "available",
                         .licence = entry.record.licence,
                         .source = entry.record.source,
                         .context_max = entry.record.context_max};
    for (auto const& file : entry.record.files) {
        view.files.push_back({file.name, file.size.count, file.sha256});
        view.size += file.size.count;
    }
    return view;
}

// An older hal0 may have installed the same version with fewer programs.
bool is_current(engines::InstalledEngine const& engine) {
    auto const lock = engines::known_engine(engine.id);
    return lock && lock->version == engine.version &&
           std::all_of(lock->programs.begin(), lock->programs.end(), [&engine](std::string const& program) {
               return std::find(engine.programs.begin(), engine.programs.end(), program) !=
                      engine.programs.end();
           });
}

wire::EngineView view_of_lock(engines::EngineLock const& lock) {
    return {.id = lock.id,
            .version = lock.version,
            .backend = lock.backend,
            .state = "available",
            .runs_here = true,
            .current = true};
}

}  // namespace

std::vector<std::string> Library::directories() const {
    auto directories = models_.roots();
    for (auto const& lock : engines::known_engines())
        directories.push_back(os::join_path(engines_.root(), lock.id));
    return directories;
}

std::vector<wire::ModelView> Library::models() const {
    std::vector<wire::ModelView> views;
    for (auto const& model : models_.list())
        views.push_back(api::view_of(model, {}));
    auto const stored = [&views](std::string const& id) {
        return std::any_of(views.begin(), views.end(),
                           [&id](wire::ModelView const& view) { return view.id == id; });
    };
    for (auto const& entry : models::catalog()) {
        if (!stored(entry.record.id)) views.push_back(view_of_entry(entry));
    }
    std::sort(views.begin(), views.end(),
              [](wire::ModelView const& a, wire::ModelView const& b) { return a.id < b.id; });
    return views;
}

Result<wire::ModelView> Library::model(std::string const& id) const {
    for (auto& view : models()) {
        if (view.id == id) return std::move(view);
    }
    HAL0_CHECK(models_.find(id));  // knows what is near
    return Error{Errc::NotFound, format("there is no model '{}'", clipped(id))};
}

std::vector<wire::EngineView> Library::engines() const {
    std::vector<wire::EngineView> views;
    for (auto const& engine : engines_.list()) {
        auto& view = views.emplace_back(api::view_of(engine, engines_.runs_here(engine), {}));
        view.current = is_current(engine);
    }
    for (auto const& lock : engines::known_engines()) {
        bool const here = std::any_of(views.begin(), views.end(), [&lock](wire::EngineView const& view) {
            return view.id == lock.id && view.current && view.runs_here;
        });
        if (!here) views.push_back(view_of_lock(lock));
    }
    return views;
}

Result<wire::EngineView> Library::engine(std::string const& id) const {
    if (auto const found = engines_.find(id)) {
        auto view = api::view_of(*found, true, {});
        view.current = is_current(*found);
        return view;
    }
    HAL0_TRY(lock, engines::known_engine(id));
    return view_of_lock(lock);
}

Result<engines::InstalledEngine> Library::installed(std::string const& id, std::string const& key) const {
    for (auto& engine : engines_.list()) {
        if (engine.id == id && engine.key == key) return std::move(engine);
    }
    return Error{Errc::NotFound,
                 format("no build '{}' of {} is installed; 'hal0 engine list' shows those that are",
                        clipped(key), clipped(id))};
}

}  // namespace hal0::app
