#include "engines/spec_request.hpp"

#include <algorithm>
#include <array>
#include <string_view>

#include "base/text.hpp"

namespace hal0::engines {
namespace {

using std::string_view;

// Flags of llama-server that take a value, or none, and don't change what it allocates for the model.
constexpr std::array valued{string_view{"--model"},
                            string_view{"--alias"},
                            string_view{"--host"},
                            string_view{"--api-key-file"},
                            string_view{"--threads"},
                            string_view{"--fit"},
                            string_view{"--load-mode"},
                            string_view{"-lm"},
                            string_view{"--threads-batch"},
                            string_view{"-tb"},
                            string_view{"--threads-http"},
                            string_view{"--timeout"},
                            string_view{"-to"},
                            string_view{"--pooling"},
                            string_view{"--chat-template"},
                            string_view{"--chat-template-file"},
                            string_view{"--reasoning-format"},
                            string_view{"--reasoning-budget"},
                            string_view{"--temp"},
                            string_view{"--top-k"},
                            string_view{"--top-p"},
                            string_view{"--min-p"},
                            string_view{"--seed"},
                            string_view{"-s"}};
constexpr std::array alone{string_view{"--metrics"}, string_view{"--no-ui"},    string_view{"--offline"},
                           string_view{"--jinja"},   string_view{"--no-jinja"}, string_view{"--verbose"},
                           string_view{"-v"},        string_view{"--no-warmup"}};

bool one_of(string_view flag, std::initializer_list<string_view> names) {
    return std::ranges::find(names, flag) != names.end();
}

std::optional<FlashAttention> flash_from(string_view value) {
    if (value == "on") return FlashAttention::On;
    if (value == "off") return FlashAttention::Off;
    return value == "auto" ? std::optional{FlashAttention::Auto} : std::nullopt;
}

// Of the layers on the GPU; "auto" is all of them where nothing is fitted.
std::optional<std::int32_t> layers_from(string_view value) {
    if (value == "all" || value == "auto") return all_gpu_layers;
    auto const number = to_int(value);
    if (!number) return std::nullopt;
    return static_cast<std::int32_t>(std::clamp<std::int64_t>(*number, -1, 1 << 20));
}

// False where it is none that is known, or its value isn't.
bool take_number(PlanRequest& request, string_view flag, string_view value) {
    auto const number = to_int(value);
    if (!number) return false;
    if (one_of(flag, {"--ctx-size", "-c"})) {
        request.context = {*number};
    } else if (one_of(flag, {"--parallel", "-np"})) {
        request.parallel = static_cast<std::int32_t>(std::clamp<std::int64_t>(*number, 1, 1 << 20));
    } else if (one_of(flag, {"--batch-size", "-b"})) {
        request.batch = {*number};
    } else if (one_of(flag, {"--ubatch-size", "-ub"})) {
        request.ubatch = {*number};
    } else if (one_of(flag, {"--ctx-checkpoints", "-ctxcp", "--swa-checkpoints"})) {
        request.checkpoints = static_cast<std::int32_t>(std::clamp<std::int64_t>(*number, 0, 1 << 10));
    } else if (one_of(flag, {"--cache-ram", "-cram"})) {
        if (*number < 0 || *number > (1 << 24)) return false;  // -1: no limit
        request.cache_ram = Bytes{*number << 20};
    } else {
        return false;
    }
    return true;
}

bool take_valued(PlanRequest& request, string_view flag, string_view value) {
    if (std::ranges::find(valued, flag) != valued.end()) return true;
    bool const keys = one_of(flag, {"--cache-type-k", "-ctk"});
    if (keys || one_of(flag, {"--cache-type-v", "-ctv"})) {
        auto const type = kv_type_from(value);
        if (type) (keys ? request.kv_type_k : request.kv_type_v) = *type;
        return type.has_value();
    }
    if (one_of(flag, {"--gpu-layers", "--n-gpu-layers", "-ngl"})) {
        auto const layers = layers_from(value);
        if (layers) request.gpu_layers = *layers;
        return layers.has_value();
    }
    if (one_of(flag, {"--flash-attn", "-fa"})) {
        auto const choice = flash_from(value);
        if (choice) request.flash_attention = *choice;
        return choice.has_value();
    }
    return take_number(request, flag, value);
}

bool take_alone(PlanRequest& request, string_view flag) {
    if (one_of(flag, {"--embeddings", "--embedding", "--reranking", "--rerank"}))
        return request.embeddings = true;
    if (one_of(flag, {"--kv-unified", "-kvu"})) return request.unified_kv = true;
    return std::ranges::find(alone, flag) != alone.end();
}

}  // namespace

std::optional<PlanRequest> plan_request_of(WorkerSpec const& spec) {
    PlanRequest request;
    auto const& argv = spec.argv;
    for (std::size_t i = 1; i < argv.size(); ++i) {
        if (take_alone(request, argv[i])) continue;
        if (i + 1 == argv.size() || !take_valued(request, argv[i], argv[i + 1])) return std::nullopt;
        ++i;
    }
    return request;
}

}  // namespace hal0::engines
