#include "cli/output.hpp"

#include "base/format.hpp"

namespace hal0::cli {

int say(Context& context, std::string_view line) {
    context.terminal.out(format("{}\n", line));
    return exit_ok;
}

Work job_work(wire::JobView const& job, std::string subject) {
    auto read = [subject](std::string const& body) -> Result<Look> {
        HAL0_TRY(now, wire::decode<wire::JobView>(body));
        Look look{.progress = progress_of(now)};
        if (now.state == "running") {
            look.note = now.message;
        } else if (now.state == "done") {
            look.end = Result<void>{};
        } else {
            auto const log = now.log.empty() ? std::string{} : format("; its log is {}", now.log);
            look.end = Error{now.state == "cancelled" ? Errc::Conflict : Errc::Internal,
                             format("{} {}: {}{}", subject, now.state, now.message, log)};
        }
        return look;
    };
    return {format("/api/jobs/{}", segment(job.id)), subject, std::move(read)};
}

}  // namespace hal0::cli
