#include "app/daemon.hpp"

#include <algorithm>
#include <chrono>
#include <csignal>
#include <utility>

#include "api/event_types.hpp"
#include "api/translate.hpp"
#include "app/keeper.hpp"
#include "app/limits.hpp"
#include "app/memory_command.hpp"
#include "app/probe_command.hpp"
#include "base/format.hpp"
#include "base/time.hpp"
#include "cli/daemon.hpp"
#include "os/file.hpp"
#include "os/net.hpp"
#include "os/process_info.hpp"

namespace hal0::app {
namespace {

constexpr std::size_t pool_threads = 2;
constexpr std::size_t events_kept_max = 4096;
// For answers in progress when asked to stop: by a signal, and with the slots.
constexpr Duration drain_patience = std::chrono::seconds{20};
constexpr Duration slots_patience = std::chrono::seconds{30};

std::uint64_t epoch_of(WallTime started) {
    auto const since = started.time_since_epoch();
    return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::milliseconds>(since).count());
}

// Of all that the plan's caches take, by the tokens that they are for.
std::optional<double> token_bytes_of(wire::FitView const& view) {
    constexpr std::string_view cache = "context";
    Bytes bytes;
    for (auto const& device : view.devices) {
        for (auto const& term : device.terms)
            if (term.name == cache) bytes += term.bytes;
    }
    auto const tokens = view.settings.context * view.settings.parallel;
    if (bytes.count <= 0 || tokens <= 0) return std::nullopt;
    return static_cast<double>(bytes.count) / static_cast<double>(tokens);
}

// Hyperthreads share what matrix products need: half of the processors is what a worker gets, unless the box
// has one or two.
std::int64_t usual_threads() {
    std::int64_t const processors = os::usable_cpus();
    return std::max<std::int64_t>(1, processors > 2 ? processors / 2 : processors);
}

// A daemon that was killed may have begun a child at that moment, which holds all that it inherited until it
// is its own program: its listeners too.
constexpr Duration heir_ends_within = std::chrono::milliseconds{500};

Result<os::UniqueFd> listen_soon(os::Address const& address) {
    HAL0_TRY(pause, os::Loop::make());  // of its own: nothing that signals ask for is there yet
    auto const deadline = Clock::now() + heir_ends_within;
    for (;;) {
        auto fd = os::listen_on(address);
        if (fd || fd.error().kind != Errc::Conflict || Clock::now() >= deadline) return fd;
        pause->run_once(std::chrono::milliseconds{10});
    }
}

}  // namespace

Result<std::unique_ptr<Daemon>> Daemon::make(Start start, Log& log) {
    std::unique_ptr<Daemon> daemon{new Daemon{std::move(start), log}};
    HAL0_TRY(loop, os::Loop::make());
    daemon->loop_ = std::move(loop);
    // Before any other thread is made: they inherit the blocked signals.
    HAL0_TRY(signals,
             os::StopSignals::make(*daemon->loop_, [d = daemon.get()](int number) { d->signalled(number); }));
    daemon->signals_ = std::move(signals);
    HAL0_CHECK(daemon->take_home());
    HAL0_CHECK(daemon->listen());
    HAL0_CHECK(daemon->build_control());
    HAL0_CHECK(daemon->build_data());
    return daemon;
}

// Once no data loop asks the pool any more, it comes to its end while all that its work uses still stands:
// the stores, and the inboxes that its answers go to.
Daemon::~Daemon() {
    if (data_pool_) data_pool_->close();
    if (pool_) pool_->close();  // what it works on for a loop is posted to that loop's inbox
    if (history_pool_) history_pool_->close();
    data_loops_.clear();  // join their threads before anything that they ask goes
    if (history_) history_->end();
}

Result<void> Daemon::take_home() {
    auto lock = os::LockFile::acquire(cli::daemon_lock(start_.places));
    if (!lock) {
        if (lock.error().kind != Errc::Conflict) return std::move(lock).error();
        return in_context(
            format("another hal0 serves this home ({}); 'hal0 stop' stops it", start_.places.config),
            std::move(lock).error());
    }
    home_lock_ = std::make_unique<os::LockFile>(std::move(lock).value());
    return {};
}

Result<void> Daemon::listen() {
    auto const socket = os::UnixAddress{cli::daemon_socket(start_.places)};
    std::vector<os::Address> wanted = start_.settings.listen;
    wanted.emplace_back(socket);
    for (auto const& address : wanted) {
        auto fd = listen_soon(address);
        if (!fd && fd.error().kind == Errc::Conflict) {
            bool const movable = std::holds_alternative<os::InetAddress>(address);
            return Error{Errc::Conflict,
                         fd.error().message +
                             (movable ? "; stop that, or give another address: hal0 serve --listen "
                                        "127.0.0.1:PORT"
                                      : "; stop that, or remove it: hal0's own commands use this socket")};
        }
        if (!fd) return std::move(fd).error();
        if (std::holds_alternative<os::InetAddress>(address)) {
            HAL0_TRY(bound, os::bound_address(fd->get()));  // the port, where 0 was asked for
            addresses_.push_back(os::to_string(bound));
        }
        listener_fds_.push_back(fd->get());
        listeners_.push_back(std::move(fd).value());
    }
    return {};
}

