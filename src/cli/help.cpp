#include "cli/help.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include "base/format.hpp"
#include "cli/text.hpp"

namespace hal0::cli {
namespace {

constexpr std::size_t columns = 80;
constexpr std::size_t name_columns_max = 30;
constexpr std::size_t example_columns_max = 48;

using Row = std::pair<std::string, std::string>;

std::size_t width_of(std::vector<Row> const& rows, std::size_t width_max) {
    std::size_t width = 0;
    for (auto const& [name, what] : rows) {
        if (columns_of(name) <= width_max) width = std::max(width, columns_of(name));
    }
    return width;
}

// "  name   what it is", what is too long going on below itself; a name too long for its column has a line
// alone.
std::string two_columns(std::vector<Row> const& rows, std::size_t width) {
    auto const indent = std::string(width + 4, ' ');
    std::string out;
    for (auto const& [name, what] : rows) {
        auto const lines = wrapped(what, columns - indent.size());
        bool const alone = columns_of(name) > width || lines.empty();
        out += "  " + (alone ? name + "\n" : padded(name, width) + "  ");
        for (std::size_t i = 0; i < lines.size(); ++i)
            out += (i == 0 && !alone ? "" : indent) + lines[i] + "\n";
    }
    return out;
}

std::string flag_name(Flag const& flag) {
    auto const letter = flag.letter == '\0' ? std::string{"    "} : format("-{}, ", flag.letter);
    return format("{}--{}{}{}", letter, flag.name, flag.value.empty() ? "" : " ", flag.value);
}

std::string paragraph(std::string_view text) {
    std::string out;
    for (auto const& line : wrapped(text, columns))
        out += line + "\n";
    return out;
}

std::string examples_of(Command const& command) {
    std::vector<Row> rows;
    rows.reserve(command.examples.size());
    for (auto const& example : command.examples)
        rows.emplace_back(example.line, example.what);
    return two_columns(rows, width_of(rows, example_columns_max));
}

std::vector<Row> rows_of(std::vector<Command const*> const& commands) {
    std::vector<Row> rows;
    rows.reserve(commands.size());
    for (auto const* command : commands)
        rows.emplace_back(usage_of(*command), command->summary);
    return rows;
}

std::string help_of_command(Command const& command) {
    auto out = format("hal0 {}: {}\n\nUsage: hal0 {}{}\n", command.path, command.summary, usage_of(command),
                      command.flags.empty() ? "" : " [FLAGS]");
    if (!command.notes.empty()) out += "\n" + paragraph(command.notes);
    if (!command.flags.empty()) {
        std::vector<Row> rows;
        rows.reserve(command.flags.size());
        for (auto const& flag : command.flags)
            rows.emplace_back(flag_name(flag), flag.help);
        out += "\nFlags\n" + two_columns(rows, width_of(rows, name_columns_max));
    }
    if (!command.examples.empty()) out += "\nExamples\n" + examples_of(command);
    return out;
}

}  // namespace

std::string usage_of(Command const& command) {
    auto out = command.path;
    for (auto const& argument : command.arguments) {
        switch (argument.count) {
            case Argument::Count::One: out += " " + argument.name; break;
            case Argument::Count::Optional: out += format(" [{}]", argument.name); break;
            case Argument::Count::AnyNumber: out += format(" [{}…]", argument.name); break;
        }
    }
    return out;
}

std::string help_of_all(CommandTable const& table) {
    auto out = std::string{
        "hal0 serves local language models in named slots behind one OpenAI-compatible\n"
        "address.\n\n"
        "Usage: hal0 COMMAND [ARGUMENTS] [FLAGS]\n"};
    auto const width = width_of(rows_of(table.all()), name_columns_max);
    for (auto const& group : table.groups()) {
        std::vector<Row> rows;
        for (auto const& command : group.commands) {
            if (command.shown == Shown::InHelp) rows.emplace_back(usage_of(command), command.summary);
        }
        if (!rows.empty()) out += format("\n{}\n{}", group.title, two_columns(rows, width));
    }
    out +=
        "\n'hal0 help COMMAND' tells its flags and shows examples: hal0 help slot create\n"
        "Ends with 0: done; 1: it failed, or 'doctor' found an error; 2: it was typed\n"
        "wrong; 130: interrupted.\n";
    return out;
}

std::optional<std::string> help_of(CommandTable const& table, std::string_view topic) {
    if (auto const* command = table.find(topic)) return help_of_command(*command);
    auto const family = table.family(topic);
    if (family.empty()) return std::nullopt;
    return format("Usage: hal0 {} COMMAND [ARGUMENTS] [FLAGS]\n\n{}", topic,
                  two_columns(rows_of(family), width_of(rows_of(family), name_columns_max)));
}

}  // namespace hal0::cli
