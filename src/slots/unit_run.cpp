#include "slots/unit_run.hpp"

#include <algorithm>
#include <csignal>
#include <utility>

#include "base/format.hpp"

namespace hal0::slots {
namespace {

constexpr Duration manager_patience = std::chrono::seconds{5};
constexpr Duration reconnect_pause = std::chrono::seconds{1};

constexpr char const* systemd = "org.freedesktop.systemd1";
constexpr char const* manager_path = "/org/freedesktop/systemd1";
constexpr char const* manager_interface = "org.freedesktop.systemd1.Manager";
constexpr char const* properties_interface = "org.freedesktop.DBus.Properties";

// ExecMainCode is waitid's si_code.
constexpr std::int64_t code_exited = 1;
constexpr std::int64_t code_dumped = 3;
// A process of systemd's own that could not become the unit's ends with one of these (systemd.exec(5)).
constexpr std::int64_t exec_failed_first = 200;
constexpr std::int64_t exec_failed_last = 245;

os::BusCall of_manager(std::string member, std::vector<os::BusBasic> arguments) {
    return {.destination = systemd,
            .path = manager_path,
            .interface = manager_interface,
            .member = std::move(member),
            .arguments = std::move(arguments)};
}

os::BusCall all_properties(std::string path) {
    return {.destination = systemd,
            .path = std::move(path),
            .interface = properties_interface,
            .member = "GetAll",
            .arguments = {std::string{}}};  // of all its interfaces
}

std::string unit_path_of(std::string const& unit) {
    return os::bus_path("/org/freedesktop/systemd1/unit", unit);
}

bool is_down(std::string const& active_state) {
    return active_state == "inactive" || active_state == "failed";
}

Error not_connected() { return {Errc::Unavailable, "the connection to systemd is lost; it is made again"}; }

}  // namespace

// ---- the connection

UnitManager::UnitManager(os::Loop& loop, std::string address)
    : loop_{loop}, address_{std::move(address)}, again_{loop, [this] { connect_again(); }} {}

UnitManager::~UnitManager() = default;

Result<std::unique_ptr<UnitManager>> UnitManager::open(os::Loop& loop, std::string address) {
    std::unique_ptr<UnitManager> manager{new UnitManager{loop, std::move(address)}};
    HAL0_CHECK(manager->connect());
    HAL0_CHECK(manager->bus_->ask(of_manager("Subscribe", {}), manager_patience));
    manager->connected_ = true;
    return manager;
}

Result<void> UnitManager::connect() {
    HAL0_TRY(bus, os::Bus::open(loop_, address_, [this] { lost(); }));
    bus_ = std::move(bus);
    return {};
}

Result<void> UnitManager::check_unit(std::string const& unit) {
    HAL0_TRY(loaded, bus_->ask(of_manager("LoadUnit", {unit}), manager_patience));
    HAL0_TRY(told, bus_->ask(all_properties(os::text_at(loaded, 0)), manager_patience));
    auto const* const properties = os::fields_at(told, 0);
    auto const state =
        properties != nullptr ? os::text_of(*properties, "LoadState").value_or("") : std::string{};
    if (state == "loaded") return {};
    if (state == "not-found") return Error{Errc::NotFound, format("systemd knows no unit {}", unit)};
    return Error{Errc::Conflict, format("systemd can't use the unit {} ({}): 'systemctl status {}' says why",
                                        unit, state, unit)};
}

void UnitManager::forget_failure(std::string const& unit) {
    // Nobody waits for the answer: it fails where the unit isn't loaded, which is as well.
    if (auto* const to = bus()) (void)to->call(of_manager("ResetFailedUnit", {unit}), [](auto const&) {});
}

// A run may go when it is told, and others with it.
template <class Tell> void UnitManager::tell_runs(Tell tell) {
    auto const runs = runs_;
    for (auto* const run : runs) {
        if (std::find(runs_.begin(), runs_.end(), run) != runs_.end()) tell(*run);
    }
}

void UnitManager::lost() {
    connected_ = false;
    again_.start(reconnect_pause);
    tell_runs([](UnitRun& run) { run.disconnected(); });
}

void UnitManager::connect_again() {
    if (!connect()) return again_.start(reconnect_pause);
    again_.start(manager_patience);
    // systemd comes back to a bus that was started again some time after that.
    auto call = bus_->call(of_manager("Subscribe", {}), [this](Result<os::BusValues> const& reply) {
        if (!reply) return again_.start(reconnect_pause);
        again_.stop();
        connected_ = true;
        tell_runs([](UnitRun& run) { run.connected(); });
    });
    if (call) subscribing_ = std::move(call).value();
}

// ---- one run

UnitRun::UnitRun(UnitManager& manager, std::string unit, Launcher::Ended ended)
    : manager_{manager}, unit_{std::move(unit)}, path_{unit_path_of(unit_)}, ended_{std::move(ended)} {
    manager_.add(*this);
}

UnitRun::~UnitRun() { manager_.remove(*this); }

Result<void> UnitRun::listen() {
    auto* const bus = manager_.bus();
    if (bus == nullptr) return not_connected();
    HAL0_TRY(changes, bus->listen({.sender = systemd,
                                   .path = path_,
                                   .interface = properties_interface,
                                   .member = "PropertiesChanged"},
                                  [this](os::BusValues const& told) {
                                      if (auto const* const changed = os::fields_at(told, 1)) learn(*changed);
                                      look();
                                  }));
    changes_ = std::move(changes);
    HAL0_TRY(
        jobs,
        bus->listen(
            {.sender = systemd, .path = manager_path, .interface = manager_interface, .member = "JobRemoved"},
            [this](os::BusValues const& told) { job_removed(told); }));
    jobs_ = std::move(jobs);
    return {};
}

Result<void> UnitRun::start() {
    starting_ = true;
    return manager_.bus() != nullptr ? ask_to_start() : Result<void>{};
}

Result<void> UnitRun::ask_to_start() {
    HAL0_CHECK(listen());
    HAL0_TRY(call, manager_.bus()->call(of_manager("StartUnit", {unit_, std::string{"replace"}}),
                                        [this](Result<os::BusValues> const& reply) { started(reply); }));
    start_call_ = std::move(call);
    return {};
}

void UnitRun::started(Result<os::BusValues> const& reply) {
    if (!reply) return finish(reply.error());
    job_ = os::text_at(*reply, 0);
}

// JobRemoved(id, job, unit, result). What has changed of the unit by then was told before.
void UnitRun::job_removed(os::BusValues const& told) {
    if (!starting_ || job_.empty() || os::text_at(told, 1) != job_) return;
    constexpr std::size_t result_argument = 3;
    starting_ = false;
    job_result_ = os::text_at(told, result_argument);
    if (active_state_.empty()) return ask_for_all();
    look();
}

Result<void> UnitRun::take_over(int pid) {
    HAL0_CHECK(watch_main(pid));
    HAL0_CHECK(listen());
    ask_for_all();
    return {};
}

void UnitRun::connected() {
    bool const to_be_started = starting_ && !pid_;  // asked twice, it is started once
    auto const asked = to_be_started ? ask_to_start() : listen();
    if (asked && !to_be_started) ask_for_all();
}

void UnitRun::disconnected() {
    start_call_.reset();
    signal_call_.reset();
    all_call_.reset();
    jobs_.reset();
    changes_.reset();
    job_.clear();
    if (main_gone_) finish(os::ExitStatus{});
}

void UnitRun::ask_for_all() {
    auto* const bus = manager_.bus();
    if (bus == nullptr) return;
    auto call = bus->call(all_properties(path_), [this](Result<os::BusValues> const& reply) {
        auto const* const properties = reply ? os::fields_at(*reply, 0) : nullptr;
        if (properties == nullptr) return;  // its process is watched all the same
        starting_ = false;
        learn(*properties);
        look();
    });
    if (call) all_call_ = std::move(call).value();
}

void UnitRun::learn(os::BusFields const& properties) {
    if (auto state = os::text_of(properties, "ActiveState")) active_state_ = *std::move(state);
    if (auto const pid = os::number_of(properties, "ExecMainPID")) exec_pid_ = *pid;
    if (auto const code = os::number_of(properties, "ExecMainCode")) exec_code_ = *code;
    if (auto const status = os::number_of(properties, "ExecMainStatus")) exec_status_ = *status;
    auto const main = os::number_of(properties, "MainPID").value_or(0);
    if (main != 0 && !pid_) (void)watch_main(static_cast<int>(main));  // gone again: systemd tells
}

Result<void> UnitRun::watch_main(int pid) {
    pid_ = pid;
    HAL0_TRY(process, os::Process::adopt(manager_.loop(), pid, [this](auto const&) {
                 main_gone_ = true;
                 // Where the bus is there, systemd tells how, once all of the unit is gone.
                 if (manager_.bus() == nullptr) finish(os::ExitStatus{});
             }));
    process_ = std::move(process);
    return {};
}

void UnitRun::look() {
    if (!starting_ && is_down(active_state_)) finish(outcome());
}

Result<os::ExitStatus> UnitRun::outcome() const {
    if (!pid_) {
        if (job_result_ == "canceled")
            return Error{Errc::Cancelled,
                         format("the start of {} was called off, by 'systemctl stop' perhaps", unit_)};
        return Error{Errc::Unavailable,
                     format("systemd could not start {} ({}): 'systemctl status {}' says why", unit_,
                            job_result_, unit_)};
    }
    bool const of_this_run = exec_code_ != 0 && exec_pid_ == *pid_;
    if (!of_this_run) return os::ExitStatus{};
    bool const exited = exec_code_ == code_exited;
    bool const by_systemd = exited && exec_status_ >= exec_failed_first && exec_status_ <= exec_failed_last;
    if (by_systemd && job_result_ == "failed")
        return Error{
            Errc::Unavailable,
            format("systemd could not run the program of {} (status {}): 'journalctl -u {}' says why", unit_,
                   exec_status_, unit_)};
    auto const status = static_cast<int>(exec_status_);
    return os::ExitStatus{.known = true,
                          .code = exited ? status : 0,
                          .signal = exited ? 0 : status,
                          .core_dumped = exec_code_ == code_dumped};
}

void UnitRun::finish(Result<os::ExitStatus> const& outcome) {
    if (!ended_) return;
    if (killed_) manager_.forget_failure(unit_);
    auto const ended = std::exchange(ended_, {});
    ended(outcome);  // may destroy this
}

Result<void> UnitRun::signal(int number) {
    if (!ended_) return Error{Errc::NotFound, format("{} has ended", unit_)};
    if (number == SIGKILL) killed_ = true;
    auto* const bus = manager_.bus();
    if (bus == nullptr && process_) return process_->signal_group(number);
    if (bus == nullptr) {
        finish(not_connected());  // nothing was started yet, or its job goes on without us: its lock tells
        return {};
    }
    // Without a process there is a job, and that is called off.
    auto const call = pid_ ? of_manager("KillUnit", {unit_, std::string{"all"}, std::int32_t{number}})
                           : of_manager("StopUnit", {unit_, std::string{"replace"}});
    HAL0_TRY(made, bus->call(call, [this, number](Result<os::BusValues> const& reply) {
        // Who may start it may not be let end it; its processes are this user's.
        if (!reply && process_) (void)process_->signal_group(number);
    }));
    signal_call_ = std::move(made);
    return {};
}

}  // namespace hal0::slots
