#pragma once
// The bodies of the admin API. Times are RFC 3339 in UTC, sizes bytes, durations seconds; a list is an array
// at top level.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "wire/codec.hpp"

namespace hal0::wire {

inline constexpr std::string_view kind_doc =
    "the work it does: `chat`, `embed`, `rerank`, `stt`, `tts`, `image`";

// ---- slots

inline constexpr std::string_view slot_kind_doc =
    "the work it does: `chat`, `embed`, `rerank`, `stt`, `tts`, `image`; null while its file or its model "
    "can't be read";

struct SlotView {
    static constexpr BodyTitle title{"SlotView", "A slot as it is now."};
    std::string name{};
    std::optional<std::string> kind{};
    std::string state{};
    std::string wanted{};
    std::string cause{};
    std::optional<std::string> suspicious{};
    std::string model{};
    std::string provider{};
    std::string version{};
    std::string backend{};
    std::string device{};
    std::optional<std::int64_t> pid{};
    std::string since{};
    std::optional<std::int64_t> memory{};
    std::int64_t context{0};
    std::int64_t parallel{0};
    std::int64_t in_flight{0};
    std::int64_t waiting{0};
    std::int64_t loads{0};
    std::int64_t restarts{0};
    bool adopted{false};
    bool restart_pending{false};
    std::optional<std::string> address{};
    std::string file{};
    std::string log{};
    std::vector<std::string> warnings{};
    bool operator==(SlotView const&) const = default;

    template <class Self, class F> static void fields(Self& self, F& f) {
        f("name", self.name, "what clients call it");
        f("kind", self.kind, slot_kind_doc);
        f("state", self.state,
          "`offline`, `starting`, `loading` (its output is looked at, too), `ready`, `unloading`, `error`");
        f("wanted", self.wanted, "`up` or `down`: what it should be");
        f("cause", self.cause, "why it is in this state, for people");
        f("suspicious", self.suspicious,
          "why its output may be garbage, though it is `ready`; null: nothing speaks against it");
        f("model", self.model, "the id of its model");
        f("provider", self.provider, "the engine that serves it: `llama.cpp`");
        f("version", self.version, "of the engine that runs, or would");
        f("backend", self.backend, "what the engine computes with: `cpu`");
        f("device", self.device, "where it computes: `cpu`");
        f("pid", self.pid, "of the worker, while one lives");
        f("since", self.since, "when it came into this state");
        f("memory", self.memory, "resident bytes of the worker");
        f("context", self.context, "tokens that one request can use");
        f("parallel", self.parallel, "requests served at a time");
        f("in_flight", self.in_flight, "requests being served");
        f("waiting", self.waiting, "requests that wait for it to come up");
        f("loads", self.loads, "times that this daemon loaded it");
        f("restarts", self.restarts, "times that this daemon started it again after an unasked-for end");
        f("adopted", self.adopted, "whether the worker was started by an earlier daemon");
        f("restart_pending", self.restart_pending, "whether it runs on other settings than its file has now");
        f("address", self.address, "where the worker listens, while one lives");
        f("file", self.file, "its settings");
        f("log", self.log, "what its worker wrote");
        f("warnings", self.warnings, "about its file");
    }
};

struct SlotExplain {
    static constexpr BodyTitle title{"SlotExplain", "Why a slot is as it is, and what to do about it."};
    std::string name{};
    std::vector<std::string> lines{};
    bool operator==(SlotExplain const&) const = default;

    template <class Self, class F> static void fields(Self& self, F& f) {
        f("name", self.name, "the slot");
        f("lines", self.lines, "sentences for people, the most telling first");
    }
};

struct ArgumentView {
    static constexpr BodyTitle title{"ArgumentView", "One argument of a worker, and who says it."};
    std::string flag{};
    std::optional<std::string> value{};
    std::string from{};
    std::string instead_of{};
    bool operator==(ArgumentView const&) const = default;

    template <class Self, class F> static void fields(Self& self, F& f) {
        f("flag", self.flag, "as the engine is told");
        f("value", self.value, "null: it takes none");
        f("from", self.from, "keys of the slot's file, `extra_args`, or `hal0`");
        f("instead_of", self.instead_of, "what it stands instead of, and who said that; empty: nothing");
    }
};

struct SlotArgv {
    static constexpr BodyTitle title{"SlotArgv", "What exactly a slot runs, or would run."};
    std::string name{};
    bool running{false};
    std::string program{};
    std::vector<std::string> environment{};
    std::vector<ArgumentView> arguments{};
    bool operator==(SlotArgv const&) const = default;

    template <class Self, class F> static void fields(Self& self, F& f) {
        f("name", self.name, "the slot");
        f("running", self.running, "false: no worker runs, and this is what its file makes of one");
        f("program", self.program, "the engine's server");
        f("environment", self.environment, "`NAME=value`, set besides the daemon's own");
        f("arguments", self.arguments, "in their order");
    }
};

struct SettingDiffView {
    static constexpr BodyTitle title{"SettingDiffView", "One setting that a worker runs without."};
    std::string what{};
    std::optional<std::string> running{};
    std::optional<std::string> configured{};
    bool operator==(SettingDiffView const&) const = default;

