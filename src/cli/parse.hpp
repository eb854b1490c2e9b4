#pragma once
// From what was typed to a command and its arguments. Pure.
#include <string>
#include <variant>
#include <vector>

#include "cli/command.hpp"

namespace hal0::cli {

struct Invocation {
    Command const* command{nullptr};
    Arguments arguments{};
};
// `topic`: a command, a family ("slot"), or empty for hal0 itself.
struct HelpWanted {
    std::string topic{};
};
struct VersionWanted {};
// What is wrong and where to read on; exit code 2.
struct Misuse {
    std::string message{};
};
using Parsed = std::variant<Invocation, HelpWanted, VersionWanted, Misuse>;

// `typed`: what stands after the program's name. Flags may stand anywhere, `--flag value`, `--flag=value`,
// `-nVALUE`; after `--` nothing is a flag.
Parsed parse(CommandTable const& table, std::vector<std::string> const& typed);

}  // namespace hal0::cli
