// Engines: what is installed, and what could be.
#include <algorithm>
#include <array>

#include "api/admin.hpp"
#include "api/admin_jobs.hpp"
#include "base/format.hpp"
#include "base/text.hpp"

namespace hal0::api {
namespace {

void list_engines(Admin& admin, AdminCall const& call) { admin.answer(call.ticket, admin.house().engines()); }

void show_engine(Admin& admin, AdminCall const& call) {
    admin.answer(call.ticket, admin.house().engine(call.params.at(0)));
}

void install_engine(Admin& admin, AdminCall const& call) {
    auto const request = wire::decode_request<wire::EngineInstall>(call.body);
    if (!request) return admin.fail(call.ticket, request.error());
    start_job(admin, call, {jobs::engine_install, request->id}, admin.house().engine_need(request->id));
}

void remove_engine(Admin& admin, AdminCall const& call) {
    auto const &id = call.params.at(0), &key = call.params.at(1);
    auto const engines = admin.house().engines();
    auto const at = std::find_if(engines.begin(), engines.end(), [&](auto const& engine) {
        return engine.id == id && engine.key == key && engine.state == "installed";
    });
    if (at == engines.end())
        return admin.fail(call.ticket, {Errc::NotFound, format("no {} with the key '{}' is installed",
                                                               clipped(id), clipped(key))});
    if (!at->used_by.empty())
        return admin.fail(call.ticket, {Errc::Conflict, format("the workers of {} run it; unload them first",
                                                               join(at->used_by, ", "))});
    admin.house().remove_engine(*at, [&admin, ticket = call.ticket](Result<void> const& done) {
        done.ok() ? admin.respond(ticket, {.status = 204}) : admin.fail(ticket, done.error());
    });
}

using http::Method;
using Shape = AnswerDoc::Shape;

constexpr std::array engine_rows{
    AdminRoute{.path = "/api/engines",
               .summary = "All engines: those installed and those that can be.",
               .answer = {Shape::List, &wire::describe<wire::EngineView>},
               .handle = &list_engines},
    AdminRoute{.path = "/api/engines/{id}",
               .summary = "The one of that name that is used, or would be.",
               .answer = {Shape::One, &wire::describe<wire::EngineView>},
               .handle = &show_engine},
    AdminRoute{.method = Method::Post,
               .path = "/api/engines/install",
               .summary = "Install an engine. Asking again joins the job that runs.",
               .request = &wire::describe<wire::EngineInstall>,
               .answer = {Shape::One, &wire::describe<wire::JobView>, job_status},
               .handle = &install_engine},
    AdminRoute{.method = Method::Delete,
               .path = "/api/engines/{id}/{key}",
               .summary = "Remove an installed engine; 409 while a worker runs it.",
               .answer = {Shape::Nothing, nullptr, "204"},
               .handle = &remove_engine},
};

}  // namespace

std::span<AdminRoute const> engine_routes() { return engine_rows; }

}  // namespace hal0::api
