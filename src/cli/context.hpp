#pragma once
// What commands work with, and what the program around them brings along.
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "cli/command.hpp"
#include "cli/daemon.hpp"
#include "cli/terminal.hpp"
#include "wire/memory_view.hpp"
#include "wire/views.hpp"

namespace hal0::cli {

// The same work as the daemon's, done by this process where no daemon runs. Each blocks until it is done.
struct Offline {
    // Told how far it is (`step`, `done`, `total`, `unit`), or a line to keep (`notes`).
    using OnJob = std::function<void(wire::JobView const&)>;
    std::function<Result<std::vector<wire::ModelView>>()> models{};
    std::function<Result<wire::ModelView>(std::string const& id, OnJob const&)> pull{};
    std::function<Result<void>(std::string const& id, OnJob const&)> verify{};
    std::function<Result<std::vector<wire::EngineView>>()> engines{};
    std::function<Result<wire::EngineView>(std::string const& id, OnJob const&)> install{};
    std::function<Result<void>(std::string const& id, std::string const& key)> remove{};
    std::function<Result<std::size_t>()> end_workers{};  // those that a daemon left; how many there were
    std::function<Result<wire::MemoryView>()> memory{};
};

// What app/ does for the commands that are more than a client. A Run that is left out fails, saying so.
struct Program {
    std::string version{};
    Run serve{};
    Run slot_exec{};  // argument NAME
    Run job{};        // arguments KIND, SUBJECT
    Run probe{};      // flags json, root, record
    Run doctor{};     // flags json, root
    Run driver{};     // argument ROLE
    Run fit{};        // argument MODEL, flags as in commands.cpp
    Run loadout_list{};
    Run loadout_show{};  // argument ID
    Run loadout_fit{};   // argument ID or none, flags device, root
    Offline offline{};
};

struct Context {
    Terminal& terminal;
    os::Environment environment;
    Program const& program;
    CommandTable const& table;

    [[nodiscard]] Result<os::Places> places() const;
    [[nodiscard]] Result<Api> api() const;
    // Whether a daemon has this home. An Error where one has it and doesn't answer: nothing may be done in
    // its stead.
    [[nodiscard]] Result<bool> runs(Api const& api) const;
    // The API, or nothing when no daemon runs here and the work can be done without one.
    [[nodiscard]] Result<std::optional<Api>> api_if_running() const;
    [[nodiscard]] WallTime now() const { return std::chrono::system_clock::now(); }
};

// Says what is wrong with what was typed; gives exit_usage.
int misused(Context& context, std::string_view message);

}  // namespace hal0::cli