Result<void> Daemon::build_control() {
    HAL0_TRY(inbox, os::Inbox::make(*loop_));
    inbox_ = std::move(inbox);
    pool_ = std::make_unique<os::Pool>(pool_threads);
    data_pool_ = std::make_unique<os::Pool>(pool_threads);
    library_ = std::make_unique<Library>(start_.places, start_.settings.model_roots);
    build_history();
    log_keeper_ = std::make_unique<LogKeeper>(
        LogKeeper::World{.loop = *loop_, .inbox = *inbox_, .pool = *pool_, .log = log_}, start_.places);
    host_ = std::make_unique<HostDesk>(start_.places);
    memory_ =
        std::make_unique<MemoryDesk>(*inbox_, *pool_, [this](std::vector<memory::SlotProcess> const& slots) {
            return read_memory(start_.places, *host_, slots);
        });
    fit_ = std::make_unique<FitDesk>(FitDesk::World{
        .loop = *loop_, .inbox = *inbox_, .pool = *pool_, .places = start_.places, .library = *library_});
    measuring_ = std::make_unique<Measuring>(
        *inbox_, *pool_, log_, [places = start_.places, &library = *library_](WorkerReading const& worker) {
            return measure(places, library, worker);
        });
    house_ = std::make_unique<House>(House::World{
        .log = log_,
        .inbox = *inbox_,
        .pool = *pool_,
        .library = *library_,
        .events = *events_,
        .box = [places = start_.places] { return box_report(places); },
        .memory = *memory_,
        .fit = *fit_,
        .measuring = *measuring_,
        .chronicle = *chronicle_,
        .status = [this] { return status(); },
        .stop =
            [this](std::function<void()> slots_are_down) { stop_with_slots(std::move(slots_are_down)); }});
    dispatcher_ = std::make_unique<dispatch::Dispatcher>(
        *loop_, *inbox_, *house_,
        dispatch::Dispatcher::Settings{.queue = start_.settings.queue, .wait_max = start_.settings.wait_max});
    jobs_ =
        std::make_unique<jobs::Jobs>(*loop_,
                                     jobs::Jobs::Settings{.command = {os::own_program(), "job"},
                                                          .logs = os::join_path(start_.places.state, "logs")},
                                     [this](jobs::Job const& job) { house_->job_changed(job); });
    HAL0_TRY(launcher, make_launcher(*loop_, start_.places, start_.settings.launcher, log_));
    launcher_ = std::move(launcher);
    slots_ = std::make_unique<slots::SlotTable>(
        slots::SlotWorld{.loop = *loop_,
                         .launcher = *launcher_,
                         .host = *house_,
                         .places = start_.places,
                         .supplies = {library_->model_store(), library_->engine_store(), usual_threads()}});
    supplies_ = std::make_unique<SupplyWatch>(
        *loop_, library_->directories(),
        [this] {
            slots_->supplies_changed();
            fit_->supplies_changed();
        },
        SupplyWatch::Pauses{});
    house_->move_in(*slots_, *dispatcher_, *jobs_);
    admin_ = std::make_unique<api::Admin>(api::Admin::World{.loop = *loop_,
                                                            .inbox = *inbox_,
                                                            .house = *house_,
                                                            .jobs = *jobs_,
                                                            .events = *events_,
                                                            .history = *history_});
    return {};
}

void Daemon::build_history() {
    auto const epoch = epoch_of(started_);
    events_ = std::make_unique<history::EventStream>(epoch, events_kept_max);
    history_pool_ = std::make_unique<os::Pool>(1);
    history_ = std::make_unique<history::History>(
        history::History::World{.loop = *loop_,
                                .inbox = *inbox_,
                                .pool = *history_pool_,
                                .tell = [this](std::string const& line) { log_.warn("{}", line); }},
        history::Store::Settings{.path = os::join_path(start_.places.state, "hal0.db"),
                                 .epoch = epoch,
                                 .kept_for = start_.settings.history_days});
    speeds_ = std::make_unique<SpeedWatch>(speed_world());
    chronicle_ = std::make_unique<Chronicle>(
        Chronicle::World{.inbox = *inbox_, .events = *events_, .history = *history_, .speeds = *speeds_});
}

