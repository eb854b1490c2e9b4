#pragma once
// An engine's flags, as its own --help lists them, and arguments made of them: each knows who said so. Pure.
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace hal0::engines {

// One option of an engine, under all its names.
struct EngineFlag {
    std::vector<std::string> names{};  // "-c", "--ctx-size"
    std::string value{};               // what its value is: "N", "FNAME"; empty: it takes none
    [[nodiscard]] std::string const& name() const { return names.back(); }
};

class FlagTable final {
  public:
    // A file of engines/list-flags: "# version 11434", then one option a line, "-c --ctx-size = N".
    explicit FlagTable(std::string_view text);
    // As the engine reads it: in long flags '_' counts as '-'. Null for one that it hasn't.
    [[nodiscard]] EngineFlag const* find(std::string_view name) const;
    [[nodiscard]] std::vector<std::string> names() const;
    [[nodiscard]] std::string const& version() const { return version_; }  // of the engine

  private:
    std::string version_{};
    std::vector<EngineFlag> flags_{};
    std::map<std::string, std::size_t, std::less<>> by_name_{};
};

// Of the pinned llama-server (engines/llama-server.flags).
FlagTable const& llama_server_flags();

struct Argument {
    std::string flag{};
    std::optional<std::string> value{};
    std::string from{};        // who says so: a key of the slot's file, "hal0"
    std::string instead_of{};  // what was said before it, and by whom; empty: nothing
    bool operator==(Argument const&) const = default;
};
// "--ctx-size 4096"
std::string to_string(Argument const& argument);

// What an engine of another version than the table's may know and the table doesn't.
enum class Unknown { Refused, Taken };
// Invalid names the word that is no flag of the engine's, with the nearest that is, or a flag that lacks its
// value.
Result<std::vector<Argument>> parse_arguments(std::vector<std::string> const& words, FlagTable const& table,
                                              std::string const& from, Unknown unknown);

// Both, each option once where the engine takes but one: the later counts, where it is said, and keeps what
// it stands instead of.
std::vector<Argument> merged(std::vector<Argument> said, std::vector<Argument> const& later,
                             FlagTable const& table);
std::vector<std::string> words_of(std::vector<Argument> const& arguments);

}  // namespace hal0::engines
