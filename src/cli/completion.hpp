#pragma once
// Shell completion scripts, made from the table. Names of slots, models and engines are asked of hal0 itself
// when Tab is pressed.
#include <optional>
#include <string>
#include <string_view>

#include "cli/command.hpp"

namespace hal0::cli {

enum class Shell { Bash, Zsh, Fish };
std::optional<Shell> shell_from(std::string_view name);

std::string completion_script(CommandTable const& table, Shell shell);

}  // namespace hal0::cli
