#pragma once
// Where the things of one slot's worker lie: RUN/slots/NAME/ and its log. `hal0 slot exec` and every daemon
// find them by the name alone.
#include <string>

#include "base/units.hpp"
#include "os/places.hpp"

namespace hal0::slots {

inline constexpr Bytes spec_max = 1_MiB;

struct RunDir {
    std::string directory{};
    std::string lock{};      // held by the worker while it lives
    std::string spec{};      // what it runs (engines::WorkerSpec)
    std::string key{};       // the bearer token it wants
    std::string socket{};    // it listens on it
    std::string found{};     // what the check of its output found; not there: it wasn't checked
    std::string log{};       // what it writes; elsewhere, for it outlives a reboot
    std::string log_link{};  // leads there, for who knows the run directory alone
};
std::string run_root(os::Places const& places);   // the directory of all of them
std::string logs_root(os::Places const& places);  // the directory of their logs
RunDir run_dir(os::Places const& places, std::string const& slot);

}  // namespace hal0::slots
