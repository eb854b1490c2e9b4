#include "memory/overhead.hpp"

#include <algorithm>

namespace hal0::memory {
namespace {

// llama-server's private pages above its plan, with its vocabulary, threads and HTTP server (docs/memory.md).
constexpr Bytes process_bytes = 256_MiB;

struct DriverContext {
    Bytes bytes{};
    std::string_view source{};
};
constexpr DriverContext driver_context(GpuApi api) {
    if (api == GpuApi::Cuda) return {736_MiB, "CUDA's context and workspaces, as measured on an H100"};
    if (api == GpuApi::Rocm) return {512_MiB, "HIP's context, taken at more than has been reported"};
    return {256_MiB, "Vulkan's pipelines and staging, taken at more than has been reported"};
}

void add(MemoryEstimate& estimate, std::string_view device, Term term) {
    auto const share = std::ranges::find(estimate.shares, device, &PoolShare::device);
    if (share == estimate.shares.end())
        estimate.shares.push_back({.device = std::string{device}, .terms = {std::move(term)}});
    else
        share->terms.push_back(std::move(term));
}

}  // namespace

void add_overhead(MemoryEstimate& estimate, Target const& target) {
    add(estimate, host_device,
        {.name = std::string{process_term},
         .bytes = process_bytes,
         .source = "vocabulary, threads, HTTP: taken at more than was measured"});
    if (target.device == host_device) return;
    auto const driver = driver_context(target.api);
    add(estimate, target.device,
        {.name = std::string{driver_term}, .bytes = driver.bytes, .source = std::string{driver.source}});
}

}  // namespace hal0::memory
