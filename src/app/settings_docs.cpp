#include "app/settings_docs.hpp"

#include <array>
#include <string_view>
#include <vector>

#include "app/settings.hpp"
#include "base/format.hpp"
#include "base/text.hpp"
#include "cli/commands.hpp"
#include "slots/config.hpp"

namespace hal0::app {
namespace {

constexpr std::string_view on_settings = R"(# Settings

<!-- Made by `build/dev/bin/hal0-settings-docs` from src/app, src/slots and src/cli: don't edit it here. -->

hal0 needs no settings. What can be set stands in two kinds of files, which `hal0 places` finds: `hal0.toml` in the
configuration directory for the daemon, and `slots/NAME.toml` beside it for each slot. A key that means nothing is
warned of, with the nearest one that does; a value that is wrong is refused with its line.

## hal0.toml

Read when the daemon starts. Sizes are bytes, or texts like `"64 MiB"`. Where one text stands for a list of one, it may.

```toml
listen = ["127.0.0.1:8080", "192.168.1.7:8080"]
key_file = "/etc/hal0/key"
allowed_hosts = ["box.lan", "app://obsidian.md"]

[limits]
body_max = "128 MiB"
```

| key | without it | what it is |
|---|---|---|
)";

constexpr std::string_view on_key_files = R"(
A key is made with `head -c 32 /dev/urandom | base64 > FILE; chmod 600 FILE`: one that others may read is refused.
Where one is set, each request over TCP brings it: `Authorization: Bearer KEY`, or `x-api-key: KEY`.

## slots/NAME.toml

The daemon follows these files: just the slot of a file that changes is loaded again, and only where its worker would
be started otherwise. `hal0 slot create` writes one; the API changes single values and leaves comments and order alone.

| key | without it | what it is |
|---|---|---|
)";

constexpr std::string_view on_environment = R"(
## The environment

| variable | of | what it is |
|---|---|---|
)";

constexpr std::string_view on_flags = R"(
## hal0 serve

A flag goes over the value in hal0.toml; `--allowed-host` adds to it.

| flag | what it is |
|---|---|
)";

std::string key_row(std::string_view key, std::string_view otherwise, std::string_view what) {
    return format("| `{}` | {} | {} |\n", key, otherwise.empty() ? "" : format("`{}`", otherwise), what);
}

struct SettingDoc {
    std::string_view key;
    std::string otherwise;  // what holds without it; empty: nothing does
    std::string what;
};

std::vector<SettingDoc> setting_docs() {
    Settings const usual;
    auto const as_text = [](Bytes bytes) { return format("\"{} MiB\"", bytes.count / (1_MiB).count); };
    return {
        {"listen", format("\"{}\"", os::to_string(usual.listen.front())),
         format("Where to answer beside the unix socket, `IP:PORT`, up to {}. An address that other machines "
                "reach "
                "needs a `key_file`. `[]`: the unix socket alone.",
                listen_count_max)},
        {"key_file", "", "An absolute path: the file holds the key that each request over TCP must bring."},
        {"allowed_hosts", "[]",
         "Names that a request's `Host` may be, beside `localhost` and IP addresses, and hosts whose web "
         "pages may "
         "use this server, beside its own; without port. And the whole origins of apps and extensions, which "
         "have "
         "no host: `app://obsidian.md`, `chrome-extension://ID`."},
        {"loops", format("{}", usual.loops), format("Threads that serve requests, 1 to {}.", loops_most)},
        {"log_level", "\"info\"", "`debug`, `info`, `warn` or `error`."},
        {"launcher", "\"auto\"",
         "Who keeps the workers: `systemd` (as `hal0-slot@NAME.service`, [systemd.md](systemd.md)), or "
         "nobody: "
         "each is a `process` in a session of its own. `auto`: systemd where hal0 was installed as a package "
         "and a manager answers, else `process`."},
        {"history_days", format("{}", usual.history_days.count()),
         format(
             "Days that events, loads and requests are kept in `hal0.db` in the state directory, 0 to {}; 0: "
             "nothing is written. Of requests it has figures, never a text.",
             history::days_most)},
        {"limits.body_max", as_text(usual.body_max),
         format("The largest body of a request, {} to {}.", human(body_least), human(body_most))},
        {"limits.waiting_max", format("{}", usual.queue.waiting_max),
         format("Requests that may wait for slots to load, 1 to {}.", waiting_most)},
        {"limits.waiting_bytes_max", as_text(usual.queue.bytes_max),
         format("What their bodies may hold together: at least `limits.body_max`, at most {}.",
                human(queue_bytes_most))},
        {"limits.wait_max_s", format("{}", usual.wait_max.count()),
         format("Seconds that one of them waits, 1 to {}: a load that takes longer is given up.",
                wait_s_most)},
        {"models.roots", "",
         "Absolute paths of the directories that hold models; a new model goes to the first. Without it "
         "`models` "
         "in the data directory."},
    };
}

struct VariableDoc {
    std::string_view name;
    std::string_view of;
    std::string_view what;
};
constexpr std::array variables{
    VariableDoc{"HAL0_HOME", "all",
                "A directory for everything: `config`, `data`, `state`, `run` and `cache` in it."},
    VariableDoc{"HAL0_CACHE", "all", "Where engines and downloads go, instead of the cache directory."},
    VariableDoc{"XDG_CONFIG_HOME", "all",
                "As XDG has it, and so `XDG_DATA_HOME`, `XDG_STATE_HOME` and `XDG_CACHE_HOME`; where neither "
                "`HAL0_HOME` is set nor hal0 installed as a package."},
    VariableDoc{
        "HAL0_URL", "commands",
        "The hal0 to speak to, `http://IP:PORT` or `http://localhost:PORT`, instead of this user's own."},
    VariableDoc{"HAL0_KEY", "commands", "The key for it."},
    VariableDoc{"HAL0_KEY_FILE", "commands", "A file that holds the key, where `HAL0_KEY` isn't set."},
    VariableDoc{"NO_COLOR", "commands", "Set to anything: no colours."},
    VariableDoc{"CC", "engines", "The C compiler that builds an engine; `CXX` the C++ compiler."},
};

}  // namespace

std::string render_settings_docs() {
    std::string out{on_settings};
    for (auto const& [key, otherwise, what] : setting_docs())
        out += key_row(key, otherwise, what);
    out += on_key_files;
    for (auto const& [name, otherwise, what] : slots::slot_keys())
        out += key_row(name, otherwise, what);
    out += on_environment;
    for (auto const& [name, of, what] : variables)
        out += format("| `{}` | {} | {} |\n", name, of, what);
    out += on_flags;
    auto const commands = cli::make_commands({});
    for (auto const& flag : commands.find("serve")->flags)
        out += format("| `--{} {}` | {} |\n", flag.name, flag.value, flag.help);
    return out;
}

}  // namespace hal0::app
