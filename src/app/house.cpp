#include "app/house.hpp"

#include <utility>

#include "api/translate.hpp"
#include "app/work.hpp"
#include "base/format.hpp"
#include "base/text.hpp"
#include "engines/install.hpp"
#include "models/catalog.hpp"
#include "wire/codec.hpp"

namespace hal0::app {

void House::move_in(slots::SlotTable& slots, dispatch::Dispatcher& dispatcher, jobs::Jobs& jobs) {
    slots_ = &slots;
    dispatcher_ = &dispatcher;
    jobs_ = &jobs;
}

wire::StatusView House::status() { return world_.status(); }
void House::stop(std::function<void()> slots_are_down) { world_.stop(std::move(slots_are_down)); }

void House::publish(std::string_view type, std::string const& subject, std::string data) {
    world_.events.publish(std::chrono::system_clock::now(), std::string{type}, subject, std::move(data));
}

// ---- slots

wire::SlotView House::view_of(slots::SlotStatus const& status) const {
    api::SlotLoad load{.in_flight = dispatcher_->in_flight(status.name),
                       .waiting = dispatcher_->waiting(status.name)};
    if (status.pid) load.address = dispatcher_->worker(status.name);
    return api::view_of(status, load);
}

slots::Done House::viewing(SlotDone done) const {
    return [this, done = std::move(done)](Result<slots::SlotStatus> const& status) {
        if (!status) return done(status.error());
        done(view_of(*status));
    };
}

std::vector<wire::SlotView> House::slots() {
    std::vector<wire::SlotView> views;
    for (auto const& status : slots_->list())
        views.push_back(view_of(status));
    return views;
}

api::SlotCounts House::counts(std::string const& slot) {
    auto const loads = loads_.find(slot);
    return {slot, dispatcher_->tally(slot), loads == loads_.end() ? dispatch::Times{} : loads->second};
}

Result<wire::SlotView> House::slot(std::string const& name) {
    HAL0_TRY(status, slots_->find(name));
    return view_of(status);
}

void House::load_slot(std::string const& name, SlotDone done) {
    slots_->load(name, viewing(std::move(done)));
}
void House::unload_slot(std::string const& name, slots::InFlight requests, SlotDone done) {
    slots_->unload(name, viewing(std::move(done)), requests);
}
void House::restart_slot(std::string const& name, slots::InFlight requests, SlotDone done) {
    slots_->restart(name, viewing(std::move(done)), requests);
}
void House::swap_slot(std::string const& name, std::string const& model, SlotDone done) {
    slots_->swap(name, model, viewing(std::move(done)));
}

void House::create_slot(wire::SlotCreate const& slot, SlotDone done) {
    auto const config = api::config_of(slot);
    if (!config) return done(config.error());
    slots_->create(*config, viewing(std::move(done)));
}

void House::remove_slot(std::string const& name, slots::InFlight requests, Done done) {
    slots_->remove(
        name,
        [done = std::move(done)](Result<slots::SlotStatus> const& status) {
            status ? done({}) : done(status.error());
        },
        requests);
}

Result<wire::SlotExplain> House::explain_slot(std::string const& name) {
    HAL0_TRY(lines, slots_->explain(name));
    // Behind how it is, before the rest: a slot that is slow is asked about because of that.
    auto const of_the_past = world_.chronicle.explain(name);
    lines.insert(lines.begin() + (lines.empty() ? 0 : 1), of_the_past.begin(), of_the_past.end());
    return wire::SlotExplain{.name = name, .lines = std::move(lines)};
}

Result<wire::SlotArgv> House::slot_argv(std::string const& name) {
    HAL0_TRY(spec, slots_->spec(name));
    HAL0_TRY(status, slots_->find(name));
    wire::SlotArgv view{.name = name,
                        .running = status.pid.has_value(),
                        .program = spec.argv.front(),
                        .environment = spec.environment};
    for (auto const& said : spec.arguments)
        view.arguments.push_back({said.flag, said.value, said.from, said.instead_of});
    return view;
}

Result<std::vector<wire::SettingDiffView>> House::slot_diff(std::string const& name) {
    HAL0_TRY(differences, slots_->differences(name));
    std::vector<wire::SettingDiffView> views;
    views.reserve(differences.size());
    for (auto& one : differences)
        views.push_back({std::move(one.what), std::move(one.running), std::move(one.configured)});
    return views;
}

Result<void> House::reload_slots() { return slots_->reload(); }

Result<std::string> House::slot_log(std::string const& name) { return slots_->log_path(name); }

// ---- models and engines

void House::add_users(std::vector<wire::ModelView>& models) const {
    auto const slots = slots_->list();
    for (auto& model : models) {
        for (auto const& slot : slots) {
            if (slot.model == model.id) model.used_by.push_back(slot.name);
        }
        if (model.state != "present" && jobs_->running(jobs::model_pull, model.id) != nullptr)
            model.state = "pulling";
    }
}

std::vector<wire::ModelView> House::models() {
    auto views = world_.library.models();
    add_users(views);
    return views;
}

Result<wire::ModelView> House::model(std::string const& id) {
    HAL0_TRY(view, world_.library.model(id));
    std::vector views{std::move(view)};
    add_users(views);
    return std::move(views.front());
}

Result<api::House::Need> House::model_need(std::string const& id) {
    auto const stored = world_.library.model_store().find(id);
    bool const present = stored && stored->state == models::ModelState::Present;
    auto const entry = models::catalog_entry(id);
    // One that goes by the catalogue's name and isn't the catalogue's: the job says what to do.
    if (present && (!entry || stored->record.files == entry->record.files)) return Need::Nothing;
    if (!entry) return entry.error();
    return Need::Job;
}

Result<api::House::Need> House::verify_need(std::string const& id) {
    HAL0_CHECK(world_.library.model_store().find(id));
    return Need::Job;
}

std::vector<std::string> House::users_of(std::string const& engine_directory) const {
    std::vector<std::string> names;
    for (auto const& slot : slots_->list()) {
        if (slot.program.starts_with(engine_directory + "/")) names.push_back(slot.name);
    }
    return names;
}

void House::add_users(std::vector<wire::EngineView>& engines) const {
    for (auto& engine : engines) {
        if (!engine.directory.empty()) engine.used_by = users_of(engine.directory);
        if (engine.state != "installed" && jobs_->running(jobs::engine_install, engine.id) != nullptr)
            engine.state = "installing";
    }
}

std::vector<wire::EngineView> House::engines() {
    auto views = world_.library.engines();
    add_users(views);
    return views;
}

Result<wire::EngineView> House::engine(std::string const& id) {
    HAL0_TRY(view, world_.library.engine(id));
    std::vector views{std::move(view)};
    add_users(views);
    return std::move(views.front());
}

Result<api::House::Need> House::engine_need(std::string const& id) {
    HAL0_TRY(view, world_.library.engine(id));
    return view.state == "installed" && view.current ? Need::Nothing : Need::Job;
}

void House::remove_engine(wire::EngineView const& engine, Done done) {
    auto const installed = world_.library.installed(engine.id, engine.key);
    if (!installed) return done(installed.error());
    world_.pool.run(
        world_.inbox,
        [engine = *installed, &store = world_.library.engine_store()] {
            return engines::remove(engine, store);
        },
        [this, done = std::move(done)](Result<void> const& removed) {
            slots_->supplies_changed();
            done(removed);
        });
}

void House::hardware(std::function<void(Result<hardware::HardwareReport>)> done) {
    world_.pool.run(world_.inbox, world_.box, std::move(done));
}

void House::memory(std::function<void(Result<wire::MemoryView>)> done) {
    std::vector<memory::SlotProcess> workers;
    for (auto const& slot : slots_->list()) {
        if (slot.pid) workers.push_back({slot.name, static_cast<int>(*slot.pid)});
        if (slot.state == slots::State::Ready) measure(slot.name, Moment::Used);
    }
    world_.memory.ask(std::move(workers), Clock::now(), std::move(done));
}

void House::fit(wire::FitQuestion const& question, std::function<void(Result<wire::FitView>)> done) {
    std::vector<std::string> loading;
    for (auto const& slot : slots_->list()) {
        bool const comes_up = slot.state == slots::State::Starting || slot.state == slots::State::Loading;
        if (comes_up && !slot.adopted) loading.push_back(slot.name);
    }
    world_.fit.ask(
        question, [loading = join(loading, ", "), done = std::move(done)](Result<wire::FitView> view) {
            if (view && !loading.empty())
                view->notes.push_back(
                    format("loading now: {}; what that will still take counts as free here", loading));
            done(std::move(view));
        });
}

void House::job_changed(jobs::Job const& job) {
    publish(api::job_changed.name, job.id, wire::encode(api::view_of(job)));
    if (job.state == jobs::State::Running) return;
    if (job.error) {
        world_.log.warn("{} {} failed: {}", job.kind, job.subject, job.error->message);
    } else {
        world_.log.info("{} {}: {}", job.kind, job.subject, jobs::to_string(job.state));
    }
    // One that failed has changed nothing, but for a check: it has found a model damaged.
    if (job.state == jobs::State::Done || job.kind == jobs::model_verify) slots_->supplies_changed();
}

// ---- what the slots tell

void House::slot_changed(slots::SlotStatus const& status) {
    dispatcher_->upsert({.slot = status.name,
                         .model = status.model,
                         .kind = status.kind,
                         .context = status.context,
                         .created = status.created});
    publish(api::slot_state.name, status.name, wire::encode(view_of(status)));
    world_.chronicle.slot_changed(status);
    using slots::State;
    if (status.state == State::Ready || status.state == State::Offline) logged_.erase(status.name);
    if (status.state != State::Error) return;
    if (std::exchange(logged_[status.name], status.cause) != status.cause)
        world_.log.warn("slot {} is down: {}", status.name, status.cause);
}

void House::slot_ready(std::string const& slot, os::Address const& worker, std::string const& key) {
    auto const status = slots_->find(slot);
    if (status && !status->suspicious.empty())
        world_.log.warn("slot {} is ready, and its output is suspicious: {}", slot, status->suspicious);
    else
        world_.log.info("slot {} is ready", slot);
    if (status && !status->adopted) loads_[slot].add(status->loaded_in);
    if (status) world_.chronicle.slot_ready(*status);
    dispatcher_->open(slot, worker, key);
    measure(slot, Moment::Loaded);
}

// Nobody waits for it, neither those that the slot serves nor those that load it.
void House::measure(std::string const& slot, Moment moment) {
    auto const status = slots_->find(slot);
    if (!status) return;
    if (auto const& pid = status->pid)
        world_.measuring.look_at({slot, *pid, status->adopted ? Moment::Used : moment});
}

void House::slot_closing(std::string const& slot) {
    dispatcher_->close(slot);
    measure(slot, Moment::Used);
}
std::optional<Duration> House::slot_idle_for(std::string const& slot) const {
    return dispatcher_->idle_for(slot);
}
bool House::slot_close_if_idle(std::string const& slot) {
    if (!dispatcher_->close_if_idle(slot)) return false;
    world_.log.info("slot {} is unloaded: nobody asked it for as long as its file says", slot);
    return true;
}
void House::slot_lost(std::string const& slot) { dispatcher_->close(slot); }
void House::slot_failed(std::string const& slot, Error const& why) { dispatcher_->failed(slot, why); }

void House::file_ignored(std::string const& path, Error const& why) {
    world_.log.warn("{} is ignored: {}", path, why.message);
}

void House::slot_removed(std::string const& slot) {
    dispatcher_->remove(slot);
    logged_.erase(slot);
    loads_.erase(slot);
    world_.chronicle.slot_removed(slot);
    publish(api::slot_removed.name, slot, "null");
}

// ---- what the dispatcher asks

Result<void> House::wake(std::string const& slot) { return slots_->wake(slot); }
void House::drained(std::string const& slot) { slots_->drained(slot); }

}  // namespace hal0::app
