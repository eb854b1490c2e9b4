#include "cli/completion.hpp"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "base/format.hpp"
#include "base/text.hpp"

namespace hal0::cli {
namespace {

// ---- what can stand where; the same for every shell

struct Choice {
    std::string word{};
    std::string what{};
};

std::string first_word(std::string_view path) { return std::string{split(path, ' ').front()}; }

std::vector<std::string> families(CommandTable const& table) {
    std::vector<std::string> found;
    for (auto const* command : table.all()) {
        auto const word = first_word(command->path);
        bool const new_family =
            word != command->path && std::find(found.begin(), found.end(), word) == found.end();
        if (new_family) found.push_back(word);
    }
    return found;
}

std::vector<Choice> first_words(CommandTable const& table) {
    std::vector<Choice> choices;
    for (auto const* command : table.all()) {
        if (command->path == first_word(command->path)) choices.push_back({command->path, command->summary});
    }
    for (auto const& family : families(table)) {
        std::vector<std::string> members;
        for (auto const* command : table.family(family))
            members.push_back(command->path.substr(family.size() + 1));
        choices.push_back({family, join(members, ", ")});
    }
    return choices;
}

std::vector<Choice> members_of(CommandTable const& table, std::string const& family) {
    std::vector<Choice> choices;
    for (auto const* command : table.family(family))
        choices.push_back({command->path.substr(family.size() + 1), command->summary});
    return choices;
}

std::vector<Offer> offers_of(Command const& command) {
    std::vector<Offer> offers;
    for (auto const& argument : command.arguments) {
        if (argument.offer != Offer::Nothing) offers.push_back(argument.offer);
    }
    return offers;
}

std::vector<std::string> words_of(std::vector<Choice> const& choices) {
    std::vector<std::string> words;
    words.reserve(choices.size());
    for (auto const& choice : choices)
        words.push_back(choice.word);
    return words;
}

std::vector<Choice> flags_of(Command const& command) {
    std::vector<Choice> choices;
    choices.reserve(command.flags.size());
    for (auto const& flag : command.flags)
        choices.push_back({"--" + flag.name, flag.help});
    return choices;
}

// The family whose `list --names` tells them; empty for what isn't asked of hal0.
std::string_view listed_by(Offer offer) {
    switch (offer) {
        case Offer::Slots: return "slot";
        case Offer::Models: return "model";
        case Offer::Engines: return "engine";
        case Offer::Nothing:
        case Offer::Files:
        case Offer::Commands:
        case Offer::Shells: return "";
    }
    return "";
}

// Words known when the script is made.
std::vector<std::string> fixed_words(CommandTable const& table, Offer offer) {
    if (offer == Offer::Commands) return words_of(first_words(table));
    if (offer == Offer::Shells) return {"bash", "zsh", "fish"};
    return {};
}

std::string quoted(std::string_view text, std::string_view escaped_quote) {
    std::string out{"'"};
    for (char const c : text) {
        if (c == '\'') {
            out += escaped_quote;
        } else {
            out += c;
        }
    }
    return out + "'";
}
std::string posix_quoted(std::string_view text) { return quoted(text, R"('\'')"); }
std::string fish_quoted(std::string_view text) { return quoted(text, R"(\')"); }

// A case for the word behind each flag that takes one: "COMMAND FLAG" and what `offered` says of it.
template <class Offered> std::string flag_values(CommandTable const& table, Offered offered) {
    std::string out;
    for (auto const* command : table.all()) {
        for (auto const& flag : command->flags) {
            if (flag.value.empty()) continue;
            auto pattern = posix_quoted(format("{} --{}", command->path, flag.name));
            if (flag.letter != '\0')
                pattern += " | " + posix_quoted(format("{} -{}", command->path, flag.letter));
            out += format("        {}) {} ;;\n", pattern, offered(flag.offer));
        }
    }
    return out;
}

// ---- bash

// What an offer adds to the words of a case: a string for between double quotes.
std::string bash_words(CommandTable const& table, Offer offer) {
    if (auto const family = listed_by(offer); !family.empty()) return format("$(_hal0_names {})", family);
    if (offer == Offer::Files) return "$(compgen -f -- \"$current\")";
    return join(fixed_words(table, offer), " ");
}

std::string bash_flag_values(CommandTable const& table) {
    return flag_values(table,
                       [&table](Offer offer) { return format("words=\"{}\"", bash_words(table, offer)); });
}

std::string bash_commands(CommandTable const& table) {
    auto out =
        format("        '') words='{} --help --version' ;;\n", join(words_of(first_words(table)), " "));
    for (auto const& family : families(table))
        out += format("        {}) words='{}' ;;\n", family, join(words_of(members_of(table, family)), " "));
    for (auto const* command : table.all()) {
        auto words = words_of(flags_of(*command));
        words.emplace_back("--help");
        for (auto const offer : offers_of(*command))
            words.push_back(bash_words(table, offer));
        out += format("        '{}') words=\"{}\" ;;\n", command->path, join(words, " "));
    }
    return out;
}

std::string bash_script(CommandTable const& table) {
    return format(R"(# Completion of hal0 for bash. Load it with: source <(hal0 completion bash)
_hal0_names() {{ "${{COMP_WORDS[0]}}" "$1" list --names 2>/dev/null; }}

_hal0() {{
    local current=${{COMP_WORDS[COMP_CWORD]}} previous=${{COMP_WORDS[COMP_CWORD - 1]}} command='' words='' word
    for word in "${{COMP_WORDS[@]:1:COMP_CWORD-1}}"; do
        [[ $word == -* ]] && continue
        command+="${{command:+ }}$word"
        case $command in {}) ;; *) break ;; esac
    done
    case "$command $previous" in
{}        *) case $command in
{}        esac ;;
    esac
    mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
}}
complete -F _hal0 hal0
)",
                  join(families(table), " | "), bash_flag_values(table), bash_commands(table));
}

