#include "projector.hpp"

#include <string>

#include "mtmd.h"

namespace hal0::planner {
namespace {

// Only errors; nothing when there are none.
void hear(ggml_log_level level, char const* text, void* words) {
    if (level == GGML_LOG_LEVEL_ERROR) static_cast<std::string*>(words)->append(text);
}

}  // namespace

Answer<Plan> plan_projector(ModelFile const& file, Request const& request) {
    auto params = mtmd_context_params_default();
    params.use_gpu = false;
    params.flash_attn_type = request.flash;
    std::string words;
    mtmd_log_set(&hear, &words);
    auto const usage = mtmd_get_memory_usage(file.path.c_str(), params);
    mtmd_log_set([](ggml_log_level, char const*, void*) {}, nullptr);
    if (usage.backend_mem_usage.empty()) {
        while (!words.empty() && words.back() == '\n')
            words.pop_back();
        return {.fault = Fault::Model, .words = words.empty() ? "it is no projector" : words};
    }
    llama_memory_breakdown_data bytes{};
    for (auto const& [device, size] : usage.backend_mem_usage)
        bytes.model += size;
    return {.value = Plan{.buffers = {{.device = "Host", .buffer = "CPU", .bytes = bytes}}}};
}

}  // namespace hal0::planner
