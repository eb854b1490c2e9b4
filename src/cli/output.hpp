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
    std::string lines;
    for (auto const& view : views)
        lines += view.*name + "\n";
    context.terminal.out(lines);
    return exit_ok;
}

// An answer that goes on, to its end or until nobody reads the output any more.
Result<void> show_stream(Context& context, Api const& api, http::ClientRequest request,
                         http::Call::Piece piece);

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
