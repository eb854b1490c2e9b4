#pragma once
// Long work (getting a model, building an engine) in child processes, so that it can neither block a loop nor
// take the daemon down with it, and goes on when who asked for it leaves.
#include <deque>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/no_copy.hpp"
#include "base/result.hpp"
#include "base/units.hpp"
#include "jobs/report.hpp"
#include "os/loop.hpp"

namespace hal0::jobs {

// The kinds of work there are, as the API shows them; app/work.cpp does it.
inline constexpr std::string_view model_pull = "model.pull";
inline constexpr std::string_view model_verify = "model.verify";
inline constexpr std::string_view engine_install = "engine.install";

enum class State { Running, Done, Failed, Cancelled };
std::string_view to_string(State state);

struct Job {
    std::string id{};       // names it for ever: also among those of another daemon
    std::string kind{};     // one of the above
    std::string subject{};  // which model
    State state{State::Running};
    Progress progress{};
    std::deque<std::string> notes{};  // the last notes_max
    std::string message{};            // how it ended
    std::optional<Error> error{};     // when it failed
    std::string log{};                // its standard error
    WallTime started{};
    std::optional<WallTime> ended{};
};

inline constexpr std::size_t notes_max = 20;
inline constexpr std::size_t jobs_kept_max = 50;  // the running among them
inline constexpr std::size_t jobs_running_max = 8;
inline constexpr std::size_t line_bytes_max = std::size_t{64} << 10;  // a longer one is dropped
static_assert(jobs_running_max < jobs_kept_max);

class Jobs final : NoCopy {
  public:
    struct Settings {
        std::vector<std::string> command{};  // "hal0", "job": KIND and SUBJECT are put behind
        std::string logs{};                  // directory; made when it isn't there
        Duration tell_every{std::chrono::milliseconds{200}};  // of one job's progress, at most
        Duration patience{std::chrono::seconds{5}};           // from being asked to stop to being killed
    };
    // A job is new, moved on (at most every tell_every) or ended (always, once).
    using Changed = std::function<void(Job const&)>;
    Jobs(os::Loop& loop, Settings settings, Changed changed);
    // Asks those that run to stop, and doesn't wait: what they do can be taken up again.
    ~Jobs();

    // Joins the running one of that kind and subject when there is one. Busy at jobs_running_max.
    Result<Job> start(std::string_view kind, std::string const& subject);
    // NotFound, or Conflict when it is over. It ends when its process has.
    Result<Job> cancel(std::string const& id);

    [[nodiscard]] Job const* find(std::string const& id) const;
    [[nodiscard]] Job const* running(std::string_view kind, std::string_view subject) const;
    [[nodiscard]] std::vector<Job> list() const;  // the newest first

  private:
    struct Run;
    Run* run_of(std::string_view id) const;
    Result<void> spawn(Run& run);
    [[nodiscard]] std::string log_path(std::string_view kind, std::string_view subject) const;
    void forget_old();

    os::Loop& loop_;
    Settings settings_;
    Changed changed_;
    std::uint64_t count_{0};
    std::list<std::unique_ptr<Run>> runs_;  // the oldest first
};

}  // namespace hal0::jobs
