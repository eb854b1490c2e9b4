#pragma once
// What a command is: one row of a table from which parsing, help and shell completion all come.
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace hal0::cli {

// Exit codes. 130 is what shells give a program that Ctrl-C ended.
inline constexpr int exit_ok = 0, exit_failed = 1, exit_usage = 2, exit_interrupted = 130;

// What shell completion offers in a place.
enum class Offer { Nothing, Slots, Models, Engines, Files, Commands, Shells };

struct Flag {
    std::string name{};   // "listen", typed --listen
    char letter{'\0'};    // 'n', typed -n
    std::string value{};  // what follows it, for help: "ADDRESS"; empty: a switch
    std::string help{};
    enum class Kind { Text, Number } kind{Kind::Text};
    enum class Times { Once, Often } times{Times::Once};
    Offer offer{Offer::Nothing};
};

struct Argument {
    std::string name{};  // "NAME"
    enum class Count { One, Optional, AnyNumber } count{Count::One};
    Offer offer{Offer::Nothing};
};

// What was typed after a command, checked against its row.
class Arguments {
  public:
    [[nodiscard]] bool has(std::string_view name) const { return values_.contains(name); }
    // The value of a flag or argument; empty where it wasn't given.
    [[nodiscard]] std::string const& text(std::string_view name) const;
    [[nodiscard]] std::optional<std::string> maybe(std::string_view name) const;
    [[nodiscard]] std::optional<std::int64_t> number(std::string_view name) const;
    [[nodiscard]] std::vector<std::string> const& all(std::string_view name) const;
    void add(std::string const& name, std::string value) { values_[name].push_back(std::move(value)); }
    void set(std::string const& name) { values_.try_emplace(name); }  // a switch

  private:
    std::map<std::string, std::vector<std::string>, std::less<>> values_{};
};

struct Context;  // cli/context.hpp: what commands work with

// Gives the exit code. An error is printed by the caller, and is exit code 1.
using Run = std::function<Result<int>(Arguments const&, Context&)>;

struct Example {
    std::string line{};  // "hal0 slot load primary"
    std::string what{};
};

enum class Shown { InHelp, Hidden };

struct Command {
    std::string path{};     // "slot load"
    std::string summary{};  // one line, no full stop
    std::vector<Argument> arguments{};
    std::vector<Flag> flags{};
    std::vector<Example> examples{};
    std::string notes{};  // a paragraph for its own help
    Run run{};
    Shown shown{Shown::InHelp};
};

// Commands under one heading of `hal0 --help`.
struct Group {
    std::string title{};
    std::vector<Command> commands{};
};

class CommandTable {
  public:
    explicit CommandTable(std::vector<Group> groups) : groups_{std::move(groups)} {}
    [[nodiscard]] std::vector<Group> const& groups() const { return groups_; }
    [[nodiscard]] Command const* find(std::string_view path) const;
    // The commands that begin with this word ("slot" -> "slot list", …), without hidden ones.
    [[nodiscard]] std::vector<Command const*> family(std::string_view word) const;
    [[nodiscard]] std::vector<Command const*> all() const;  // without hidden ones
    [[nodiscard]] bool has_family(std::string_view word) const;

  private:
    std::vector<Group> groups_;
};

}  // namespace hal0::cli
