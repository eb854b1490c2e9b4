#include "app/offline.hpp"

#include <utility>

#include "api/translate.hpp"
#include "app/library.hpp"
#include "app/memory_command.hpp"
#include "app/serve.hpp"
#include "app/work.hpp"
#include "base/format.hpp"
#include "base/text.hpp"
#include "cli/daemon.hpp"
#include "engines/install.hpp"
#include "jobs/jobs.hpp"
#include "os/file.hpp"
#include "os/lock_file.hpp"
#include "os/signals.hpp"
#include "slots/end_workers.hpp"
#include "slots/exec.hpp"
#include "slots/workers.hpp"

namespace hal0::app {
namespace {

// What the work needs of this home: read anew for each command, for it may have changed.
struct Desk {
    os::Places places;
    Library library;
    [[nodiscard]] Work work() const { return {places, library}; }
};

Result<Desk> open_desk() {
    HAL0_TRY(places, os::find_places());
    HAL0_TRY(settings, read_settings(places));
    return Desk{places, Library{places, settings.settings.model_roots}};
}

wire::JobView view_of(models::Progress const& told) {
    auto const progress = to_job(told);
    return {.state = std::string{jobs::to_string(jobs::State::Running)},
            .step = progress.step,
            .done = progress.done,
            .total = progress.total,
            .unit = std::string{jobs::to_string(progress.unit)}};
}

Result<std::vector<wire::ModelView>> models() {
    HAL0_TRY(desk, open_desk());
    return desk.library.models();
}

Result<wire::ModelView> pull(std::string const& id, cli::Offline::OnJob const& on_job) {
    HAL0_TRY(desk, open_desk());
    HAL0_TRY(model, desk.work().pull(id, telling(on_job)));
    return api::view_of(model, {});
}

Result<void> verify(std::string const& id, cli::Offline::OnJob const& on_job) {
    HAL0_TRY(desk, open_desk());
    HAL0_CHECK(desk.work().verify(id, telling(on_job)));
    return {};
}

Result<std::vector<wire::EngineView>> engines() {
    HAL0_TRY(desk, open_desk());
    return desk.library.engines();
}

Result<wire::EngineView> install(std::string const& id, cli::Offline::OnJob const& on_job) {
    HAL0_TRY(desk, open_desk());
    HAL0_TRY(engine, desk.work().install(id, telling(on_job)));
    return api::view_of(engine, true, {});
}

Result<void> remove(std::string const& id, std::string const& key) {
    HAL0_TRY(desk, open_desk());
    HAL0_TRY(engine, desk.library.installed(id, key));
    HAL0_TRY(users, slots::slots_running_from(desk.places, engine.directory));
    if (!users.empty())
        return Error{Errc::Conflict,
                     format("the workers of {} run it; 'hal0 stop' ends them", join(users, ", "))};
    return engines::remove(engine, desk.library.engine_store());
}

Result<std::size_t> end_workers() {
    HAL0_TRY(places, os::find_places());
    if (!os::exists(places.runtime)) return std::size_t{0};
    // Held meanwhile: a daemon that starts just now must not take them over as they end.
    auto const home = os::LockFile::acquire(cli::daemon_lock(places));
    if (!home) return in_context("ending the workers that no daemon looks after", home.error());
    return slots::end_workers(places, std::chrono::seconds{10});
}

}  // namespace

Telling telling(cli::Offline::OnJob const& on_job) {
    return {.progress = [on_job](models::Progress const& progress) { on_job(view_of(progress)); },
            .note =
                [on_job](std::string const& text) {
                    on_job({.state = std::string{jobs::to_string(jobs::State::Running)}, .notes = {text}});
                }};
}

cli::Offline offline_work() {
    return {.models = models,
            .pull = pull,
            .verify = verify,
            .engines = engines,
            .install = install,
            .remove = remove,
            .end_workers = end_workers,
            .memory = read_memory_without_daemon};
}

Result<int> job_command(cli::Arguments const& arguments, cli::Context&) {
    os::ignore_broken_pipes();  // a daemon that was killed reads no more: the work goes on all the same
    HAL0_TRY(desk, open_desk());
    return run_job(desk.work(), arguments.text("KIND"), arguments.text("SUBJECT"));
}

Result<int> slot_exec_command(cli::Arguments const& arguments, cli::Context&) {
    if (arguments.has("unit")) return static_cast<int>(slots::exec_unit(arguments.text("NAME")));
    HAL0_TRY(places, os::find_places());
    return static_cast<int>(slots::exec_worker(places, arguments.text("NAME")));
}

}  // namespace hal0::app