    template <class Self, class F> static void fields(Self& self, F& f) {
        f("what", self.what, "`model`, `engine`, `device`, or an option of the engine: `--ctx-size`");
        f("running", self.running, "what the worker has; null: it runs without");
        f("configured", self.configured, "what the slot's file makes of it now; null: without");
    }
};

struct SlotCreate {
    static constexpr BodyTitle title{"SlotCreate", "A new slot. What is left out has its default."};
    std::string name{};
    std::string model{};
    std::optional<std::string> kind{};
    std::optional<std::string> device{};
    std::optional<bool> enabled{};
    std::optional<std::int64_t> context{};
    std::optional<std::int64_t> parallel{};
    std::optional<std::int64_t> threads{};
    std::optional<std::int64_t> cache_ram_mib{};
    std::optional<std::int64_t> idle_unload_s{};
    std::optional<std::vector<std::string>> extra_args{};
    bool operator==(SlotCreate const&) const = default;

    template <class Self, class F> static void fields(Self& self, F& f) {
        f("name", self.name, "lower-case letters, digits, `-` and `_`; at most 32");
        f("model", self.model, "the id of a model in the store");
        f("kind", self.kind, "the work it does; else the model's own");
        f("device", self.device, "where it computes; else `cpu`");
        f("enabled", self.enabled,
          "`true` (the default): up whenever the daemon is; `false`: up when a request or `load` asks for "
          "it");
        f("context", self.context,
          "tokens that one request can use; 0 (the default): the model's own, up to 4096");
        f("parallel", self.parallel, "requests served at a time; else 1");
        f("threads", self.threads, "0 (the default): as many as fit this box");
        f("cache_ram_mib", self.cache_ram_mib, "prompt cache in host memory, in MiB; else 0");
        f("idle_unload_s", self.idle_unload_s,
          "unloaded when no request came for so many seconds, and up again for the next; 0 (the default): "
          "never");
        f("extra_args", self.extra_args,
          "more arguments for the engine, put last; over the unix socket only");
    }
};

struct SlotSwap {
    static constexpr BodyTitle title{"SlotSwap", "Another model for a slot."};
    std::string model{};
    bool operator==(SlotSwap const&) const = default;

    template <class Self, class F> static void fields(Self& self, F& f) {
        f("model", self.model, "the id of a model in the store");
    }
};

// ---- models

struct ModelFileView {
    static constexpr BodyTitle title{"ModelFileView", "One file of a model."};
    std::string name{};
    std::int64_t size{0};
    std::string sha256{};
    bool operator==(ModelFileView const&) const = default;

    template <class Self, class F> static void fields(Self& self, F& f) {
        f("name", self.name, "within the model's directory");
        f("size", self.size, "bytes");
        f("sha256", self.sha256, "lower-case hex");
    }
};

struct ModelView {
    static constexpr BodyTitle title{"ModelView", "A model that is in the store, or that could be."};
    std::string id{};
    std::string name{};
    std::string kind{};
    std::string state{};
    std::string fault{};
    std::string licence{};
    std::string source{};
    std::int64_t size{0};
    std::int64_t context_max{0};
    std::string directory{};
    std::vector<ModelFileView> files{};
    std::vector<std::string> used_by{};
    bool operator==(ModelView const&) const = default;

    template <class Self, class F> static void fields(Self& self, F& f) {
        f("id", self.id, "what slots and requests call it");
        f("name", self.name, "for people");
        f("kind", self.kind, kind_doc);
        f("state", self.state, "`present`, `damaged` (see `fault`), `available` (can be pulled), `pulling`");
        f("fault", self.fault, "what is wrong with it; empty when nothing is");
        f("licence", self.licence, "as its maker names it");
        f("source", self.source, "where it comes from");
        f("size", self.size, "bytes of its files");
        f("context_max", self.context_max, "tokens it was trained for; 0 when unknown");
        f("directory", self.directory, "where its files stand; empty until it is in the store");
        f("files", self.files, "the first is the one that the engine is given");
        f("used_by", self.used_by, "slots that have it as their model");
    }
};

struct ModelPull {
    static constexpr BodyTitle title{"ModelPull", "Which model to get."};
    std::string id{};
    bool operator==(ModelPull const&) const = default;

    template <class Self, class F> static void fields(Self& self, F& f) {
        f("id", self.id, "one of those that `GET /api/models` lists");
    }
};

// ---- engines

struct EngineView {
    static constexpr BodyTitle title{"EngineView", "An engine that is installed, or that could be."};
    std::string id{};
    std::string version{};
    std::string key{};
    std::string backend{};
    std::string state{};
    bool runs_here{false};
    bool current{false};
    std::string directory{};
    std::string built_at{};
    std::optional<std::int64_t> size{};
    std::vector<std::string> used_by{};
    bool operator==(EngineView const&) const = default;

