#include "memory/architectures.hpp"

#include <algorithm>
#include <array>

namespace hal0::memory {
namespace {

constexpr Sliding always(std::int64_t period, Pattern pattern = Pattern::DenseLast, std::int64_t window = 0) {
    return {.when = Slides::Always, .period = period, .pattern = pattern, .window = window};
}
constexpr Sliding with_window(std::int64_t period, Pattern pattern = Pattern::DenseLast) {
    return {.when = Slides::WithWindow, .period = period, .pattern = pattern};
}
constexpr Sliding by_array = always(1);  // the file must say which

constexpr Architecture encoder(std::string_view name) { return {.name = name, .memory = Memory::Encoder}; }
constexpr Architecture diffusion(std::string_view name) {
    return {.name = name, .memory = Memory::Diffusion};
}
constexpr Architecture sliding(std::string_view name, Sliding rule) {
    return {.name = name, .sliding = rule};
}
constexpr Architecture recurrent(std::string_view name) {
    return {.name = name, .memory = Memory::Recurrent, .recurs = Recurs::Always};
}
constexpr Architecture hybrid(std::string_view name, Recurs recurs, std::int64_t interval = 0) {
    return {.name = name, .memory = Memory::Hybrid, .recurs = recurs, .interval = interval};
}
constexpr Architecture sparse(std::string_view name, Indexer indexer) {
    return {.name = name, .indexer = indexer};
}

constexpr std::array special{
    encoder("bert"),
    encoder("clef"),
    diffusion("dream"),
    encoder("eurobert"),
    encoder("gemma-embedding"),
    encoder("jina-bert-v2"),
    encoder("jina-bert-v3"),
    diffusion("llada"),
    diffusion("llada-moe"),
    encoder("modern-bert"),
    encoder("neo-bert"),
    encoder("nomic-bert"),
    encoder("nomic-bert-moe"),
    diffusion("rnd1"),
    encoder("wavtokenizer-dec"),

    sliding("afmoe", with_window(4)),
    sliding("cohere2", always(4)),
    sliding("cohere2moe", always(4, Pattern::DenseFirst)),
    sliding("exaone-moe", always(4, Pattern::DenseLast, 128)),
    sliding("exaone4", {.when = Slides::With64Layers, .period = 4, .window = 4096}),
    sliding("gemma2", always(2, Pattern::DenseLast, 4096)),
    sliding("gemma3", with_window(6)),
    sliding("gemma3n", always(5)),
    sliding("gemma4", by_array),
    sliding("gpt-oss", always(2)),
    sliding("granite_swa", by_array),
    sliding("laguna", with_window(4, Pattern::DenseFirst)),
    sliding("llama4", {.when = Slides::UnlessZero, .period = 4, .window = 8192, .window_is_fixed = true}),
    sliding("maple", by_array),
    sliding("mellum", with_window(4)),
    sliding("mimo2", by_array),
    sliding("muse-glimmer", always(4)),
    sliding("olmo2", with_window(4)),
    sliding("plamo3", with_window(8)),
    sliding("smallthinker", {.when = Slides::WithWindow,
                             .period = 4,
                             .pattern = Pattern::DenseFirst,
                             .window = 4096,
                             .window_is_fixed = true}),
    sliding("spark2_5", by_array),
    sliding("step35", by_array),

    recurrent("arwkv7"),
    recurrent("mamba"),
    recurrent("mamba2"),
    recurrent("rwkv6"),
    recurrent("rwkv6qwen2"),
    recurrent("rwkv7"),

    hybrid("bailingmoe3", Recurs::WithoutKvHeads),
    hybrid("falcon-h1", Recurs::WithAttention),
    hybrid("granitehybrid", Recurs::WithoutKvHeads),
    hybrid("jamba", Recurs::WithoutKvHeads),
    hybrid("kimi-k3", Recurs::WithoutKvHeads),
    hybrid("kimi-linear", Recurs::WithoutKvHeads),
    hybrid("lfm2moe", Recurs::WithoutKvHeads),
    hybrid("minimax-01", Recurs::ByInterval, 8),
    hybrid("nemotron_h", Recurs::WithoutHeadsOrFfn),
    hybrid("nemotron_h_moe", Recurs::WithoutHeadsOrFfn),
    hybrid("plamo2", Recurs::WithoutKvHeads),
    hybrid("qwen35", Recurs::ByInterval, 4),
    hybrid("qwen35moe", Recurs::ByInterval, 4),
    hybrid("qwen3next", Recurs::ByInterval, 4),
    Architecture{.name = "lfm2",
                 .memory = Memory::Hybrid,
                 .sliding = with_window(0),
                 .recurs = Recurs::WithoutKvHeads},
    Architecture{.name = "glm5-next",
                 .memory = Memory::Hybrid,
                 .recurs = Recurs::WithoutKvHeads,
                 .indexer = Indexer::Full},
    Architecture{.name = "qwen4exp",
                 .memory = Memory::Hybrid,
                 .recurs = Recurs::ByInterval,
                 .interval = 4,
                 .indexer = Indexer::Attention},

    sparse("deepseek32", Indexer::All),
    sparse("glm-dsa", Indexer::Full),
    sparse("hy_v4", Indexer::Full),
    sparse("minimax-m3", Indexer::AfterDense),
    Architecture{.name = "dots3note", .sliding = by_array, .indexer = Indexer::Full},
    Architecture{.name = "deepseek4", .memory = Memory::Compressed, .sliding = always(0)},
};

// No special rule in any file of src/models: default of create_memory, no window, no recurrent layer.
constexpr std::array<std::string_view, 84> plain{
    "apertus",     "arcee",         "arctic",       "baichuan",  "bailingmoe",     "bailingmoe2",
    "bitnet",      "bloom",         "chameleon",    "chatglm",   "codeshell",      "cogvlm",
    "command-r",   "dbrx",          "deci",         "deepseek",  "deepseek2",      "deepseek2-ocr",
    "dots1",       "ernie4_5",      "ernie4_5-moe", "exaone",    "falcon",         "gemma",
    "glm4",        "glm4moe",       "gpt2",         "gptj",      "gptneox",        "granite",
    "granitemoe",  "graniteswitch", "grok",         "grovemoe",  "hrm_text",       "hunyuan-dense",
    "hunyuan-moe", "hunyuan_vl",    "hy_v3",        "internlm2", "jais",           "jais2",
    "llama",       "llama-embed",   "maincoder",    "minicpm",   "minicpm3",       "minimax-m2",
    "mistral3",    "mistral4",      "mpt",          "nanbeige",  "nemotron",       "olmo",
    "olmoe",       "openelm",       "orion",        "paddleocr", "pangu-embedded", "phi2",
    "phi3",        "phimoe",        "plamo",        "plm",       "qwen",           "qwen2",
    "qwen2moe",    "qwen2vl",       "qwen3",        "qwen3moe",  "qwen3vl",        "qwen3vlmoe",
    "refact",      "seed_oss",      "smollm3",      "stablelm",  "starcoder",      "starcoder2",
    "pockettts",   "qwen3tts",      "t5",           "t5encoder", "talkie",         "xverse"};

}  // namespace

std::optional<Architecture> architecture(std::string_view name) {
    auto const* const rule = std::ranges::find(special, name, &Architecture::name);
    if (rule != special.end()) return *rule;
    if (std::ranges::find(plain, name) != plain.end()) return Architecture{.name = name};
    return std::nullopt;
}

std::span<Architecture const> architectures() { return special; }
std::span<std::string_view const> plain_architectures() { return plain; }

}  // namespace hal0::memory
