#pragma once
// What most commands do at their end.
#include <string>
#include <string_view>
#include <vector>

#include "cli/context.hpp"
#include "cli/follow.hpp"

namespace hal0::cli {

// One line, or a body of the API, for the output; gives exit_ok.
int say(Context& context, std::string_view line);
// "name" of each, one a line: for scripts and completion.
template <class View>
int say_names(Context& context, std::vector<View> const& views, std::string View::* name) {
    for (auto const& view : views)
        say(context, view.*name);
    return exit_ok;
}

// A job of the daemon, to be followed to its end. `subject` as in Work.
Work job_work(wire::JobView const& job, std::string const& subject);

// The jobs of this process, shown as those of the daemon.
class OfflineJob final : NoCopy {
  public:
    explicit OfflineJob(Terminal& terminal) : line_{terminal} {}
    [[nodiscard]] Offline::OnJob told() {
        return [this](wire::JobView const& job) {
            line_.notes(job.notes);
            if (!job.step.empty()) line_.show(progress_of(job), Clock::now());
        };
    }

  private:
    ProgressLine line_;
};

}  // namespace hal0::cli
