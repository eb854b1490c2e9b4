#pragma once
// Gets an engine onto this machine, and off it. Blocks for minutes: made for a job process (`hal0 job …`),
// never for the daemon's loops.
#include <string>

#include "base/result.hpp"
#include "engines/lock.hpp"
#include "engines/store.hpp"
#include "models/fetcher.hpp"
#include "os/places.hpp"

namespace hal0::engines {

struct InstallWorld {
    models::FetchWorld fetch{};  // the store's cache; and who is told how far it is
    std::string logs{};          // STATE/logs
    std::string now{};           // RFC 3339: becomes the engine's built_at
    os::Environment environment{os::environment_of_process};
};

// One that is installed already (of the same version, options, compiler and CPU features; where no compiler
// is, of the same version) is given back at once. Else a prebuilt one that fits this CPU is taken, and where
// none can be, the source is built. It becomes visible to the store whole and tried, or not at all;
// interrupted, the next call goes on where it was. Where another process installs it, this one waits for its
// end. Errors: NoSpace, Unsupported (no compiler, CMake or Ninja; says how to get them), Io (a step failed;
// names the log, which is `log`), and those of Fetcher.
Result<InstalledEngine> install(EngineLock const& lock, EngineStore const& store, InstallWorld const& world);

// Gone from the store at once. That no worker runs from it is for the caller to know.
Result<void> remove(InstalledEngine const& engine, EngineStore const& store);

}  // namespace hal0::engines