SpeedWatch::World Daemon::speed_world() {
    return {.log = log_,
            .history = *history_,
            .publish =
                [this](wire::SlotSlowView const& view) {
                    events_->publish(std::chrono::system_clock::now(), std::string{api::slot_slow.name},
                                     view.slot, wire::encode(view));
                },
            .swapped = [this](std::string const& slot) -> std::optional<Bytes> {
                auto const status = slots_->find(slot);
                if (!status || !status->pid) return std::nullopt;
                return os::swapped_bytes(*status->pid);
            },
            .token_bytes =
                [this](slots::SlotStatus const& status, std::function<void(std::optional<double>)> done) {
                    fit_->ask({.model = status.model, .context = status.context, .parallel = status.parallel},
                              [done = std::move(done)](Result<wire::FitView> const& view) {
                                  done(view ? token_bytes_of(*view) : std::nullopt);
                              });
                }};
}

Result<void> Daemon::build_data() {
    http::ServerLimits limits;
    limits.body_max = start_.settings.body_max;
    limits.connections_max =
        connections_per_loop(start_.descriptors, static_cast<std::size_t>(start_.settings.loops));
    for (std::uint32_t number = 0; number < start_.settings.loops; ++number) {
        HAL0_TRY(loop, DataLoop::make(
                           {.number = number,
                            .listeners = listener_fds_,
                            .pool = *data_pool_,
                            .control = *dispatcher_,
                            .admin = *admin_,
                            .records = *chronicle_,
                            .access = {.allowed_hosts = start_.settings.allowed_hosts, .key = start_.key},
                            .limits = limits}));
        dispatcher_->add_loop(loop->gateway());
        admin_->add_loop(loop->gateway());
        data_loops_.push_back(std::move(loop));
    }
    return {};
}

void Daemon::run() {
    if (auto const started = supplies_->start(); !started)
        log_.warn("models and engines that others bring are not noticed: {}", started.error().message);
    if (auto const started = slots_->start(); !started)
        log_.warn("slot files can't be followed, trying again: {}", started.error().message);
    // Behind the slots, whose routes wait in its inbox: nobody is told that there is no such model.
    for (auto const& loop : data_loops_)
        loop->start();
    log_keeper_->look();
    house_->hardware([this](Result<hardware::HardwareReport> const& report) {
        if (!report) log_.warn("what this box is can't be said: {}", report.error().message);
    });
    auto const took = std::chrono::duration<double, std::milli>(Clock::now() - started_at_).count();
    log_.info("hal0 {} listens on {} and {}/hal0.sock; up in {:.0f} ms", start_.version,
              join(addresses_, ", "), start_.places.runtime, took);
    loop_->run();
    auto const slots = slots_->list();
    bool const models_go_on = std::any_of(slots.begin(), slots.end(), [](auto const& s) { return s.pid; });
    log_.info("stopped{}", models_go_on ? "; models go on, and the next daemon takes them over" : "");
}

// ---- the end

void Daemon::signalled(int number) {
    if (stopping_) return loop_->stop();  // asked twice: at once
    log_.info("signal {}: finishing what is being answered", number);
    finish({Errc::Unavailable, "hal0 is stopping, and can't wait for this; its workers go on"});
}

void Daemon::stop_with_slots(std::function<void()> slots_are_down) {
    log_.info("asked to stop: taking the slots down first");
    slots_->shut_down(slots_patience, [this, down = std::move(slots_are_down)] {
        down();
        finish({Errc::Unavailable, "hal0 is stopping with all its slots; 'hal0 serve' starts it again"});
    });
}

void Daemon::finish(Error const& why) {
    if (std::exchange(stopping_, true)) return;
    dispatcher_->end(why);
    admin_->end(why);
    listening_ = draining_ = data_loops_.size();
    for (auto const& loop : data_loops_) {
        loop->drain([this] { inbox_->post([this] { close_when_deaf(); }); },
                    [this] { inbox_->post([this] { stop_when_drained(); }); });
    }
    patience_ = std::make_unique<os::Timer>(*loop_, [this] { loop_->stop(); });
    patience_->start(drain_patience);
}

// A listener that nobody accepts from would keep clients waiting for nothing: they are to be refused.
void Daemon::close_when_deaf() {
    if (--listening_ == 0) listeners_.clear();
}

void Daemon::stop_when_drained() {
    if (--draining_ == 0) loop_->stop();
}

wire::StatusView Daemon::status() const {
    wire::StatusView view{.version = start_.version,
                          .pid = os::own_pid(),
                          .started = rfc3339(started_),
                          .listen = addresses_,
                          .places = api::view_of(start_.places),
                          .loops = static_cast<std::int64_t>(data_loops_.size())};
    view.uptime_s = std::chrono::duration_cast<std::chrono::seconds>(Clock::now() - started_at_).count();
    for (auto const& loop : data_loops_)
        view.connections += loop->connections();
    if (auto const memory = os::resident_bytes(os::own_pid())) view.memory = memory->count;
    return view;
}

}  // namespace hal0::app
