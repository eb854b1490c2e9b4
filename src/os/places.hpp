#pragma once
// Where hal0 keeps things on this machine. $HAL0_HOME if set: everything under it; else the system's places
// when hal0 was installed as a package (/usr/lib/hal0 exists); else XDG (also for root).
#include <functional>
#include <optional>
#include <string>

#include "base/result.hpp"

namespace hal0::os {

struct Places {
    std::string config{};  // hal0.toml, slots/NAME.toml
    std::string data{};    // models/
    std::string state{};   // logs
    std::string
        runtime{};        // sockets, locks, specs: 0700, may vanish at reboot, short enough for unix sockets
    std::string cache{};  // engines and downloads: can be made again
    bool operator==(Places const&) const = default;
};

using Environment = std::function<std::optional<std::string>(char const* name)>;
std::optional<std::string> environment_of_process(char const* name);

// Pure: reads nothing but `environment` and whether hal0 is installed. Invalid when neither HAL0_HOME nor
// HOME is set, or one is relative.
//   HAL0_HOME=H    config H/config, data H/data, state H/state, cache H/cache, runtime H/run
//   XDG            runtime STATE/run
//   A runtime path that is too long for sockets becomes $HOME/.hal0-UID-HASH, or /tmp/hal0-UID-HASH.
//   HAL0_CACHE     overrides cache alone (engines shared between homes)
Result<Places> find_places(Environment const& environment, bool installed, unsigned uid);
// Of this machine and user.
Result<Places> find_places(Environment const& environment = environment_of_process);
// Whether these are the system's, of a package.
bool are_installed(Places const& places);
Result<void> make_places(
    Places const& places);  // creates them, runtime 0700; refuses a runtime directory of another user

}  // namespace hal0::os
