#include "engines/llama_server.hpp"

#include <algorithm>
#include <array>
#include <string_view>

#include "base/format.hpp"
#include "engines/arguments.hpp"
#include "engines/plan_request.hpp"

namespace hal0::engines {
namespace {

using models::Kind;

constexpr std::int64_t usual_context = 4096;

// OpenMP's threads spin while they wait for each other. On a box that does anything else beside, the one that
// is waited for may not even run: SmolLM2 on 2 busy cores gave 18 tokens/s spinning and 68 sleeping, and two
// such workers at once hardly came on.
constexpr char const* wait_asleep = "OMP_WAIT_POLICY=passive";

std::int64_t context_of(LaunchRequest const& request) {
    if (request.context > 0) return request.context;
    auto const trained = request.model.record.context_max;
    return trained > 0 ? std::min(trained, usual_context) : usual_context;
}

// What a slot's extra_args may not hold, by what is the matter with it.
constexpr std::string_view no_listening = "how its worker is reached is hal0's own";
constexpr std::string_view no_router = "a slot serves one model, the one that its key 'model' names";
constexpr std::string_view no_files = "it writes files beside the slot's log";
constexpr std::string_view no_tools = "it lets whoever asks the model run programs here";
constexpr std::string_view key_context = "the slot's key 'context' says that";
constexpr std::string_view key_parallel = "the slot's key 'parallel' says that";
constexpr std::string_view key_threads = "the slot's key 'threads' says that";
constexpr std::string_view key_cache = "the slot's key 'cache_ram_mib' says that";
constexpr std::string_view key_kind = "the slot's key 'kind' says that";

struct Refused {
    std::string_view flag;
    std::string_view why;
};
constexpr std::array refused_flags{
    Refused{"--host", no_listening},
    Refused{"--port", no_listening},
    Refused{"--reuse-port", no_listening},
    Refused{"--path", no_listening},
    Refused{"--api-prefix", no_listening},
    Refused{"--api-key", no_listening},
    Refused{"--api-key-file", no_listening},
    Refused{"--ssl-key-file", no_listening},
    Refused{"--ssl-cert-file", no_listening},
    Refused{"-m", no_router},
    Refused{"--model", no_router},
    Refused{"-mu", no_router},
    Refused{"--model-url", no_router},
    Refused{"-dr", no_router},
    Refused{"--docker-repo", no_router},
    Refused{"-hf", no_router},
    Refused{"-hfr", no_router},
    Refused{"--hf-repo", no_router},
    Refused{"-hff", no_router},
    Refused{"--hf-file", no_router},
    Refused{"-a", no_router},
    Refused{"--alias", no_router},
    Refused{"--models-dir", no_router},
    Refused{"--models-preset", no_router},
    Refused{"--log-file", no_files},
    Refused{"--log-prompts-dir", no_files},
    Refused{"--slot-save-path", no_files},
    Refused{"-lcd", no_files},
    Refused{"--lookup-cache-dynamic", no_files},
    Refused{"--tools", no_tools},
    Refused{"--tools-runtime", no_tools},
    Refused{"-ag", no_tools},
    Refused{"--agent", no_tools},
    Refused{"--mcp-servers-config", no_tools},
    Refused{"--mcp-servers-json", no_tools},
    Refused{"--ui-mcp-proxy", no_tools},
    Refused{"--webui-mcp-proxy", no_tools},
    Refused{"-c", key_context},
    Refused{"--ctx-size", key_context},
    Refused{"-np", key_parallel},
    Refused{"--parallel", key_parallel},
    Refused{"-t", key_threads},
    Refused{"--threads", key_threads},
    Refused{"-cram", key_cache},
    Refused{"--cache-ram", key_cache},
    Refused{"--embedding", key_kind},
    Refused{"--embeddings", key_kind},
    Refused{"--rerank", key_kind},
    Refused{"--reranking", key_kind},
};

// As llama-server reads it: '_' for '-' in long flags.
std::string flag_of(std::string_view argument) {
    std::string flag{argument.substr(0, argument.find('='))};
    if (flag.starts_with("--")) std::replace(flag.begin(), flag.end(), '_', '-');
    return flag;
}

Result<void> check_extra(std::vector<std::string> const& arguments) {
    for (auto const& argument : arguments) {
        auto const flag = flag_of(argument);
        auto const* const found =
            std::find_if(refused_flags.begin(), refused_flags.end(),
                         [&flag](Refused const& refused) { return refused.flag == flag; });
        if (found == refused_flags.end()) continue;
        return Error{Errc::Invalid,
                     format("extra_args in its file must not hold '{}': {}", argument, found->why)};
    }
    return {};
}

constexpr char const* by_hal0 = "hal0";

// What hal0 says, each for whom: a key of the slot's file, or itself.
class Said {
  public:
    void say(std::string flag, std::string value, std::string from) {
        all_.push_back({.flag = std::move(flag), .value = std::move(value), .from = std::move(from)});
    }
    void say(std::string flag, std::int64_t value, std::string from) {
        say(std::move(flag), format("{}", value), std::move(from));
    }
    void say(std::string flag) { all_.push_back({.flag = std::move(flag), .from = by_hal0}); }
    [[nodiscard]] std::vector<Argument> take() { return std::move(all_); }

