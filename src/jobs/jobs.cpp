#include "jobs/jobs.hpp"

#include <algorithm>
#include <csignal>
#include <utility>

#include "base/format.hpp"
#include "base/text.hpp"
#include "os/child.hpp"
#include "os/file.hpp"
#include "os/pipe_reader.hpp"

namespace hal0::jobs {
namespace {

constexpr Bytes log_tail = 4_KiB;

// What went wrong in one that ended without saying so: its own last words stand in its log.
Error unexplained(os::ExitStatus const& status, std::string const& log) {
    auto const tail = os::read_tail(log, log_tail).value_or("");
    auto const text = trim(tail);
    auto const last = text.substr(text.rfind('\n') == std::string_view::npos ? 0 : text.rfind('\n') + 1);
    return {Errc::Internal, format("it ended without a result ({}{}{}); its log is {}", os::describe(status),
                                   last.empty() ? "" : "; its last words: ", last, log)};
}

}  // namespace

std::string_view to_string(State state) {
    switch (state) {
        case State::Running: return "running";
        case State::Done: return "done";
        case State::Failed: return "failed";
        case State::Cancelled: return "cancelled";
    }
    return "?";
}

// One job with its process. Its timers and callbacks live and die with it.
struct Jobs::Run final : NoCopy {
    Run(os::Loop& loop, Settings const& settings, Changed const& changed)
        : settings_{settings},
          changed_{changed},
          tell_{loop, [this] { tell_if_due(); }},
          kill_{loop, [this] { (void)process->signal_group(SIGKILL); }} {}

    void take(std::string_view bytes) {
        for (char const c : bytes) {
            if (c != '\n') {
                if (line_.size() <= line_bytes_max) line_ += c;
                continue;
            }
            if (line_.size() <= line_bytes_max) hear(line_);
            line_.clear();
        }
    }

    void ended(os::ExitStatus const& status) {
        output->drain();
        output.reset();
        // What it started and didn't wait for is of no use without it.
        (void)process->signal_group(SIGKILL);
        kill_.stop();
        tell_.stop();
        job.ended = std::chrono::system_clock::now();
        if (outcome_) {
            job.state = State::Done;
            job.message = outcome_->message;
        } else if (asked_to_stop_) {
            job.state = State::Cancelled;
            job.message = "cancelled";
        } else {
            job.state = State::Failed;
            job.error = failure_ ? std::move(*failure_) : unexplained(status, job.log);
            job.message = job.error->message;
        }
        changed_(job);  // may forget this
    }

    void ask_to_stop() {
        (void)process->signal_group(SIGTERM);
        if (!std::exchange(asked_to_stop_, true)) kill_.start(settings_.patience);
    }

    Job job{};
    std::unique_ptr<os::PipeReader> output{};
    std::unique_ptr<os::Process> process{};

  private:
    void hear(std::string_view text) {
        auto line = decode_line(text);
        if (!line) return;  // some program wrote to the wrong place
        std::visit([this](auto& what) { take(std::move(what)); }, *line);
    }
    void take(Progress&& progress) {
        job.progress = std::move(progress);
        moved();
    }
    void take(Note&& note) {
        job.notes.push_back(std::move(note.text));
        if (job.notes.size() > notes_max) job.notes.pop_front();
        moved();
    }
    void take(Outcome&& outcome) { outcome_ = std::move(outcome); }
    void take(Error&& error) { failure_ = std::move(error); }

    void moved() {
        news_ = true;
        if (!tell_.running()) tell_if_due();
    }
    void tell_if_due() {
        if (!std::exchange(news_, false)) return;
        tell_.start(settings_.tell_every);
        changed_(job);
    }

