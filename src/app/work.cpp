#include "app/work.hpp"

#include <chrono>
#include <cstdio>

#include "base/format.hpp"
#include "base/time.hpp"
#include "engines/install.hpp"
#include "engines/lock.hpp"
#include "jobs/jobs.hpp"
#include "jobs/report.hpp"
#include "models/catalog.hpp"
#include "models/fetch_program.hpp"
#include "models/pull.hpp"
#include "os/file.hpp"
#include "os/process_info.hpp"

namespace hal0::app {

models::FetchWorld Work::fetch_world(Telling const& telling) const {
    return {.cache = places_.cache,
            .fetch_program = models::fetch_program(),
            .progress = telling.progress,
            .note = telling.note};
}

Result<models::StoredModel> Work::pull(std::string const& id, Telling const& telling) const {
    HAL0_CHECK(os::make_places(places_));
    HAL0_TRY(entry, models::catalog_entry(id));
    HAL0_CHECK(models::pull(entry, library_.model_store(), fetch_world(telling)));
    return library_.model_store().find(id);
}

Result<models::StoredModel> Work::verify(std::string const& id, Telling const& telling) const {
    HAL0_CHECK(library_.model_store().verify(id, telling.progress));
    return library_.model_store().find(id);
}

Result<engines::InstalledEngine> Work::install(std::string const& id, Telling const& telling) const {
    HAL0_CHECK(os::make_places(places_));
    HAL0_TRY(lock, engines::known_engine(id));
    return engines::install(lock, library_.engine_store(),
                            {.fetch = fetch_world(telling),
                             .logs = os::join_path(places_.state, "logs"),
                             .now = rfc3339(std::chrono::system_clock::now())});
}

jobs::Progress to_job(models::Progress const& progress) {
    return {.step = progress.step,
            .done = progress.done,
            .total = progress.total,
            .unit = progress.unit == models::Progress::Unit::Bytes ? jobs::Unit::Bytes : jobs::Unit::Steps};
}

namespace {

Result<std::string> do_job(Work const& work, std::string const& kind, std::string const& subject,
                           Telling const& telling) {
    if (kind == jobs::model_pull) {
        HAL0_TRY(model, work.pull(subject, telling));
        return format("{} is in {}", subject, model.directory);
    }
    if (kind == jobs::model_verify) {
        HAL0_TRY(model, work.verify(subject, telling));
        return format("{} is whole: {} in {}", subject, human(model.size()), model.directory);
    }
    if (kind == jobs::engine_install) {
        HAL0_TRY(engine, work.install(subject, telling));
        return format("{} {} is in {}", engine.id, engine.version, engine.directory);
    }
    return Error{Errc::Invalid, format("there is no job '{}'; there are {}, {}, {}", kind, jobs::model_pull,
                                       jobs::model_verify, jobs::engine_install)};
}

}  // namespace

int run_job(Work const& work, std::string const& kind, std::string const& subject) {
    jobs::JobReport report{[](std::string_view line) {
        (void)std::fwrite(line.data(), 1, line.size(), stdout);
        (void)std::fflush(stdout);
    }};
    Telling const telling{.progress = [&report](models::Progress const& p) { report.progress(to_job(p)); },
                          .note = [&report](std::string const& text) { report.note(text); }};
    auto const outcome = do_job(work, kind, subject, telling);
    report.end(outcome);
    return outcome.ok() ? 0 : 1;
}

}  // namespace hal0::app
