#include "cli/engine_commands.hpp"

#include <algorithm>
#include <utility>

#include "base/format.hpp"
#include "base/text.hpp"
#include "cli/output.hpp"
#include "cli/views.hpp"

namespace hal0::cli {
namespace {

using wire::EngineView;

Result<std::vector<EngineView>> all_engines(Context& context) {
    HAL0_TRY(api, context.api_if_running());
    if (!api) return context.program.offline.engines();
    HAL0_TRY(body, api->get("/api/engines"));
    return wire::decode<std::vector<EngineView>>(body);
}

// All builds of one engine; the first is the one that is used, or would be.
Result<std::vector<EngineView>> builds_of(Context& context, std::string const& id) {
    HAL0_TRY(engines, all_engines(context));
    std::vector<std::string> ids;
    ids.reserve(engines.size());
    for (auto const& engine : engines)
        ids.push_back(engine.id);
    std::erase_if(engines, [&id](auto const& engine) { return engine.id != id; });
    if (!engines.empty()) return engines;
    auto const near = nearest(id, ids);
    return Error{Errc::NotFound, format("there is no engine '{}'; {}", id,
                                        near ? format("did you mean '{}'?", *near)
                                             : std::string{"'hal0 engine list' shows what there is"})};
}

Result<void> install_through(Context& context, Api const& api, Arguments const& arguments) {
    auto const& id = arguments.text("ID");
    HAL0_TRY(body, api.post("/api/engines/install", wire::encode(wire::EngineInstall{id})));
    HAL0_TRY(job, wire::decode<wire::JobView>(body));
    if (job.state == "done" || arguments.has("no-wait")) return {};
    HAL0_CHECK(follow(context, api, job_work(job, format("installing {}", id))));
    return {};
}

// The build that is meant: the one with this key, or the only one that is installed.
Result<EngineView> build_to_remove(Context& context, Arguments const& arguments) {
    auto const& id = arguments.text("ID");
    HAL0_TRY(builds, builds_of(context, id));
    std::erase_if(builds, [&](auto const& build) {
        return build.state != "installed" || (arguments.has("KEY") && build.key != arguments.text("KEY"));
    });
    if (builds.size() == 1) return builds.front();
    if (builds.empty())
        return Error{Errc::NotFound, arguments.has("KEY")
                                         ? format("{} has no build '{}'", id, arguments.text("KEY"))
                                         : format("{} is not installed", id)};
    std::vector<std::string> keys;
    keys.reserve(builds.size());
    for (auto const& build : builds)
        keys.push_back(build.key);
    return Error{Errc::Conflict, format("{} is installed {} times; name one of: hal0 engine remove {} {}", id,
                                        keys.size(), id, join(keys, "|"))};
}

}  // namespace

Result<int> engine_list(Arguments const& arguments, Context& context) {
    HAL0_TRY(engines, all_engines(context));
    if (arguments.has("installed"))
        std::erase_if(engines, [](auto const& engine) {
            return engine.state != "installed" || !engine.runs_here || !engine.current;
        });
    if (arguments.has("json")) return say(context, wire::encode(engines));
    if (arguments.has("names")) return say_names(context, engines, &EngineView::id);
    context.terminal.out(engines_list(context.terminal, engines));
    return exit_ok;
}

Result<int> engine_show(Arguments const& arguments, Context& context) {
    HAL0_TRY(builds, builds_of(context, arguments.text("ID")));
    if (arguments.has("json")) return say(context, wire::encode(builds.front()));
    context.terminal.out(details(context.terminal, builds.front()));
    return exit_ok;
}

Result<int> engine_install(Arguments const& arguments, Context& context) {
    auto const& id = arguments.text("ID");
    HAL0_TRY(api, context.api_if_running());
    if (api) {
        HAL0_CHECK(install_through(context, *api, arguments));
    } else {
        OfflineJob job{context.terminal};
        HAL0_CHECK(context.program.offline.install(id, job.told()));
    }
    HAL0_TRY(builds, builds_of(context, id));
    auto const current =
        std::find_if(builds.begin(), builds.end(), [](auto const& build) { return build.current; });
    auto const& build = current == builds.end() ? builds.front() : *current;
    if (arguments.has("json")) return say(context, wire::encode(build));
    if (build.state != "installed") return say(context, format("{} is {}", id, build.state));
    return say(context,
               format("{} {} ({}) is installed in {}", id, build.version, build.backend, build.directory));
}

Result<int> engine_remove(Arguments const& arguments, Context& context) {
    auto const& id = arguments.text("ID");
    HAL0_TRY(build, build_to_remove(context, arguments));
    HAL0_TRY(api, context.api_if_running());
    if (api) {
        HAL0_CHECK(api->remove(format("/api/engines/{}/{}", segment(id), segment(build.key))));
    } else {
        HAL0_CHECK(context.program.offline.remove(id, build.key));
    }
    if (arguments.has("json")) return say(context, wire::encode(build));
    return say(context, format("{} ({}) is removed", id, build.key));
}

}  // namespace hal0::cli
