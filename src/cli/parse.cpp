#include "cli/parse.hpp"

#include <algorithm>
#include <optional>

#include "base/format.hpp"
#include "base/text.hpp"

namespace hal0::cli {
namespace {

bool is_flag(std::string_view word) { return word.size() > 1 && word.front() == '-'; }

std::string suggestion(std::string_view text, std::vector<std::string> const& names,
                       std::string_view prefix = "") {
    auto const near = nearest(text, names);
    return near ? format("; did you mean '{}{}'?", prefix, *near) : std::string{};
}

// ---- which command

struct Found {
    Command const* command{nullptr};
    std::vector<std::string> rest{};  // what was typed, without the command's own words
};

Misuse unknown_command(CommandTable const& table, std::string_view word) {
    std::vector<std::string> names;
    for (auto const* command : table.all()) {
        auto const first = std::string{split(command->path, ' ').front()};
        if (std::find(names.begin(), names.end(), first) == names.end()) names.push_back(first);
    }
    auto const near = suggestion(word, names, "hal0 ");
    return {format("there is no command '{}'{}", word, near.empty() ? "; 'hal0 --help' lists them" : near)};
}

Misuse unknown_member(CommandTable const& table, std::string_view family, std::string_view word) {
    std::vector<std::string> names;
    for (auto const* command : table.family(family))
        names.push_back(command->path.substr(family.size() + 1));
    auto const near = suggestion(word, names, format("hal0 {} ", family));
    auto const other = format("; there are: {}", join(names, ", "));
    return {format("there is no command '{} {}'{}", family, word, near.empty() ? other : near)};
}

// The words before which only switches stand: --json, --help.
std::variant<Found, Parsed> find_command(CommandTable const& table, std::vector<std::string> typed) {
    auto const wants_help = [&] {
        return std::find_if(typed.begin(), typed.end(),
                            [](auto const& w) { return w == "--help" || w == "-h"; }) != typed.end();
    };
    auto const first = std::find_if_not(typed.begin(), typed.end(), is_flag);
    if (first == typed.end()) {
        if (typed.empty() || wants_help()) return Parsed{HelpWanted{}};
        if (typed.front() == "--version") return Parsed{VersionWanted{}};
        return Parsed{Misuse{format("there is no flag '{}' without a command; see 'hal0 --help'", typed[0])}};
    }
    auto word = *first;
    auto next = typed.erase(first);
    if (auto const* command = table.find(word)) return Found{command, std::move(typed)};
    if (!table.has_family(word)) return Parsed{unknown_command(table, word)};
    next = std::find_if_not(next, typed.end(), is_flag);
    if (next == typed.end()) {
        if (wants_help()) return Parsed{HelpWanted{word}};
        return Parsed{Misuse{format("'hal0 {}' needs to know what to do; see 'hal0 help {}'", word, word)}};
    }
    auto const path = format("{} {}", word, *next);
    auto const* command = table.find(path);
    if (command == nullptr) return Parsed{unknown_member(table, word, *next)};
    typed.erase(next);
    return Found{command, std::move(typed)};
}

// ---- its flags and arguments

class Reader {
  public:
    Reader(Command const& command, std::vector<std::string> words)
        : command_{command}, words_{std::move(words)} {}

    Parsed read() {
        while (!misuse_ && !help_ && at_ < words_.size()) {
            auto const& word = words_[at_++];
            if (flags_over_ || !is_flag(word)) {
                plain_.push_back(word);
            } else if (word == "--") {
                flags_over_ = true;
            } else if (word.starts_with("--")) {
                long_flag(word.substr(2));
            } else {
                letters(word.substr(1));
            }
        }
        if (help_) return HelpWanted{command_.path};
        if (!misuse_) place_arguments();
        if (misuse_) return *misuse_;
        return Invocation{&command_, std::move(arguments_)};
    }

  private:
    void wrong(std::string_view what) {
        bool const has_advice = what.ends_with('?');
        if (!misuse_ && has_advice) misuse_ = Misuse{std::string{what}};
        if (!misuse_) misuse_ = Misuse{format("{}; see 'hal0 help {}'", what, command_.path)};
    }

    void long_flag(std::string const& text) {
        auto const equals = text.find('=');
        auto const name = text.substr(0, equals);
        if (name == "help") {
            help_ = true;
            return;
        }
        auto const flag = std::find_if(command_.flags.begin(), command_.flags.end(),
                                       [&](Flag const& f) { return f.name == name; });
        if (flag == command_.flags.end()) return unknown_flag(name);
        if (equals == std::string::npos) return take(*flag, std::nullopt);
        take(*flag, text.substr(equals + 1));
    }

    void unknown_flag(std::string const& name) {
        std::vector<std::string> names{"help"};
        for (auto const& flag : command_.flags)
            names.push_back(flag.name);
        auto const near = suggestion(name, names, "--");
        wrong(format("'hal0 {}' has no flag '--{}'{}", command_.path, name, near));
    }

    // "-f", "-n5", "-fn5".
    void letters(std::string const& text) {
        for (std::size_t i = 0; i < text.size() && !misuse_ && !help_; ++i) {
            auto const flag = std::find_if(command_.flags.begin(), command_.flags.end(),
                                           [&](Flag const& f) { return f.letter == text[i]; });
            if (flag == command_.flags.end()) {
                help_ = text[i] == 'h';
                if (!help_) wrong(format("'hal0 {}' has no flag '-{}'", command_.path, text[i]));
            } else if (!flag->value.empty() && i + 1 < text.size()) {
                return take(*flag, text.substr(i + 1));
            } else {
                take(*flag, std::nullopt);
            }
        }
    }

    void take(Flag const& flag, std::optional<std::string> value) {
        if (flag.value.empty()) {
            if (value) return wrong(format("--{} takes no value", flag.name));
            return arguments_.set(flag.name);
        }
        if (!value && at_ < words_.size() && (!is_flag(words_[at_]) || to_int(words_[at_])))
            value = words_[at_++];
        if (!value) return wrong(format("--{} needs a value ({})", flag.name, flag.value));
        if (flag.kind == Flag::Kind::Number && to_int(*value).value_or(-1) < 0)
            return wrong(format("--{} is '{}'; it must be a whole number", flag.name, *value));
        if (flag.times == Flag::Times::Once && arguments_.has(flag.name))
            return wrong(format("--{} is given twice", flag.name));
        arguments_.add(flag.name, std::move(*value));
    }

    void place_arguments() {
        std::size_t used = 0;
        for (auto const& argument : command_.arguments) {
            bool const many = argument.count == Argument::Count::AnyNumber;
            std::size_t const end = many ? plain_.size() : std::min(plain_.size(), used + 1);
            if (used == end && argument.count == Argument::Count::One)
                return wrong(format("'hal0 {}' needs {}", command_.path, argument.name));
            for (; used < end; ++used)
                arguments_.add(argument.name, plain_[used]);
        }
        if (used < plain_.size()) wrong(format("'hal0 {}' has no use for '{}'", command_.path, plain_[used]));
    }

    Command const& command_;
    std::vector<std::string> words_;
    std::size_t at_{0};
    bool flags_over_{false};
    bool help_{false};
    std::vector<std::string> plain_{};
    Arguments arguments_{};
    std::optional<Misuse> misuse_{};
};

}  // namespace

Parsed parse(CommandTable const& table, std::vector<std::string> const& typed) {
    auto found = find_command(table, typed);
    if (auto* parsed = std::get_if<Parsed>(&found)) return std::move(*parsed);
    auto& [command, rest] = std::get<Found>(found);
    return Reader{*command, std::move(rest)}.read();
}

}  // namespace hal0::cli
