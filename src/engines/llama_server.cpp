#include "engines/llama_server.hpp"

#include <algorithm>

#include "base/format.hpp"

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

void add(std::vector<std::string>& argv, std::string flag, std::int64_t value) {
    argv.push_back(std::move(flag));
    argv.push_back(format("{}", value));
}

}  // namespace

Result<WorkerSpec> render(InstalledEngine const& engine, LaunchRequest const& request) {
    bool const ranks = request.kind == Kind::Rerank;
    bool const embeds = request.kind == Kind::Embed;
    if (request.kind != Kind::Chat && !ranks && !embeds) {
        return Error{Errc::Unsupported,
                     format("llama.cpp does not serve models for {}", models::to_string(request.kind))};
    }
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
    auto& argv = spec.argv;
    argv.insert(argv.end(), {"--model", request.model.main_file(), "--alias", request.model.record.id});
    argv.insert(argv.end(), {"--host", request.socket, "--api-key-file", request.key_file});
    add(argv, "--ctx-size", context * request.parallel);
    add(argv, "--parallel", request.parallel);
    add(argv, "--threads", request.threads);
    add(argv, "--cache-ram", request.cache_ram_mib);
    argv.insert(argv.end(), {"--fit", "off", "--metrics", "--no-ui", "--offline"});
    if (embeds || ranks) {
        // A text is evaluated in one piece: what fits the context must fit one batch.
        argv.emplace_back(ranks ? "--reranking" : "--embeddings");
        add(argv, "--batch-size", context);
        add(argv, "--ubatch-size", context);
    }
    argv.insert(argv.end(), request.extra_args.begin(), request.extra_args.end());  // last, so that they win
    return spec;
}

}  // namespace hal0::engines
