#include "cli/commands.hpp"

#include <utility>

#include "base/format.hpp"
#include "base/text.hpp"
#include "cli/chat.hpp"
#include "cli/completion.hpp"
#include "cli/daemon_commands.hpp"
#include "cli/engine_commands.hpp"
#include "cli/help.hpp"
#include "cli/history_command.hpp"
#include "cli/memory_command.hpp"
#include "cli/model_commands.hpp"
#include "cli/slot_commands.hpp"
#include "http/server.hpp"

namespace hal0::cli {
namespace {

Flag const json{.name = "json", .help = "as JSON, the same as the API gives it"};
Flag const names{.name = "names", .help = "only the names, one a line"};
Flag const no_wait{.name = "no-wait", .help = "don't wait for the end"};
Argument const slot{.name = "NAME", .offer = Offer::Slots};
Argument const model{.name = "ID", .offer = Offer::Models};
Argument const engine{.name = "ID", .offer = Offer::Engines};

Flag number(std::string name, std::string value, std::string help) {
    return {.name = std::move(name),
            .value = std::move(value),
            .help = std::move(help),
            .kind = Flag::Kind::Number};
}

// ---- help and completion

Result<int> help(Arguments const& arguments, Context& context) {
    auto const topic = join(arguments.all("COMMAND"), " ");
    if (topic.empty()) {
        context.terminal.out(help_of_all(context.table));
        return exit_ok;
    }
    auto const text = help_of(context.table, topic);
    if (!text) return misused(context, format("there is no command '{}'; 'hal0 --help' lists them", topic));
    context.terminal.out(*text);
    return exit_ok;
}

Result<int> completion(Arguments const& arguments, Context& context) {
    auto const shell = shell_from(arguments.text("SHELL"));
    if (!shell)
        return misused(
            context, format("'{}' is no shell that hal0 knows: bash, zsh or fish", arguments.text("SHELL")));
    context.terminal.out(completion_script(context.table, *shell));
    return exit_ok;
}

// ---- the groups

Command serve_command(Run run) {
    return {
        .path = "serve",
        .summary = "run the daemon, until Ctrl-C or SIGTERM",
        .flags = {{.name = "listen",
                   .value = "ADDRESS",
                   .help =
                       "where to answer, beside the unix socket: IP:PORT (127.0.0.1:8080); may be repeated",
                   .times = Flag::Times::Often},
                  {.name = "allowed-host",
                   .value = "NAME",
                   .help = "a host name that requests may use, beside localhost and those of hal0.toml; may "
                           "be repeated",
                   .times = Flag::Times::Often},
                  {.name = "key-file",
                   .value = "FILE",
                   .help = "holds the key that every request over TCP must bring; without one hal0 "
                           "answers this machine only",
                   .offer = Offer::Files},
                  {.name = "body-max",
                   .value = "BYTES",
                   .help = format("the largest request body ({} MiB)",
                                  http::ServerLimits{}.body_max.count / (1_MiB).count)},
                  {.name = "log-level", .value = "LEVEL", .help = "debug, info, warn or error (info)"},
                  {.name = "launcher",
                   .value = "KEEPER",
                   .help = "who keeps the workers: auto, process or systemd (auto)"}},
        .examples = {{"hal0 serve", "on 127.0.0.1:8080"},
                     {"hal0 serve --listen 0.0.0.0:8080 --key-file ~/hal0.key",
                      "for the network, with a key"}},
        .notes =
            "Slots that are enabled come up with it. Workers outlive it: started again, it takes over "
            "those that run. hal0.toml in the configuration directory ('hal0 places') has these settings "
            "and more; a flag wins over it, --allowed-host adds to it. docs/settings.md has them all.",
        .run = std::move(run)};
}

Group daemon_group(Program const& program) {
    return {
        "The daemon",
        {serve_command(program.serve),
         {.path = "stop",
          .summary = "stop the daemon and its workers",
          .flags = {{.name = "keep-workers", .help = "leave the models running for the next daemon"}},
          .examples = {{"hal0 stop", ""}, {"hal0 stop --keep-workers", "before another build of hal0"}},
          .notes = "New requests are refused at once; those in progress get half a minute to end.",
          .run = stop},
         {.path = "status",
          .summary = "what runs, on what, where it answers",
          .flags = {json,
                    {.name = "quiet", .letter = 'q', .help = "say nothing: exit code 0 when it runs, else 1"},
                    number("wait", "SECONDS", "wait that long for it to answer"),
                    {.name = "address", .help = "only the address it answers at"}},
          .examples = {{"hal0 status", ""}, {"hal0 status --quiet --wait 10", "for scripts that start it"}},
          .run = status},
         {.path = "reload",
          .summary = "read every slot's file now",
          .flags = {json},
          .examples = {{"hal0 reload", ""}},
          .notes =
              "Done by itself a moment after a file was written. Slots whose settings changed are restarted "
              "once they have finished what they serve; one whose file can't be read goes on as it is.",
          .run = reload},
         {.path = "events",
          .summary = "what happened lately, and what happens",
          .flags = {{.name = "after", .value = "ID", .help = "only what came after this event"},
                    {.name = "follow", .letter = 'f', .help = "what happens from now on, until Ctrl-C"},
                    {.name = "json", .help = "as JSON, an event a line"}},
          .examples = {{"hal0 events -f", ""}, {"hal0 events --json | jq .type", ""}},
          .run = events},
         {.path = "history",
          .summary = "past requests and loads, with their times and speeds",
          .arguments = {{.name = "WHAT", .count = Argument::Count::Optional}},
          .flags = {json,
                    {.name = "slot", .value = "NAME", .help = "only of this one", .offer = Offer::Slots},
                    number("limit", "N", "how many of the last ones (20)")},
          .examples = {{"hal0 history", "the last requests, the newest at the end"},
                       {"hal0 history loads --slot primary", ""},
                       {"hal0 history events --json | jq '.[].type'", "an array, the newest first"}},
          .notes = "WHAT is requests, loads or events. Kept for history_days in hal0.toml (30), across "
                   "restarts; of requests there are figures, never a text.",
          .run = history},
         {.path = "places",
          .summary = "where hal0 keeps things",
          .flags = {json, {.name = "log", .help = "only the log of a daemon that quickstart started"}},
          .examples = {{"hal0 places", ""},
                       {"less $(hal0 places --log)",
                        "what the daemon wrote; that of 'hal0 serve' goes to where it was started"}},
          .notes = "$HAL0_HOME puts everything under one directory.",
          .run = places}}};
}

Group talk_group() {
    return {
        "Talk",
        {{.path = "chat",
          .summary = "talk to a model in this terminal",
          .arguments = {{.name = "MESSAGE", .count = Argument::Count::AnyNumber}},
          .flags = {{.name = "slot", .value = "NAME", .help = "which slot answers", .offer = Offer::Slots},
                    {.name = "model", .value = "ID", .help = "which model answers", .offer = Offer::Models},
                    {.name = "system", .value = "TEXT", .help = "what the model is told beforehand"},
                    number("max-tokens", "N", "the longest answer; else as long as its model likes")},
          .examples = {{"hal0 chat", "Ctrl-C stops an answer, Ctrl-D ends"},
                       {"hal0 chat \"Why is the sky blue?\"", "one question, one answer"},
                       {"git diff | hal0 chat \"Summarise this:\" -", "- is what the pipe brings"}},
          .notes = "With a message, or with something piped in, it asks once and ends. The answer goes to "
                   "the output, all else to the error stream. In a conversation, lines between two lines of "
                   "\"\"\" are one question, and /new forgets what was said.",
          .run = chat}}};
}

std::vector<Command> slot_reading() {
    return {{.path = "slot list",
             .summary = "all slots and how they are",
             .flags = {json, names},
             .examples = {{"hal0 slot list", ""}, {"hal0 slot list --json | jq '.[].state'", ""}},
             .run = slot_list},
            {.path = "slot show",
             .summary = "all about one slot",
             .arguments = {slot},
             .flags = {json, {.name = "argv", .help = "what exactly it runs, and who says each argument"}},
             .examples = {{"hal0 slot show primary", ""}, {"hal0 slot show primary --argv", ""}},
             .run = slot_show},
            {.path = "slot explain",
             .summary = "why a slot is as it is, what to do about it",
             .arguments = {slot},
             .flags = {json},
             .examples = {{"hal0 slot explain primary", ""}},
             .run = slot_explain},
            {.path = "slot diff",
             .summary = "what its file wants otherwise than it runs",
             .arguments = {slot},
             .flags = {json},
             .examples = {{"hal0 slot diff primary", ""}},
             .run = slot_diff},
            {.path = "slot logs",
             .summary = "what a slot's worker wrote",
             .arguments = {slot},
             .flags = {{.name = "json", .help = "each line as a JSON string"},
                       {.name = "follow", .letter = 'f', .help = "go on with what is written, until Ctrl-C"},
                       {.name = "lines",
                        .letter = 'n',
                        .value = "N",
                        .help = "how many of the last lines (50)",
                        .kind = Flag::Kind::Number}},
             .examples = {{"hal0 slot logs primary -f -n 200", ""}},
             .run = slot_logs}};
}

std::vector<Command> slot_changing() {
    std::vector<Flag> const flags{json, no_wait};
    Flag const force{.name = "force", .help = "cut off the requests in flight instead of finishing them"};
    std::vector<Flag> const down_flags{json, no_wait, force};
    return {{.path = "slot load",
             .summary = "bring a slot up",
             .arguments = {slot},
             .flags = flags,
             .examples = {{"hal0 slot load primary", "Ctrl-C leaves; the loading goes on"}},
             .run = slot_load},
            {.path = "slot unload",
             .summary = "take a slot down, after the requests it serves",
             .arguments = {slot},
             .flags = down_flags,
             .examples = {{"hal0 slot unload primary", "the next request loads it again"}},
             .run = slot_unload},
            {.path = "slot restart",
             .summary = "take it down and up again, with its file's settings",
             .arguments = {slot},
             .flags = down_flags,
             .examples = {{"hal0 slot restart primary", ""}},
             .run = slot_restart},
            {.path = "slot swap",
             .summary = "give a slot another model",
             .arguments = {slot, {.name = "MODEL", .offer = Offer::Models}},
             .flags = flags,
             .examples = {{"hal0 slot swap primary smollm2-135m-instruct", ""}},
             .run = slot_swap},
            {.path = "slot delete",
             .summary = "take a slot down and remove its file",
             .arguments = {slot},
             .flags = {{.name = "json", .help = "as JSON, the slot as it was"}, force},
             .examples = {{"hal0 slot delete coder", "its model stays"}},
             .run = slot_delete}};
}

Command slot_create_command() {
    return {
        .path = "slot create",
        .summary = "make a new slot",
        .arguments = {{.name = "NAME"}},
        .flags = {{.name = "model",
                   .value = "ID",
                   .help = "what it serves; 'hal0 model list' shows what there is",
                   .offer = Offer::Models},
                  {.name = "kind", .value = "KIND", .help = "chat, embed or rerank; else the model's own"},
                  {.name = "device", .value = "DEVICE", .help = "where it computes (cpu)"},
                  number("context", "TOKENS", "what one request can use; else the model's own, up to 4096"),
                  number("parallel", "N", "requests served at a time (1)"),
                  number("threads", "N", "else as many as fit this box"),
                  number("cache-ram", "MIB", "prompt cache in host memory (0)"),
                  number("idle-unload", "S", "unloaded after so many seconds without a request (0: never)"),
                  {.name = "on-demand", .help = "up when a request or 'load' asks for it, not always"},
                  {.name = "extra-arg",
                   .value = "ARG",
                   .help = "one more argument for the engine, as --extra-arg=--no-warmup; may be repeated",
                   .times = Flag::Times::Often},
                  no_wait,
                  json},
        .examples = {{"hal0 slot create embed --model all-minilm-l6-v2", ""},
                     {"hal0 slot create coder --model ID --context 16384 --on-demand", ""}},
        .notes = "Its settings become a file that people can edit: 'hal0 slot show NAME' tells where.",
        .run = slot_create};
}

Group slot_group(Program const& program) {
    Group group{"Slots", slot_reading()};
    group.commands.push_back(slot_create_command());
    for (auto& command : slot_changing())
        group.commands.push_back(std::move(command));
    group.commands.push_back(
        {.path = "slot exec",
         .summary = "become the worker of a slot; for launchers",
         .arguments = {slot},
         .flags = {{.name = "unit", .help = "NAME is the instance of a unit of systemd"}},
         .run = program.slot_exec,
         .shown = Shown::Hidden});
    return group;
}

Group model_group() {
    return {"Models",
            {{.path = "model list",
              .summary = "what is here, and what can be pulled",
              .flags = {json, names, {.name = "present", .help = "only what is here"}},
              .examples = {{"hal0 model list", ""}, {"hal0 model list --present --names", "for scripts"}},
              .run = model_list},
             {.path = "model show",
              .summary = "all about one model",
              .arguments = {model},
              .flags = {json},
              .examples = {{"hal0 model show smollm2-135m-instruct", ""}},
              .run = model_show},
             {.path = "model pull",
              .summary = "get a model, checked against its hash",
              .arguments = {model},
              .flags = {json, no_wait},
              .examples = {{"hal0 model pull smollm2-135m-instruct", "goes on where it was interrupted"}},
              .run = model_pull},
             {.path = "model verify",
              .summary = "read every byte and hold it against its hash",
              .arguments = {model},
              .examples = {{"hal0 model verify smollm2-135m-instruct", "after a disk's fault, say"}},
              .run = model_verify}}};
}

Group engine_group() {
    return {"Engines",
            {{.path = "engine list",
              .summary = "what is installed, and what could be",
              .flags = {json, names, {.name = "installed", .help = "only what needs no 'install' here"}},
              .examples = {{"hal0 engine list", ""}, {"hal0 engine list --installed --names", "for scripts"}},
              .run = engine_list},
             {.path = "engine show",
              .summary = "all about one engine",
              .arguments = {engine},
              .flags = {json},
              .examples = {{"hal0 engine show llama.cpp", ""}},
              .run = engine_show},
             {.path = "engine install",
              .summary = "get an engine, ready-made or built here",
              .arguments = {engine},
              .flags = {json, no_wait},
              .examples = {{"hal0 engine install llama.cpp", ""}},
              .run = engine_install},
             {.path = "engine remove",
              .summary = "remove an installed build",
              .arguments = {engine, {.name = "KEY", .count = Argument::Count::Optional}},
              .flags = {{.name = "json", .help = "as JSON, the build as it was"}},
              .examples = {{"hal0 engine remove llama.cpp", "KEY only where there are several builds"}},
              .run = engine_remove}}};
}

Flag const device{
    .name = "device", .value = "D", .help = "cpu, or a GPU's id as in 'hal0 probe' (the recommended one)"};
Flag const recorded{.name = "root",
                    .value = "DIR",
                    .help = "ask about a recorded box instead ('hal0 probe --record')",
                    .offer = Offer::Files};

Command fit_command(Run run) {
    return {
        .path = "fit",
        .summary = "what a model takes, and whether this box has it",
        .arguments = {{.name = "MODEL", .offer = Offer::Models}},
        .flags = {number("ctx", "N", "tokens that one request can use (the model's own, up to 4096)"),
                  {.name = "kv-type", .value = "T", .help = "of the cache: f16, q8_0, q4_0, … (f16)"},
                  number("parallel", "N", "requests served at a time (1)"),
                  number("ub", "N", "tokens evaluated in one piece (512)"),
                  number("cache-ram", "MIB", "prompts kept in the host's memory (0)"),
                  {.name = "fa", .value = "CHOICE", .help = "flash attention: on, off or auto (auto)"},
                  device,
                  {.name = "engine",
                   .value = "E",
                   .help = "the engine that is asked to plan (llama.cpp)",
                   .offer = Offer::Engines},
                  {.name = "mmproj",
                   .value = "FILE",
                   .help = "with this projector for images and sound",
                   .offer = Offer::Files},
                  {.name = "draft",
                   .value = "M",
                   .help = "with this model, named like MODEL, to draft for it",
                   .offer = Offer::Models},
                  {.name = "mtp", .help = "with its own layers that draft (multi-token prediction)"},
                  recorded,
                  json},
        .examples = {{"hal0 fit smollm2-135m-instruct --ctx 8192", ""},
                     {"hal0 fit Hermes-4-70B-Q4_K_M --kv-type q8_0", "a loadout's model, before it is here"},
                     {"hal0 fit ~/models/big-00001-of-00003.gguf", "a file"},
                     {"hal0 fit https://models.example/big.gguf",
                      "before it is here: only its header is read"}},
        .notes =
            "MODEL is a model of the store, a GGUF file or its address, or a model of a loadout. Where the "
            "installed "
            "engine plans for the device, its own plan is shown, to the byte; else a bound by hal0's "
            "formulas. Nothing is loaded. docs/memory.md says how it is reckoned.",
        .run = std::move(run)};
}

Group box_group(Program const& program) {
    return {
        "The box",
        {{.path = "probe",
          .summary = "what this box is, and what serves best on it",
          .flags = {{.name = "json", .help = "as JSON, the same as in hardware.json"},
                    {.name = "root",
                     .value = "DIR",
                     .help = "read a recorded box instead, and write nothing",
                     .offer = Offer::Files},
                    {.name = "record",
                     .value = "DIR",
                     .help = "record this box there, without serial numbers and names",
                     .offer = Offer::Files}},
          .examples = {{"hal0 probe", "after a change of the BIOS, say"},
                       {"hal0 probe --record my-box", "for a report of a fault"}},
          .notes = "Writes hardware.json into the configuration directory ('hal0 places'). docs/hardware.md "
                   "says what is in it.",
          .run = program.probe},
         {.path = "memory",
          .summary = "who holds the memory of this box",
          .flags = {json},
          .examples = {{"hal0 memory", ""},
                       {"hal0 memory --json | jq '.pools[].unexplained'", "what no source explains"}},
          .notes = "Read at that moment, with a daemon or without one. All lines of a pool, its free memory "
                   "and what "
                   "no source explains make its total; docs/memory.md says where each comes from.",
          .run = memory},
         {.path = "doctor",
          .summary = "what should be mended on this box, and how",
          .flags = {{.name = "json", .help = "the findings as a JSON array"},
                    {.name = "root",
                     .value = "DIR",
                     .help = "examine a recorded box instead",
                     .offer = Offer::Files}},
          .examples = {{"hal0 doctor", "errors first, each with the commands that mend it"}},
          .notes =
              "Needs no daemon and changes nothing. Exit code 1 where there is an error, 0 otherwise, also "
              "with warnings. docs/doctor.md says what each finding means.",
          .run = program.doctor},
         fit_command(program.fit),
         {.path = "driver",
          .summary = "ask one driver; for the probe",
          .arguments = {{.name = "ROLE"}},
          .run = program.driver,
          .shown = Shown::Hidden}}};
}

Group loadout_group(Program const& program) {
    Argument const loadout{.name = "ID"};
    return {"Loadouts",
            {{.path = "loadout list",
              .summary = "which models make a box good at something",
              .flags = {json},
              .examples = {{"hal0 loadout list", ""}},
              .run = program.loadout_list},
             {.path = "loadout show",
              .summary = "all about one loadout",
              .arguments = {loadout},
              .flags = {json},
              .examples = {{"hal0 loadout show coding", ""}},
              .run = program.loadout_show},
             {.path = "loadout fit",
              .summary = "whether this box holds a loadout, or what of it",
              .arguments = {{.name = "ID", .count = Argument::Count::Optional}},
              .flags = {device, recorded, json},
              .examples = {{"hal0 loadout fit", "all of them"}, {"hal0 loadout fit coding", ""}},
              .notes =
                  "Each tier with all its slots loaded at a time, beside what runs now. One that doesn't fit "
                  "tells the largest context that does, and a smaller model.",
              .run = program.loadout_fit}}};
}

Group help_group(Program const& program) {
    return {
        "Help",
        {{.path = "help",
          .summary = "all commands, or one with its flags and examples",
          .arguments = {{.name = "COMMAND", .count = Argument::Count::AnyNumber, .offer = Offer::Commands}},
          .examples = {{"hal0 help slot create", ""}},
          .run = help},
         {.path = "completion",
          .summary = "a script that completes hal0's commands on Tab",
          .arguments = {{.name = "SHELL", .offer = Offer::Shells}},
          .examples = {{"source <(hal0 completion bash)", "in ~/.bashrc"},
                       {"source <(hal0 completion zsh)", "in ~/.zshrc"},
                       {"hal0 completion fish | source", "in ~/.config/fish/config.fish"}},
          .run = completion},
         {.path = "job",
          .summary = "do one long piece of work; for the daemon",
          .arguments = {{.name = "KIND"}, {.name = "SUBJECT"}},
          .run = program.job,
          .shown = Shown::Hidden}}};
}

}  // namespace

CommandTable make_commands(Program const& program) {
    return CommandTable{{talk_group(), daemon_group(program), slot_group(program), model_group(),
                         engine_group(), box_group(program), loadout_group(program), help_group(program)}};
}

}  // namespace hal0::cli
