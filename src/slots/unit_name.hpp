#pragma once
// How a slot's unit is called: hal0-slot@NAME.service, and hal0-slot@NAME:RUNTIME.service where its home
// isn't the one that `hal0 slot exec` finds by itself. Pure.
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "os/places.hpp"

namespace hal0::slots {

inline constexpr std::string_view unit_template = "hal0-slot@.service";
inline constexpr std::size_t unit_name_bytes_max = 255;  // systemd's UNIT_NAME_MAX

// Of which slot, and in which runtime directory; that is empty where the unit finds it by itself.
struct UnitInstance {
    std::string slot{};
    std::string runtime{};
    bool operator==(UnitInstance const&) const = default;
};

// A slot's name stands as it is; of a path each '/' becomes '-', and what isn't a letter, a digit, '.', '_'
// or
// ':' is \xNN, as systemd-escape(1) has it. TooLarge where systemd takes no name of that length.
Result<std::string> unit_name(UnitInstance const& instance);
// What a unit has as %i. Invalid where that isn't of this form.
Result<UnitInstance> decode_instance(std::string_view text);

// The runtime directory that a unit finds by itself: a service of the system has no variables, one of a user
// has HOME alone, whatever the manager's environment has besides. Empty where there is none.
enum class Manager { System, User };
std::string runtime_of_units(Manager manager);
// The environment by which a unit finds it.
os::Environment environment_of_units(Manager manager);

// Whether the process whose /proc/PID/cgroup says that belongs to this unit.
bool in_unit(std::string_view cgroups, std::string_view unit);

}  // namespace hal0::slots
