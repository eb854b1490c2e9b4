#pragma once
// Who keeps the workers of this home: systemd, or nobody.
#include <memory>

#include "app/settings.hpp"
#include "base/log.hpp"
#include "base/result.hpp"
#include "os/loop.hpp"
#include "os/places.hpp"
#include "slots/launcher.hpp"

namespace hal0::app {

// Asks systemd and waits for it, seconds at most: before the loop runs. Where systemd was asked for and can't
// do it, the Error says why, and what to do.
Result<std::unique_ptr<slots::Launcher>> make_launcher(os::Loop& loop, os::Places const& places,
                                                       Keeper wanted, Log& log);

}  // namespace hal0::app
