#pragma once
// What `--help` says, made from the table: of hal0, of a family ("slot"), of one command. Fits 80 columns.
#include <optional>
#include <string>
#include <string_view>

#include "cli/command.hpp"

namespace hal0::cli {

std::string help_of_all(CommandTable const& table);
// Nothing when there is no such command or family.
std::optional<std::string> help_of(CommandTable const& table, std::string_view topic);

// "slot swap NAME MODEL", "chat [MESSAGE…]"
std::string usage_of(Command const& command);

}  // namespace hal0::cli
