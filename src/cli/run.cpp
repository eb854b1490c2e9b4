#include "cli/run.hpp"

#include <variant>

#include "base/format.hpp"
#include "cli/commands.hpp"
#include "cli/help.hpp"
#include "cli/parse.hpp"
#include "cli/text.hpp"
#include "os/lock_file.hpp"

namespace hal0::cli {
namespace {

template <class... F> struct Each : F... {
    using F::operator()...;
};

void complain(Terminal& terminal, std::string_view message) {
    terminal.err(format("{} {}\n", painted(terminal, Stream::Err, "hal0:", Style::Bold), printable(message)));
}

Error deaf(int pid) {
    return {
        Errc::Timeout,
        format("hal0 (pid {}) holds this home but doesn't answer: it starts or ends just now, or hangs; try "
               "again, or make it end with 'kill -9 {}'",
               pid, pid)};
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

Result<bool> Context::runs(Api const& api) const {
    auto const answered = api.probe();
    if (answered) return true;
    bool const nobody = answered.error().kind == Errc::Unavailable;
    if (api.daemon().where == Daemon::Where::Named) return nobody ? Result<bool>{false} : answered.error();
    HAL0_TRY(found, places());
    HAL0_TRY(holder, os::LockFile::holder(daemon_lock(found)));
    if (holder) return deaf(*holder);
    return nobody ? Result<bool>{false} : answered.error();
}

Result<std::optional<Api>> Context::api_if_running() const {
    HAL0_TRY(found, api());
    if (found.daemon().where == Daemon::Where::Named) return std::optional{std::move(found)};
    HAL0_TRY(running, runs(found));
    return running ? std::optional{std::move(found)} : std::nullopt;
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