    template <class Self, class F> static void fields(Self& self, F& f) {
        f("id", self.id, "what slots call it: `llama.cpp`");
        f("version", self.version, "as its maker counts");
        f("key", self.key, "names this build among others of the version; empty until it is installed");
        f("backend", self.backend, "what it computes with: `cpu`");
        f("state", self.state, "`installed`, `available`, `installing`");
        f("runs_here", self.runs_here, "whether this machine has all that its code needs");
        f("current", self.current, "whether it is of the version that this hal0 installs");
        f("directory", self.directory, "where it stands; empty until it is installed");
        f("built_at", self.built_at, "when it was built; empty until it is installed");
        f("size", self.size, "bytes on disk");
        f("used_by", self.used_by, "slots whose workers run it now");
    }
};

struct EngineInstall {
    static constexpr BodyTitle title{"EngineInstall", "Which engine to install."};
    std::string id{};
    bool operator==(EngineInstall const&) const = default;

    template <class Self, class F> static void fields(Self& self, F& f) {
        f("id", self.id, "one of those that `GET /api/engines` lists");
    }
};

// ---- jobs

struct JobView {
    static constexpr BodyTitle title{"JobView", "A long piece of work: it goes on when who asked leaves."};
    std::string id{};
    std::string kind{};
    std::string subject{};
    std::string state{};
    std::string step{};
    std::int64_t done{0};
    std::int64_t total{0};
    std::string unit{};
    std::vector<std::string> notes{};
    std::string message{};
    std::optional<std::string> code{};
    std::string log{};
    std::string started{};
    std::optional<std::string> ended{};
    bool operator==(JobView const&) const = default;

    template <class Self, class F> static void fields(Self& self, F& f) {
        f("id", self.id, "for `GET /api/jobs/{id}`; empty where there was nothing to do");
        f("kind", self.kind, "`model.pull`, `model.verify` or `engine.install`");
        f("subject", self.subject, "the model or engine");
        f("state", self.state, "`running`, `done`, `failed`, `cancelled`");
        f("step", self.step, "what it is doing, or did last");
        f("done", self.done, "how much of the step is done");
        f("total", self.total, "how much there is to do in this step; 0 when unknown");
        f("unit", self.unit, "of `done` and `total`: `bytes` or `steps`");
        f("notes", self.notes, "the last things worth telling, the newest last: which source did not answer");
        f("message", self.message, "how it ended; empty while it runs");
        f("code", self.code, "the kind of failure, as in errors; null unless it failed");
        f("log", self.log, "what its programs wrote");
        f("started", self.started, "when it began");
        f("ended", self.ended, "when it ended");
    }
};

// ---- the daemon

struct PlacesView {
    static constexpr BodyTitle title{"PlacesView", "Where the daemon keeps things."};
    std::string config{};
    std::string data{};
    std::string state{};
    std::string runtime{};
    std::string cache{};
    bool operator==(PlacesView const&) const = default;

    template <class Self, class F> static void fields(Self& self, F& f) {
        f("config", self.config, "`hal0.toml` and `slots/`");
        f("data", self.data, "models");
        f("state", self.state, "logs");
        f("runtime", self.runtime, "sockets, locks and keys");
        f("cache", self.cache, "engines and downloads: what can be made again");
    }
};

struct StatusView {
    static constexpr BodyTitle title{"StatusView", "The daemon and all that it serves."};
    std::string version{};
    std::int64_t pid{0};
    std::string started{};
    std::int64_t uptime_s{0};
    std::vector<std::string> listen{};
    PlacesView places{};
    std::vector<SlotView> slots{};
    std::vector<JobView> jobs{};
    std::int64_t loops{0};
    std::int64_t connections{0};
    std::int64_t memory{0};
    bool operator==(StatusView const&) const = default;

    template <class Self, class F> static void fields(Self& self, F& f) {
        f("version", self.version, "of hal0");
        f("pid", self.pid, "of the daemon");
        f("started", self.started, "when it was started");
        f("uptime_s", self.uptime_s, "seconds since then");
        f("listen", self.listen, "addresses it answers at");
        f("places", self.places, "where it keeps things");
        f("slots", self.slots, "all of them, by name");
        f("jobs", self.jobs, "those that run");
        f("loops", self.loops, "threads that serve requests");
        f("connections", self.connections, "open ones of clients");
        f("memory", self.memory, "resident bytes of the daemon, without its workers");
    }
};

struct EventView {
    static constexpr BodyTitle title{"EventView", "Something that happened: one server-sent event's data."};
    std::string id{};
    std::string time{};
    std::string type{};
    std::string subject{};
    RawJson data{};
    bool operator==(EventView const&) const = default;

    template <class Self, class F> static void fields(Self& self, F& f) {
        f("id", self.id, "where to go on: the next request's `Last-Event-ID`");
        f("time", self.time, "when it happened");
        f("type", self.type, "see the list of events");
        f("subject", self.subject, "the slot or the job it is about");
        f("data", self.data, "what there is to know, by type");
    }
};

}  // namespace hal0::wire
