#pragma once
// From the words after `hal0 serve` and the settings file to a running daemon.
#include "app/settings.hpp"
#include "cli/context.hpp"
#include "os/places.hpp"

namespace hal0::app {

// CONFIG/hal0.toml, or what holds without it.
Result<DecodedSettings> read_settings(os::Places const& places);

// The run of `hal0 serve`. Comes back when the daemon was asked to stop.
Result<int> serve(cli::Arguments const& arguments, cli::Context& context);

}  // namespace hal0::app
