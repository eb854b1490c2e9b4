#include "app/keeper.hpp"

#include <utility>

#include "base/format.hpp"
#include "os/bus.hpp"
#include "os/file.hpp"
#include "os/process_info.hpp"
#include "slots/process_launcher.hpp"
#include "slots/systemd_launcher.hpp"
#include "slots/unit_name.hpp"

namespace hal0::app {
namespace {

using slots::Manager;

// A package's home and root's are kept by the system's manager, which is there whoever is logged in.
Manager manager_of(os::Places const& places) {
    return os::are_installed(places) || os::own_user() == 0 ? Manager::System : Manager::User;
}

std::string units_directory(Manager manager) {
    return manager == Manager::System ? "/etc/systemd/system" : "~/.config/systemd/user";
}

std::string reload(Manager manager) {
    return format("systemctl{} daemon-reload", manager == Manager::System ? "" : " --user");
}

std::string what_to_do(Manager manager, Error const& why) {
    if (why.kind == Errc::NotFound)
        return format("put packaging/{0} into {1}, with {2} in its ExecStart, then '{3}'",
                      slots::unit_template, units_directory(manager), os::own_program(), reload(manager));
    if (why.kind == Errc::Forbidden)
        return "let this user manage these units by a rule of polkit (docs/systemd.md)";
    if (manager == Manager::User)
        return "'systemctl --user status' shows whether this user has a manager, which is so while somebody "
               "is "
               "logged in and after 'loginctl enable-linger'";
    return "'systemctl status' shows whether systemd runs here";
}

Result<std::unique_ptr<slots::Launcher>> systemd_launcher(os::Loop& loop, os::Places const& places,
                                                          Manager manager) {
    auto address =
        manager == Manager::System ? os::system_bus_address() : os::user_bus_address(os::own_user());
    HAL0_TRY(units, slots::UnitManager::open(loop, std::move(address)));
    auto launcher =
        std::make_unique<slots::SystemdLauncher>(std::move(units), places, slots::runtime_of_units(manager));
    HAL0_CHECK(launcher->check());
    return std::unique_ptr<slots::Launcher>{std::move(launcher)};
}

std::unique_ptr<slots::Launcher> process_launcher(os::Loop& loop, os::Places const& places) {
    // The very program that runs, also when its file was replaced meanwhile: both speak one spec.json.
    return std::make_unique<slots::ProcessLauncher>(loop, places, "/proc/self/exe");
}

// logind ends a user's manager, and with it the workers, at the last logout.
void warn_of_logout(Manager manager, Log& log) {
    if (manager == Manager::System) return;
    auto const user = os::environment_of_process("USER");
    if (!user || os::exists("/var/lib/systemd/linger/" + *user)) return;
    log.warn("the workers end when you log out: 'loginctl enable-linger' keeps them");
}

}  // namespace

Result<std::unique_ptr<slots::Launcher>> make_launcher(os::Loop& loop, os::Places const& places,
                                                       Keeper wanted, Log& log) {
    bool const by_itself = wanted == Keeper::Auto;
    if (wanted == Keeper::Process || (by_itself && !os::are_installed(places)))
        return process_launcher(loop, places);
    auto const manager = manager_of(places);
    auto launcher = systemd_launcher(loop, places, manager);
    if (launcher) {
        log.info("systemd keeps the workers, as {}", slots::unit_template);
        warn_of_logout(manager, log);
        return launcher;
    }
    auto const& why = launcher.error();
    if (by_itself) {
        log.warn("systemd doesn't keep the workers, they are processes of their own: {}; {}", why.message,
                 what_to_do(manager, why));
        return process_launcher(loop, places);
    }
    return Error{why.kind,
                 format("systemd can't keep the workers: {}; {}, or set launcher = \"process\" in {}",
                        why.message, what_to_do(manager, why), os::join_path(places.config, "hal0.toml"))};
}

}  // namespace hal0::app
