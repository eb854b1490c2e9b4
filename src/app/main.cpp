// One program: the daemon (`hal0 serve`), its workers' first step (`hal0 slot exec`), its jobs, the asking of
// drivers, and the CLI.
#include <string>
#include <vector>

#include "app/doctor_command.hpp"
#include "app/fit_command.hpp"
#include "app/loadout_command.hpp"
#include "app/offline.hpp"
#include "app/probe_command.hpp"
#include "app/serve.hpp"
#include "cli/run.hpp"
#include "cli/terminal.hpp"

int main(int argc, char** argv) {
    hal0::cli::Program const program{.version = HAL0_VERSION,
                                     .serve = hal0::app::serve,
                                     .slot_exec = hal0::app::slot_exec_command,
                                     .job = hal0::app::job_command,
                                     .probe = hal0::app::probe_command,
                                     .doctor = hal0::app::doctor_command,
                                     .driver = hal0::app::driver_command,
                                     .fit = hal0::app::fit_command,
                                     .loadout_list = hal0::app::loadout_list_command,
                                     .loadout_show = hal0::app::loadout_show_command,
                                     .loadout_fit = hal0::app::loadout_fit_command,
                                     .offline = hal0::app::offline_work()};
    hal0::cli::Console console;
    return hal0::cli::run({argv + 1, argv + argc}, console, program);
}
