// Jobs: long work that goes on when who asked for it leaves.
#include "api/admin_jobs.hpp"

#include <array>

#include "api/translate.hpp"
#include "base/format.hpp"
#include "base/text.hpp"

namespace hal0::api {
namespace {

void list_jobs(Admin& admin, AdminCall const& call) {
    std::vector<wire::JobView> views;
    for (auto const& job : admin.jobs().list())
        views.push_back(view_of(job));
    admin.answer(call.ticket, views);
}

void show_job(Admin& admin, AdminCall const& call) {
    auto const& id = call.params.at(0);
    auto const* job = admin.jobs().find(id);
    if (job == nullptr)
        return admin.fail(call.ticket, {Errc::NotFound, format("there is no job '{}'; the last {} are kept",
                                                               clipped(id), jobs::jobs_kept_max)});
    admin.answer(call.ticket, view_of(*job));
}

void cancel_job(Admin& admin, AdminCall const& call) {
    auto const job = admin.jobs().cancel(call.params.at(0));
    job.ok() ? admin.answer(call.ticket, view_of(*job), 202) : admin.fail(call.ticket, job.error());
}

using http::Method;
using Shape = AnswerDoc::Shape;
constexpr auto one_job = &wire::describe<wire::JobView>;

constexpr std::array job_rows{
    AdminRoute{.path = "/api/jobs",
               .summary = "The jobs that run and the last that ended, the newest first.",
               .answer = {Shape::List, one_job},
               .handle = &list_jobs},
    AdminRoute{.path = "/api/jobs/{id}",
               .summary = "One job.",
               .answer = {Shape::One, one_job},
               .handle = &show_job},
    AdminRoute{.method = Method::Post,
               .path = "/api/jobs/{id}/cancel",
               .summary = "Ask a job to stop. It is `cancelled` once its processes are gone.",
               .answer = {Shape::One, one_job, "202"},
               .handle = &cancel_job},
};

}  // namespace

void start_job(Admin& admin, AdminCall const& call, JobWanted const& wanted,
               Result<House::Need> const& need) {
    if (!need) return admin.fail(call.ticket, need.error());
    if (*need == House::Need::Nothing) {
        wire::JobView done;
        done.kind = wanted.kind;
        done.subject = wanted.subject;
        done.state = jobs::to_string(jobs::State::Done);
        done.unit = jobs::to_string(jobs::Unit::Steps);
        done.message = format("{} is here already", wanted.subject);
        return admin.answer(call.ticket, done);
    }
    auto const job = admin.jobs().start(wanted.kind, wanted.subject);
    job.ok() ? admin.answer(call.ticket, view_of(*job), 202) : admin.fail(call.ticket, job.error());
}

std::span<AdminRoute const> job_routes() { return job_rows; }

}  // namespace hal0::api
