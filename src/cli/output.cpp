#include "cli/output.hpp"

#include "base/format.hpp"

namespace hal0::cli {
namespace {

Error job_error(wire::JobView const& job, std::string_view subject) {
    auto const log = job.log.empty() ? std::string{} : format("; its log is {}", job.log);
    return {job.state == "cancelled" ? Errc::Conflict : Errc::Internal,
            format("{} {}: {}{}", subject, job.state, job.message, log)};
}

}  // namespace

int say(Context& context, std::string_view line) {
    context.terminal.out(format("{}\n", line));
    return exit_ok;
}

Work job_work(wire::JobView const& job, std::string const& subject) {
    auto read = [subject](std::string const& body) -> Result<Look> {
        HAL0_TRY(now, wire::decode<wire::JobView>(body));
        Look look{.progress = progress_of(now), .notes = now.notes};
        if (now.state == "done") look.stage = Look::Stage::Done;
        if (now.state == "failed" || now.state == "cancelled") look.fault = job_error(now, subject);
        return look;
    };
    return {.subject = subject, .look_at = format("/api/jobs/{}", segment(job.id)), .read = std::move(read)};
}

}  // namespace hal0::cli
