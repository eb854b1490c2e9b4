#include "app/fit_command.hpp"

#include "app/fit.hpp"
#include "app/serve.hpp"
#include "cli/fit_text.hpp"

namespace hal0::app {

Result<int> fit_command(cli::Arguments const& arguments, cli::Context& context) {
    wire::FitQuestion const question{.model = arguments.text("MODEL"),
                                     .context = arguments.number("ctx"),
                                     .parallel = arguments.number("parallel"),
                                     .ubatch = arguments.number("ub"),
                                     .cache_ram_mib = arguments.number("cache-ram"),
                                     .kv_type = arguments.maybe("kv-type"),
                                     .flash_attention = arguments.maybe("fa"),
                                     .device = arguments.maybe("device"),
                                     .engine = arguments.maybe("engine")};
    HAL0_TRY(places, context.places());
    HAL0_TRY(settings, read_settings(places));
    Library const library{places, settings.settings.model_roots};
    HAL0_TRY(box, look_at_box(context, arguments.maybe("root")));
    auto fit = Fit::open(question, places, library, box.report);
    if (!fit && fit.error().kind == Errc::Invalid) return cli::misused(context, fit.error().message);
    if (!fit) return fit.error();
    HAL0_TRY(view, (*fit)->answer(question, box));
    context.terminal.out(arguments.has("json") ? wire::encode(view) + "\n"
                                               : cli::fit_text(context.terminal, view));
    return cli::exit_ok;
}

}  // namespace hal0::app