  private:
    std::vector<Argument> all_{};
};

// The whole model on the GPU. Mapped from its file it would be in memory twice where that is the system's,
// and RADV and ROCm have been seen to load it many times slower so (kyuz0/amd-strix-halo-toolboxes). Flash
// attention is on by the engine's own choice wherever its backend has it.
void say_for_gpu(Said& said, std::string const& backend) {
    if (backend == "cpu") return;
    said.say("--gpu-layers", "all", by_hal0);
    if (backend != "cuda") said.say("--load-mode", "none", by_hal0);
}

std::vector<Argument> arguments_of(InstalledEngine const& engine, LaunchRequest const& request,
                                   std::int64_t context) {
    Said said;
    said.say("--model", request.model.main_file(), "model");
    said.say("--alias", request.model.record.id, "model");
    said.say("--host", request.socket, by_hal0);
    said.say("--api-key-file", request.key_file, by_hal0);
    said.say("--ctx-size", context * request.parallel,
             request.parallel > 1 ? "context, parallel" : "context");
    said.say("--parallel", request.parallel, "parallel");
    said.say("--threads", request.threads, "threads");
    said.say("--cache-ram", request.cache_ram_mib, "cache_ram_mib");
    said.say("--fit", "off", by_hal0);
    said.say("--metrics");
    said.say("--no-ui");
    said.say("--offline");
    said.say("--ctx-checkpoints", checkpoints_wanted, by_hal0);
    say_for_gpu(said, engine.backend);
    if (request.kind != Kind::Chat) {
        // A text is evaluated in one piece: what fits the context must fit one batch.
        said.say(request.kind == Kind::Rerank ? "--reranking" : "--embeddings");
        said.say("--batch-size", context, by_hal0);
        said.say("--ubatch-size", context, by_hal0);
    }
    return said.take();
}

}  // namespace

Result<WorkerSpec> render(InstalledEngine const& engine, LaunchRequest const& request) {
    bool const ranks = request.kind == Kind::Rerank;
    bool const embeds = request.kind == Kind::Embed;
    if (request.kind != Kind::Chat && !ranks && !embeds) {
        return Error{Errc::Unsupported,
                     format("llama.cpp does not serve models for {}", models::to_string(request.kind))};
    }
    HAL0_CHECK(check_extra(request.extra_args));
    auto const& flags = llama_server_flags();
    auto const unknown = engine.version == flags.version() ? Unknown::Refused : Unknown::Taken;
    auto const extra = parse_arguments(request.extra_args, flags, "extra_args", unknown);
    if (!extra)
        return in_context(format("extra_args in its file, for {} {}", engine.id, engine.version),
                          extra.error());
    auto const context = context_of(request);
    WorkerSpec spec{.argv = {engine.program("llama-server")},
                    .environment = {wait_asleep},
                    .socket = request.socket,
                    .key_file = request.key_file,
                    .engine = engine.id,
                    .version = engine.version,
                    .backend = engine.backend,
                    .device = request.device,
                    .model = request.model.record.id,
                    .kind = request.kind,
                    .context = context,
                    .parallel = request.parallel};
    spec.arguments = merged(arguments_of(engine, request, context), *extra, flags);
    auto const words = words_of(spec.arguments);
    spec.argv.insert(spec.argv.end(), words.begin(), words.end());
    return spec;
}

}  // namespace hal0::engines
