#include "engines/arguments.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "base/format.hpp"
#include "base/text.hpp"

namespace hal0::embedded {
extern std::string_view const llama_server_flags;
}  // namespace hal0::embedded

namespace hal0::engines {
namespace {

// Options of llama-server that add up when they are said twice (common/arg.cpp), by their names in the table.
constexpr std::array<std::string_view, 10> additive{"--lora",
                                                    "--lora-scaled",
                                                    "--control-vector",
                                                    "--control-vector-scaled",
                                                    "--override-kv",
                                                    "--override-tensor",
                                                    "--spec-draft-override-tensor",
                                                    "--logit-bias",
                                                    "--reverse-prompt",
                                                    "--dry-sequence-breaker"};

std::string as_read(std::string_view flag) {
    std::string name{flag};
    if (name.starts_with("--")) std::ranges::replace(name, '_', '-');
    return name;
}

// "-7" and "-0.5" are values.
bool looks_like_flag(std::string_view word) {
    return word.size() > 1 && word.front() == '-' && (word[1] < '0' || word[1] > '9') && word[1] != '.';
}

// By any of its names; what the table doesn't know is one option of its own.
std::string option_of(Argument const& argument, FlagTable const& table) {
    auto const* const flag = table.find(argument.flag);
    return flag == nullptr ? as_read(argument.flag) : flag->name();
}

bool adds_up(Argument const& argument, FlagTable const& table) {
    auto const* const flag = table.find(argument.flag);
    return flag != nullptr && std::ranges::any_of(flag->names, [](std::string const& name) {
               return std::ranges::find(additive, name) != additive.end();
           });
}

}  // namespace

FlagTable::FlagTable(std::string_view text) {
    for (auto const line : split(text, '\n')) {
        constexpr std::string_view version = "# version ";
        if (line.starts_with(version)) version_ = trim(line.substr(version.size()));
        if (trim(line).empty() || line.starts_with('#')) continue;
        EngineFlag flag;
        bool names = true;
        for (auto const word : split(line, ' ')) {
            if (word == "=")
                names = false;
            else if (names)
                flag.names.emplace_back(word);
            else
                flag.value = word;
        }
        for (auto const& name : flag.names)
            by_name_.emplace(name, flags_.size());
        flags_.push_back(std::move(flag));
    }
}

EngineFlag const* FlagTable::find(std::string_view name) const {
    auto const found = by_name_.find(as_read(name));
    return found == by_name_.end() ? nullptr : &flags_[found->second];
}

std::vector<std::string> FlagTable::names() const {
    std::vector<std::string> names;
    names.reserve(by_name_.size());
    for (auto const& [name, at] : by_name_)
        names.push_back(name);
    return names;
}

FlagTable const& llama_server_flags() {
    static FlagTable const table{embedded::llama_server_flags};
    return table;
}

std::string to_string(Argument const& argument) {
    return argument.value ? format("{} {}", argument.flag, *argument.value) : argument.flag;
}

Result<std::vector<Argument>> parse_arguments(std::vector<std::string> const& words, FlagTable const& table,
                                              std::string const& from, Unknown unknown) {
    std::vector<Argument> arguments;
    for (std::size_t i = 0; i < words.size(); ++i) {
        auto const& word = words[i];
        auto const* const flag = table.find(word);
        if (!looks_like_flag(word) && flag == nullptr)
            return Error{Errc::Invalid, format("'{}' is no flag, nor the value of one", clipped(word))};
        if (flag == nullptr && unknown == Unknown::Refused) {
            auto const near = nearest(as_read(word), table.names());
            return Error{Errc::Invalid, format("it has no flag '{}'{}", clipped(word),
                                               near ? format("; did you mean '{}'?", *near) : "")};
        }
        Argument argument{.flag = word, .from = from};
        bool const more = i + 1 < words.size();
        bool const takes = flag != nullptr ? !flag->value.empty() : more && !looks_like_flag(words[i + 1]);
        if (takes && !more)
            return Error{Errc::Invalid, format("'{}' lacks its value, {}", word, flag->value)};
        if (takes) argument.value = words[++i];
        arguments.push_back(std::move(argument));
    }
    return arguments;
}

std::vector<Argument> merged(std::vector<Argument> said, std::vector<Argument> const& later,
                             FlagTable const& table) {
    for (auto argument : later) {
        if (!adds_up(argument, table)) {
            auto const option = option_of(argument, table);
            auto const before = std::ranges::find_if(
                said, [&](Argument const& one) { return option_of(one, table) == option; });
            if (before != said.end()) {
                argument.instead_of = format("{} ({})", to_string(*before), before->from);
                said.erase(before);
            }
        }
        said.push_back(std::move(argument));
    }
    return said;
}

std::vector<std::string> words_of(std::vector<Argument> const& arguments) {
    std::vector<std::string> words;
    for (auto const& argument : arguments) {
        words.push_back(argument.flag);
        if (argument.value) words.push_back(*argument.value);
    }
    return words;
}

}  // namespace hal0::engines
