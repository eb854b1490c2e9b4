// Models: what is in the store, and what could be.
#include <array>

#include "api/admin.hpp"
#include "api/admin_jobs.hpp"

namespace hal0::api {
namespace {

void list_models(Admin& admin, AdminCall const& call) { admin.answer(call.ticket, admin.house().models()); }

void show_model(Admin& admin, AdminCall const& call) {
    admin.answer(call.ticket, admin.house().model(call.params.at(0)));
}

void verify_model(Admin& admin, AdminCall const& call) {
    auto const& id = call.params.at(0);
    start_job(admin, call, {jobs::model_verify, id}, admin.house().verify_need(id));
}

void pull_model(Admin& admin, AdminCall const& call) {
    auto const request = wire::decode_request<wire::ModelPull>(call.body);
    if (!request) return admin.fail(call.ticket, request.error());
    start_job(admin, call, {jobs::model_pull, request->id}, admin.house().model_need(request->id));
}

using http::Method;
using Shape = AnswerDoc::Shape;

constexpr std::array model_rows{
    AdminRoute{.path = "/api/models",
               .summary = "All models: those in the store and those that can be pulled.",
               .answer = {Shape::List, &wire::describe<wire::ModelView>},
               .handle = &list_models},
    AdminRoute{.path = "/api/models/{id}",
               .summary = "One model.",
               .answer = {Shape::One, &wire::describe<wire::ModelView>},
               .handle = &show_model},
    AdminRoute{.method = Method::Post,
               .path = "/api/models/pull",
               .summary = "Get a model. Asking again joins the job that runs.",
               .request = &wire::describe<wire::ModelPull>,
               .answer = {Shape::One, &wire::describe<wire::JobView>, job_status},
               .handle = &pull_model},
    AdminRoute{.method = Method::Post,
               .path = "/api/models/{id}/verify",
               .summary =
                   "Read every byte of a model and hold it against its hashes. The job fails where one "
                   "differs, and the model is `damaged` from then on.",
               .answer = {Shape::One, &wire::describe<wire::JobView>, "202"},
               .handle = &verify_model},
};

}  // namespace

std::span<AdminRoute const> model_routes() { return model_rows; }

}  // namespace hal0::api
