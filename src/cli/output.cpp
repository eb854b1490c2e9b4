#include "cli/output.hpp"

#include <utility>

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

Result<void> show_stream(Context& context, Api const& api, http::ClientRequest request,
                         http::Call::Piece piece) {
    request.deadline = stream_silence_max;
    HAL0_TRY(loop, os::Loop::make());
    auto const reader = context.terminal.end_with_reader(*loop);
    Result<std::string> end{Error{Errc::Internal, "the stream was not followed to its end"}};
    auto const call = http::Call::start(
        *loop, std::move(request),
        [&](Result<http::ClientAnswer> answer) {
            end = api.outcome(std::move(answer));
            loop->stop();
        },
        std::move(piece));
    loop->run();
    HAL0_CHECK(end);
    return {};
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
