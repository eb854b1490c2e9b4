#include "slots/settings_diff.hpp"

#include <map>

#include "base/format.hpp"
#include "base/text.hpp"
#include "engines/arguments.hpp"

namespace hal0::slots {
namespace {

using engines::WorkerSpec;
using Options = std::map<std::string, std::string>;

// By the option's name; what is said several times is one line.
Options options_of(WorkerSpec const& spec) {
    auto const& flags = engines::llama_server_flags();
    auto const words = std::vector<std::string>{spec.argv.begin() + 1, spec.argv.end()};
    auto const arguments = engines::parse_arguments(words, flags, "", engines::Unknown::Taken);
    if (!arguments) return {{"arguments", join(words, " ")}};
    Options options;
    for (auto const& argument : *arguments) {
        auto const* const flag = flags.find(argument.flag);
        bool const two_ways = flag != nullptr && flag->value.empty() && flag->names.size() > 1;
        auto const& name = flag != nullptr ? flag->name() : argument.flag;
        auto const value = argument.value.value_or(two_ways ? argument.flag : "on");
        auto& place = options[name];
        if (!place.empty()) place += ", ";
        place += value;
    }
    return options;
}

void compare(std::vector<SettingDiff>& found, std::string const& what, std::string const& running,
             std::string const& configured) {
    if (running != configured) found.push_back({what, running, configured});
}

std::optional<std::string> value_in(Options const& options, std::string const& name) {
    auto const at = options.find(name);
    return at == options.end() ? std::nullopt : std::optional{at->second};
}

}  // namespace

std::vector<SettingDiff> settings_diff(WorkerSpec const& running, WorkerSpec const& configured) {
    std::vector<SettingDiff> found;
    compare(found, "model", running.model, configured.model);
    compare(found, "engine", format("{} {} ({})", running.engine, running.version, running.backend),
            format("{} {} ({})", configured.engine, configured.version, configured.backend));
    compare(found, "device", running.device, configured.device);
    auto const before = options_of(running);
    auto const after = options_of(configured);
    auto names = before;
    names.insert(after.begin(), after.end());
    for (auto const& [name, value] : names) {
        if (name == "--model" || name == "--alias") continue;  // the model's own
        auto const was = value_in(before, name);
        auto const is = value_in(after, name);
        if (was != is) found.push_back({name, was, is});
    }
    return found;
}

}  // namespace hal0::slots
