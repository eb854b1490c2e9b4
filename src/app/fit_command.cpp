#include "app/fit_command.hpp"

#include <initializer_list>
#include <optional>
#include <string>
#include <utility>

#include "app/fit.hpp"
#include "app/serve.hpp"
#include "base/format.hpp"
#include "cli/fit_text.hpp"
#include "models/fetch_program.hpp"
#include "models/remote_header.hpp"

namespace hal0::app {
namespace {

// The path and query of GET /api/fit.
std::string target_of(wire::FitQuestion const& question) {
    auto target = format("/api/fit?model={}", cli::segment(question.model));
    using Number = std::pair<std::string_view, std::optional<std::int64_t>>;
    for (auto const& [name, value] :
         std::initializer_list<Number>{{"context", question.context},
                                       {"parallel", question.parallel},
                                       {"ubatch", question.ubatch},
                                       {"cache_ram_mib", question.cache_ram_mib}}) {
        if (value) target += format("&{}={}", name, *value);
    }
    using Text = std::pair<std::string_view, std::optional<std::string>>;
    for (auto const& [name, value] :
         std::initializer_list<Text>{{"kv_type", question.kv_type},
                                     {"flash_attention", question.flash_attention},
                                     {"device", question.device},
                                     {"engine", question.engine},
                                     {"draft", question.draft}}) {
        if (value) target += format("&{}={}", name, cli::segment(*value));
    }
    if (question.mtp.value_or(false)) target += "&mtp=true";
    return target;
}

// By the daemon, where one runs: it sees what its slots hold, and has the limits that they are held to.
// Nothing where none runs.
Result<std::optional<wire::FitView>> answer_of_daemon(wire::FitQuestion const& question,
                                                      cli::Context const& context) {
    HAL0_TRY(api, context.api_if_running());
    if (!api) return std::optional<wire::FitView>{};
    HAL0_TRY(body, api->get(target_of(question)));
    HAL0_TRY(view, wire::decode<wire::FitView>(body));
    return std::optional{std::move(view)};
}

// Of what lies elsewhere.
Result<void> fetch_headers(wire::FitQuestion const& question, os::Places const& places, WallTime now) {
    models::HeaderWorld const world{
        .cache = places.cache, .fetch_program = models::fetch_program(), .now = now};
    for (auto const& name : {std::optional{question.model}, question.mmproj, question.draft}) {
        if (name && models::names_a_url(*name)) HAL0_CHECK(models::fetch_header(*name, world));
    }
    return {};
}

Result<wire::FitView> answer_here(wire::FitQuestion const& question, cli::Context& context,
                                  std::optional<std::string> const& root) {
    HAL0_TRY(places, context.places());
    HAL0_TRY(settings, read_settings(places));
    Library const library{places, settings.settings.model_roots};
    HAL0_CHECK(fetch_headers(question, places, context.now()));
    HAL0_TRY(box, look_at_box(context, root));
    HAL0_TRY(fit, Fit::open(question, places, library, box.report));
    return fit->answer(question, box);
}

// A file is read here: it may not be the daemon's to read. So is what lies elsewhere, which the daemon
// doesn't get for whoever asks.
Result<wire::FitView> answer(wire::FitQuestion const& question, cli::Context& context,
                             std::optional<std::string> const& root) {
    bool const has_file =
        names_a_file(question.model) || question.mmproj || (question.draft && names_a_file(*question.draft));
    if (!root && !has_file) {
        HAL0_TRY(view, answer_of_daemon(question, context));
        if (view) return std::move(*view);
    }
    return answer_here(question, context, root);
}

}  // namespace

Result<int> fit_command(cli::Arguments const& arguments, cli::Context& context) {
    wire::FitQuestion const question{.model = arguments.text("MODEL"),
                                     .context = arguments.number("ctx"),
                                     .parallel = arguments.number("parallel"),
                                     .ubatch = arguments.number("ub"),
                                     .cache_ram_mib = arguments.number("cache-ram"),
                                     .kv_type = arguments.maybe("kv-type"),
                                     .flash_attention = arguments.maybe("fa"),
                                     .device = arguments.maybe("device"),
                                     .engine = arguments.maybe("engine"),
                                     .mmproj = arguments.maybe("mmproj"),
                                     .draft = arguments.maybe("draft"),
                                     .mtp = arguments.has("mtp") ? std::optional{true} : std::nullopt};
    auto const view = answer(question, context, arguments.maybe("root"));
    if (!view && view.error().kind == Errc::Invalid) return cli::misused(context, view.error().message);
    if (!view) return view.error();
    context.terminal.out(arguments.has("json") ? wire::encode(*view) + "\n"
                                               : cli::fit_text(context.terminal, *view));
    return view->fault ? cli::exit_failed : cli::exit_ok;
}

}  // namespace hal0::app