// ---- zsh

std::string zsh_choices(std::vector<Choice> const& choices) {
    std::vector<std::string> entries;
    entries.reserve(choices.size());
    for (auto const& choice : choices)
        entries.push_back(posix_quoted(format("{}:{}", choice.word, choice.what)));
    return join(entries, " ");
}

std::string zsh_offer(CommandTable const& table, Offer offer) {
    if (auto const family = listed_by(offer); !family.empty())
        return format("compadd -- ${{(f)\"$(_hal0_names {})\"}}", family);
    if (offer == Offer::Files) return "_files";
    auto const words = fixed_words(table, offer);
    return words.empty() ? std::string{":"} : "compadd -- " + join(words, " ");
}

std::string zsh_flag_values(CommandTable const& table) {
    return flag_values(table, [&table](Offer offer) { return zsh_offer(table, offer) + "; return"; });
}

std::string zsh_commands(CommandTable const& table) {
    auto out =
        format("        '') choices=({}); _describe command choices ;;\n", zsh_choices(first_words(table)));
    for (auto const& family : families(table)) {
        out += format("        {}) choices=({}); _describe command choices ;;\n", family,
                      zsh_choices(members_of(table, family)));
    }
    for (auto const* command : table.all()) {
        auto flags = flags_of(*command);
        flags.push_back({"--help", "what it does, its flags, examples"});
        out += format("        '{}') choices=({}); _describe -o flag choices", command->path,
                      zsh_choices(flags));
        for (auto const offer : offers_of(*command))
            out += "; " + zsh_offer(table, offer);
        out += " ;;\n";
    }
    return out;
}

std::string zsh_script(CommandTable const& table) {
    return format(R"(#compdef hal0
# Completion of hal0 for zsh. Load it with: source <(hal0 completion zsh)
_hal0_names() {{ "${{words[1]}}" "$1" list --names 2>/dev/null }}

_hal0() {{
    local command='' word
    local -a choices
    for word in "${{(@)words[2,CURRENT-1]}}"; do
        [[ $word == -* ]] && continue
        command+="${{command:+ }}$word"
        case $command in {}) ;; *) break ;; esac
    done
    case "$command ${{words[CURRENT-1]}}" in
{}    esac
    case $command in
{}    esac
}}
if [[ ${{funcstack[1]}} == _hal0 ]]; then _hal0; else compdef _hal0 hal0; fi
)",
                  join(families(table), "|"), zsh_flag_values(table), zsh_commands(table));
}

// ---- fish

std::string fish_offer(CommandTable const& table, Offer offer) {
    if (auto const family = listed_by(offer); !family.empty())
        return format(" -a '(__hal0_names {})'", family);
    auto const words = fixed_words(table, offer);
    return words.empty() ? std::string{} : format(" -a '{}'", join(words, " "));
}

std::string fish_choices(std::string_view at, std::vector<Choice> const& choices) {
    std::string out;
    for (auto const& choice : choices) {
        out += format("complete -c hal0 -n \"__hal0_at {}\" -a {} -d {}\n", at, choice.word,
                      fish_quoted(choice.what));
    }
    return out;
}

std::string fish_command(CommandTable const& table, Command const& command) {
    auto const at = format("complete -c hal0 -n \"__hal0_at {}\"", command.path);
    std::string out;
    for (auto const& flag : command.flags) {
        out += format("{} -l {}", at, flag.name);
        if (flag.letter != '\0') out += format(" -s {}", flag.letter);
        if (!flag.value.empty()) out += flag.offer == Offer::Files ? " -r -F" : " -x";
        out += fish_offer(table, flag.offer) + " -d " + fish_quoted(flag.help) + "\n";
    }
    for (auto const offer : offers_of(command))
        out += at + fish_offer(table, offer) + "\n";
    return out;
}

std::string fish_script(CommandTable const& table) {
    auto out = format(R"(# Completion of hal0 for fish. Load it with: hal0 completion fish | source
function __hal0_names
    set -l words (commandline -opc)
    $words[1] $argv[1] list --names 2>/dev/null
end
function __hal0_at
    set -l typed
    for word in (commandline -opc)[2..]
        string match -q -- '-*' $word; and continue
        set -a typed $word
        contains -- "$typed" {}; or break
    end
    test "$typed" = "$argv"
end
complete -c hal0 -f
complete -c hal0 -l help -s h -d 'what it does, its flags, examples'
)",
                      join(families(table), " "));
    out += fish_choices("", first_words(table));
    for (auto const& family : families(table))
        out += fish_choices(family, members_of(table, family));
    for (auto const* command : table.all())
        out += fish_command(table, *command);
    return out;
}

constexpr std::array shells{std::pair{"bash", Shell::Bash}, std::pair{"zsh", Shell::Zsh},
                            std::pair{"fish", Shell::Fish}};

}  // namespace

std::optional<Shell> shell_from(std::string_view name) {
    for (auto const& [known, shell] : shells) {
        if (name == known) return shell;
    }
    return std::nullopt;
}

std::string completion_script(CommandTable const& table, Shell shell) {
    switch (shell) {
        case Shell::Bash: return bash_script(table);
        case Shell::Zsh: return zsh_script(table);
        case Shell::Fish: return fish_script(table);
    }
    return {};
}

}  // namespace hal0::cli
