#include "cli/command.hpp"

#include "base/text.hpp"

namespace hal0::cli {
namespace {

// "slot" of "slot load"; nothing for a command of one word.
std::string_view family_of(std::string_view path) {
    auto const space = path.find(' ');
    return space == std::string_view::npos ? std::string_view{} : path.substr(0, space);
}

}  // namespace

std::vector<std::string> const& Arguments::all(std::string_view name) const {
    static std::vector<std::string> const none;
    auto const found = values_.find(name);
    return found == values_.end() ? none : found->second;
}

std::string const& Arguments::text(std::string_view name) const {
    static std::string const none;
    auto const& values = all(name);
    return values.empty() ? none : values.back();
}

std::optional<std::string> Arguments::maybe(std::string_view name) const {
    if (all(name).empty()) return std::nullopt;
    return text(name);
}

std::optional<std::int64_t> Arguments::number(std::string_view name) const { return to_int(text(name)); }

Command const* CommandTable::find(std::string_view path) const {
    for (auto const& group : groups_) {
        for (auto const& command : group.commands) {
            if (command.path == path) return &command;
        }
    }
    return nullptr;
}

std::vector<Command const*> CommandTable::all() const {
    std::vector<Command const*> found;
    for (auto const& group : groups_) {
        for (auto const& command : group.commands) {
            if (command.shown == Shown::InHelp) found.push_back(&command);
        }
    }
    return found;
}

std::vector<Command const*> CommandTable::family(std::string_view word) const {
    std::vector<Command const*> found;
    for (auto const* command : all()) {
        if (family_of(command->path) == word) found.push_back(command);
    }
    return found;
}

bool CommandTable::has_family(std::string_view word) const { return !family(word).empty(); }

}  // namespace hal0::cli