    Settings const& settings_;
    Changed const& changed_;
    os::Timer tell_;  // while it runs, news waits
    os::Timer kill_;
    std::string line_{};
    std::optional<Outcome> outcome_{};
    std::optional<Error> failure_{};
    bool news_{false};
    bool asked_to_stop_{false};
};

Jobs::Jobs(os::Loop& loop, Settings settings, Changed changed)
    : loop_{loop}, settings_{std::move(settings)}, changed_{std::move(changed)} {}

Jobs::~Jobs() {
    for (auto const& run : runs_) {
        if (run->job.state == State::Running) run->ask_to_stop();
    }
}

Result<Job> Jobs::start(std::string_view kind, std::string const& subject) {
    if (auto const* job = running(kind, subject)) return *job;
    auto const busy = std::count_if(runs_.begin(), runs_.end(),
                                    [](auto const& run) { return run->job.state == State::Running; });
    if (static_cast<std::size_t>(busy) >= jobs_running_max)
        return Error{Errc::Busy, format("{} jobs are running already; ask again when one is over", busy)};
    auto run = std::make_unique<Run>(loop_, settings_, changed_);
    run->job = {.id = format("{}-{}", ++count_, os::random_hex(3)),
                .kind = std::string{kind},
                .subject = subject,
                .log = log_path(std::string{kind}, subject),
                .started = std::chrono::system_clock::now()};
    if (auto spawned = spawn(*run); !spawned)
        return in_context(format("starting {} {}", kind, subject), std::move(spawned).error());
    auto const& job = runs_.emplace_back(std::move(run))->job;
    forget_old();
    changed_(job);
    return job;
}

std::string Jobs::log_path(std::string_view kind, std::string_view subject) const {
    auto name = format("jobs-{}-{}.log", kind, subject);
    std::replace(name.begin(), name.end(), '/', '_');
    return os::join_path(settings_.logs, name);
}

Result<void> Jobs::spawn(Run& run) {
    HAL0_CHECK(os::make_directories(settings_.logs));
    HAL0_CHECK(os::remove_file(run.job.log));  // the last one's
    HAL0_TRY(log, os::open_append(run.job.log));
    HAL0_TRY(output, os::PipeReader::make(loop_, [&run](std::string_view bytes) { run.take(bytes); }));
    os::Command command{
        .argv = settings_.command, .out = output->writer(), .err = log.get(), .session = os::Session::Own};
    command.argv.push_back(run.job.kind);
    command.argv.push_back(run.job.subject);
    run.output = std::move(output);
    HAL0_TRY(process,
             os::Process::spawn(loop_, command, [&run](os::ExitStatus const& status) { run.ended(status); }));
    run.process = std::move(process);
    run.output->close_writer();
    return {};
}

Result<Job> Jobs::cancel(std::string const& id) {
    auto* run = run_of(id);
    if (run == nullptr) return Error{Errc::NotFound, format("there is no job '{}'", clipped(id))};
    if (run->job.state != State::Running)
        return Error{Errc::Conflict, format("job '{}' is over: {}", id, to_string(run->job.state))};
    run->ask_to_stop();
    return run->job;
}

Jobs::Run* Jobs::run_of(std::string_view id) const {
    auto const at =
        std::find_if(runs_.begin(), runs_.end(), [id](auto const& run) { return run->job.id == id; });
    return at == runs_.end() ? nullptr : at->get();
}

Job const* Jobs::find(std::string const& id) const {
    auto const* run = run_of(id);
    return run == nullptr ? nullptr : &run->job;
}

Job const* Jobs::running(std::string_view kind, std::string_view subject) const {
    for (auto const& run : runs_) {
        auto const& job = run->job;
        if (job.state == State::Running && job.kind == kind && job.subject == subject) return &job;
    }
    return nullptr;
}

std::vector<Job> Jobs::list() const {
    std::vector<Job> jobs;
    for (auto at = runs_.rbegin(); at != runs_.rend(); ++at)
        jobs.push_back((*at)->job);
    return jobs;
}

void Jobs::forget_old() {
    while (runs_.size() > jobs_kept_max) {
        auto const at = std::find_if(runs_.begin(), runs_.end(),
                                     [](auto const& run) { return run->job.state != State::Running; });
        runs_.erase(at);  // there is one: fewer run than are kept
    }
}

}  // namespace hal0::jobs
