#include "cli/run.hpp"

#include <variant>

#include "base/format.hpp"
#include "cli/commands.hpp"
#include "cli/help.hpp"
#include "cli/parse.hpp"
#include "cli/text.hpp"

namespace hal0::cli {
namespace {

template <class... F> struct Each : F... {
    using F::operator()...;
};

void complain(Terminal& terminal, std::string_view message) {
    terminal.err(format("{} {}\n", painted(terminal, Stream::Err, "hal0:", Style::Bold), message));
}

// The one place where a kind of failure becomes an exit code.
int exit_code_of(Errc kind) { return kind == Errc::Cancelled ? exit_interrupted : exit_failed; }

int perform(Invocation const& invocation, Context& context) {
    if (!invocation.command->run) {
        complain(context.terminal, format("this build can't do 'hal0 {}'", invocation.command->path));
        return exit_failed;
    }
    auto const code = invocation.command->run(invocation.arguments, context);
    if (code) return *code;
    complain(context.terminal, code.error().message);
    return exit_code_of(code.error().kind);
}

}  // namespace

Result<os::Places> Context::places() const { return os::find_places(environment); }

Result<Api> Context::api() const {
    HAL0_TRY(found, places());
    HAL0_TRY(daemon, find_daemon(environment, found));
    return Api{std::move(daemon)};
}

Result<std::optional<Api>> Context::api_if_running() const {
    HAL0_TRY(found, api());
    if (found.daemon().where == Daemon::Where::Named || found.answers())
        return std::optional{std::move(found)};
    return std::optional<Api>{};
}

int misused(Context& context, std::string_view message) {
    complain(context.terminal, message);
    return exit_usage;
}

int run(std::vector<std::string> const& typed, Terminal& terminal, Program const& program,
        os::Environment const& environment) {
    auto const table = make_commands(program);
    Context context{terminal, environment, program, table};
    auto const help = [&](HelpWanted const& wanted) {
        terminal.out(wanted.topic.empty() ? help_of_all(table) : help_of(table, wanted.topic).value_or(""));
        return exit_ok;
    };
    return std::visit(Each{[&](Invocation const& invocation) { return perform(invocation, context); },
                           [&](Misuse const& misuse) { return misused(context, misuse.message); }, help,
                           [&](VersionWanted const&) {
                               terminal.out(format("hal0 {}\n", program.version));
                               return exit_ok;
                           }},
                      parse(table, typed));
}

}  // namespace hal0::cli
