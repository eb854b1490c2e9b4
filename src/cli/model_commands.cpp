#include "cli/model_commands.hpp"

#include <algorithm>
#include <utility>

#include "base/format.hpp"
#include "base/text.hpp"
#include "cli/output.hpp"
#include "cli/views.hpp"

namespace hal0::cli {
namespace {

using wire::ModelView;

Result<std::vector<ModelView>> all_models(Context& context) {
    HAL0_TRY(api, context.api_if_running());
    if (!api) return context.program.offline.models();
    HAL0_TRY(body, api->get("/api/models"));
    return wire::decode<std::vector<ModelView>>(body);
}

Result<ModelView> find_model(Context& context, std::string const& id) {
    HAL0_TRY(models, all_models(context));
    std::vector<std::string> ids;
    for (auto& model : models) {
        if (model.id == id) return std::move(model);
        ids.push_back(model.id);
    }
    auto const near = nearest(id, ids);
    return Error{Errc::NotFound, format("there is no model '{}'; {}", id,
                                        near ? format("did you mean '{}'?", *near)
                                             : std::string{"'hal0 model list' shows what there is"})};
}

// What is here already is a job that is done.
Result<void> pull_through(Context& context, Api const& api, Arguments const& arguments) {
    auto const& id = arguments.text("ID");
    HAL0_TRY(body, api.post("/api/models/pull", wire::encode(wire::ModelPull{id})));
    HAL0_TRY(job, wire::decode<wire::JobView>(body));
    if (job.state == "done" || arguments.has("no-wait")) return {};
    HAL0_CHECK(follow(context, api, job_work(job, format("pulling {}", id))));
    return {};
}

Result<void> verify_through(Context& context, Api const& api, std::string const& id) {
    HAL0_TRY(body, api.post(format("/api/models/{}/verify", segment(id))));
    HAL0_TRY(job, wire::decode<wire::JobView>(body));
    HAL0_CHECK(follow(context, api, job_work(job, format("checking {}", id))));
    return {};
}

}  // namespace

Result<int> model_list(Arguments const& arguments, Context& context) {
    HAL0_TRY(models, all_models(context));
    if (arguments.has("present"))
        std::erase_if(models, [](auto const& model) { return model.state != "present"; });
    if (arguments.has("json")) return say(context, wire::encode(models));
    if (arguments.has("names")) return say_names(context, models, &ModelView::id);
    context.terminal.out(models_list(context.terminal, models));
    return exit_ok;
}

Result<int> model_show(Arguments const& arguments, Context& context) {
    HAL0_TRY(model, find_model(context, arguments.text("ID")));
    if (arguments.has("json")) return say(context, wire::encode(model));
    context.terminal.out(details(context.terminal, model));
    return exit_ok;
}

Result<int> model_pull(Arguments const& arguments, Context& context) {
    auto const& id = arguments.text("ID");
    HAL0_TRY(api, context.api_if_running());
    if (api) {
        HAL0_CHECK(pull_through(context, *api, arguments));
    } else {
        OfflineJob job{context.terminal};
        HAL0_CHECK(context.program.offline.pull(id, job.told()));
    }
    HAL0_TRY(model, find_model(context, id));
    if (arguments.has("json")) return say(context, wire::encode(model));
    if (model.state != "present") return say(context, format("{} is {}", model.id, model.state));
    return say(context, format("{} is here: {} in {}", model.id, human(Bytes{model.size}), model.directory));
}

Result<int> model_verify(Arguments const& arguments, Context& context) {
    auto const& id = arguments.text("ID");
    HAL0_TRY(api, context.api_if_running());
    if (api) {
        HAL0_CHECK(verify_through(context, *api, id));
    } else {
        OfflineJob job{context.terminal};
        HAL0_CHECK(context.program.offline.verify(id, job.told()));
    }
    return say(context, format("{} is whole: every byte is as it was pulled", id));
}

}  // namespace hal0::cli
