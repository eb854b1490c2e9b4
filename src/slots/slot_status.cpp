// What a slot says of itself: its status, the cause of it, and the long explanation.
#include <algorithm>

#include "base/format.hpp"
#include "base/text.hpp"
#include "os/file.hpp"
#include "os/process_info.hpp"
#include "slots/slot.hpp"
#include "slots/worker_log.hpp"

namespace hal0::slots {
namespace {

constexpr Bytes log_tail = 16_KiB;

std::string in_seconds(Duration time) {
    return format("{:.3g} s", std::chrono::duration<double>(time).count());
}

// As a shell takes it back.
std::string quoted(std::string const& word) {
    constexpr std::string_view plain =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./=:,+@%";
    if (!word.empty() && word.find_first_not_of(plain) == std::string::npos) return word;
    std::string text{"'"};
    for (char const c : word)
        text += c == '\'' ? std::string{"'\\''"} : std::string{c};
    return text + "'";
}

std::string command_line(std::vector<std::string> const& argv) {
    std::vector<std::string> words;
    words.reserve(argv.size());
    for (auto const& word : argv)
        words.push_back(quoted(word));
    return join(words, " ");
}

}  // namespace

std::string Slot::file_path() const {
    return os::join_path(world_.places.config, "slots/" + name_ + ".toml");
}

// The kernel counts those it ends for want of memory, and doesn't tell anybody but root which.
std::string Slot::killer() const {
    auto const kills = os::oom_kills();
    if (!kills || !oom_kills_) return "by somebody, or by the kernel for want of memory";
    auto const since = *kills - *oom_kills_;
    if (since == 0)
        return "by somebody, or by a watcher of memory such as systemd-oomd: the kernel itself ended nothing "
               "for "
               "want of memory since it began";
    auto const ended = format("{} process{}", since, since == 1 ? "" : "es");
    if (state_.phase == Phase::Ready)
        return format("by somebody, or by the kernel, which has ended {} for want of memory since it began",
                      ended);
    return format(
        "by the kernel for want of memory, as it seems: it has ended {} for that meanwhile; 'hal0 fit' "
        "tells what the model takes, a smaller context takes less",
        ended);
}

std::string Slot::words_of(os::ExitStatus const& status) const {
    if (overdue_) {
        return format(
            "it was not ready within {} s and was killed; load_timeout_s in its file gives it longer",
            load_patience().count());
    }
    bool const served = state_.phase == Phase::Ready;
    auto words = format("its worker {}{} while {}", status.signal ? "was " : "", os::describe(status),
                        served ? "serving" : "loading");
    constexpr int kill = 9;  // comes from outside: what it wrote last has nothing to do with it
    if (status.signal == kill) return words + format(" ({})", killer());
    auto const tail = os::read_tail(run_.log, log_tail);
    auto const line = telling_line(tail ? *tail : "", served ? EndedWhile::Serving : EndedWhile::Loading);
    if (!line.empty()) words += format(": {}", line);
    return words;
}

std::string Slot::cause() const {
    switch (state_.phase) {
        case Phase::Offline:
            if (idled_)
                return format("nobody asked it for {} s (idle_unload_s): the next request brings it up",
                              idle_patience().count());
            if (!state_.enabled) return "asked to unload";
            return "asked to unload; it comes up again when asked to, for a request, or with the next daemon";
        case Phase::Starting:
            return adopted_ && worker_ ? "its worker was found running; asking whether it is ready"
                                       : "its worker is being started";
        case Phase::Loading: return "its worker is loading the model";
        case Phase::Checking: return "its worker is ready; its output is looked at";
        case Phase::Ready: return cause_of_ready();
        case Phase::Draining:
            return format(
                "closed; the requests in flight are finished first, within {} s unless somebody says "
                "--force",
                drain_patience().count());
        case Phase::Stopping: return "its worker was asked to end";
        case Phase::Killing:
            return format("its worker did not end within {} and was killed", in_seconds(stop_patience_));
        case Phase::Waiting:
            return format("{}; tried again after {}", why_.message,
                          in_seconds(state_.back_off.until - world_.loop.now()));
        case Phase::Lacking: return why_.message;
        case Phase::Failed:
            if (!state_.back_off.given_up) return why_.message;
            return format("{}; that was {}: 'hal0 slot load {}' tries again", why_.message,
                          BackOff::last_in_words, name_);
    }
    return {};
}

std::string Slot::cause_of_ready() const {
    auto const how = adopted_ ? std::string{"its worker ran already when this daemon started"}
                              : format("loaded in {}", in_seconds(loaded_in_));
    return suspicious_.empty() ? how : format("{}; output suspicious: {}", how, suspicious_);
}

Error Slot::refusal() const {
    if (state_of(state_.phase) != State::Error)
        return Error{Errc::Unavailable, format("slot '{}' was asked to unload", name_)}.with("slot", name_);
    auto error = Error{Errc::Unavailable, format("slot '{}' is down: {}", name_, cause_)}.with("slot", name_);
    auto const pause = std::chrono::ceil<std::chrono::seconds>(state_.back_off.until - world_.loop.now());
    if (pause.count() > 0) return std::move(error).with("retry_after_s", format("{}", pause.count()));
    return error;
}

SlotStatus Slot::status() const {
    SlotStatus status{.name = name_,
                      .wanted = state_.wanted,
                      .state = state_of(state_.phase),
                      .cause = cause_,
                      .suspicious = suspicious_,
                      .since = since_,
                      .adopted = worker_ && adopted_,
                      .loaded_in = loaded_in_,
                      .loads = loads_,
                      .restarts = restarts_,
                      .restart_pending = worker_ && restart_pending_,
                      .file = file_path(),
                      .log = run_.log,
                      .warnings = warnings_,
                      .created = created_};
    if (config_) {
        status.model = config_->model;
        status.kind = kind_;
        status.engine = config_->engine;
        status.device = config_->device;
        status.context = config_->context;
        status.parallel = config_->parallel;
    }
    // What runs counts for more than what would.
    if (auto const* spec = running_ ? &*running_ : plan_.ok() ? &*plan_ : nullptr) {
        status.model = spec->model;
        status.kind = spec->kind;
        status.engine = spec->engine;
        status.version = spec->version;
        status.backend = spec->backend;
        status.device = spec->device;
        status.context = spec->context;
        status.parallel = spec->parallel;
    }
    if (worker_) {
        status.pid = worker_->pid();
        if (running_) status.program = running_->argv.front();
        if (status.pid) status.memory = os::resident_bytes(*status.pid);
    }
    if (worker_ && restart_fault_)
        status.warnings.push_back(format("it goes on with the settings it has: {}", restart_fault_->message));
    return status;
}

Result<engines::WorkerSpec> Slot::spec() const {
    if (running_) return *running_;
    return plan_;
}

Result<std::vector<SettingDiff>> Slot::differences() const {
    if (!worker_) return std::vector<SettingDiff>{};
    if (!running_)
        return Error{Errc::Unavailable, format("nothing tells what the worker of slot '{}' runs", name_)};
    if (fault_) return *fault_;
    if (!plan_.ok()) return plan_.error();
    return settings_diff(*running_, *plan_);
}

std::vector<std::string> Slot::explain() const {
    std::vector<std::string> lines;
    lines.push_back(format("{} is {}: {}", name_, to_string(state_of(state_.phase)), cause_));
    if (!suspicious_.empty())
        lines.push_back(
            format("Its output may be garbage: {}. It serves all the same. 'hal0 slot restart {}' "
                   "loads it anew; another backend or engine, or the model's file, may be at fault "
                   "('hal0 doctor', 'hal0 model verify {}'). With 'check_output = false' in its file "
                   "nobody looks, and nothing is said.",
                   suspicious_, name_, running_ ? running_->model : "MODEL"));
    if (fault_) {
        lines.push_back(format("Its file can't be used: {}", fault_->message));
    } else if (config_) {
        auto const until = config_->idle_unload_s > 0
                               ? format(", until nobody has asked it for {} s", config_->idle_unload_s)
                               : std::string{};
        lines.push_back(format("Its file {} wants it {}{}.", file_path(),
                               state_.enabled ? "up whenever the daemon runs" : "up on demand only", until));
    }
    for (auto const& warning : warnings_)
        lines.push_back(format("Its file: {}", warning));
    if (worker_) {
        auto const pid = worker_->pid();
        auto const unit = worker_->unit();
        lines.push_back(format(
            "Its worker is {}{}{}.", pid ? format("process {}", *pid) : std::string{"being started"},
            unit.empty() ? "" : format(" of {}", unit), adopted_ ? ", started by an earlier daemon" : ""));
    }
    if (running_) {
        lines.push_back(format("It runs {} with {} {} ({}): {}", running_->model, running_->engine,
                               running_->version, running_->backend, command_line(running_->argv)));
    }
    if (worker_ && restart_pending_) {
        auto const why =
            restart_fault_ ? restart_fault_->message : format("'hal0 slot restart {}' takes them up", name_);
        lines.push_back(format("Its file has other settings than it runs with: {}", why));
    }
    if (!running_ && plan_.ok()) {
        lines.push_back(format("It would run {} with {} {} ({}): {}", plan_->model, plan_->engine,
                               plan_->version, plan_->backend, command_line(plan_->argv)));
    }
    if (!running_ && !plan_.ok() && !fault_)
        lines.push_back(format("It can't be started: {}", plan_.error().message));
    lines.push_back(format("Its worker's log is {}", run_.log));
    return lines;
}

}  // namespace hal0::slots
