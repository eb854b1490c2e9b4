#pragma once
// docs/settings.md: all that can be set, in hal0.toml, in a slot's file, in the environment, by flags.
#include <string>

namespace hal0::app {

std::string render_settings_docs();

}  // namespace hal0::app
