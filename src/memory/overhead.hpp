#pragma once
// What no planner and no formula sees: the process itself, and what a GPU's driver takes for a program that
// opens it. Measured figures where there are some; else docs/memory.md says where each comes from.
#include <cstdint>

#include "memory/estimate.hpp"
#include "memory/measurement.hpp"
#include "memory/verdict.hpp"

namespace hal0::memory {

inline constexpr std::string_view process_term = "process";
inline constexpr std::string_view driver_term = "driver context";
inline constexpr std::string_view sampling_term = "sampling buffers";
inline constexpr std::string_view sampling_compute_term = "sampling compute buffer";

// What is known of a model beside its plan.
struct Known {
    std::int64_t vocabulary{0};  // tokens; 0: not known
    std::int64_t sequences{1};
    Learned learned{};  // for as many
};

// What each sequence after the first adds to the process: its sampler has a candidate for each token of the
// vocabulary (llama_token_data, 12 bytes), and what it has said.
Bytes sequence_bytes(std::int64_t vocabulary);

// What a model that drafts beside the first one adds to the process: its vocabulary, and a sampler for each
// sequence (common_speculative_impl_draft_simple).
Term drafter_term(std::string name, std::int64_t vocabulary, std::int64_t sequences);

// What layers that draft (MTP) take to choose on the backend, as they do by default (backend_sampling of
// common/common.h): no plan has it, for their samplers are set after it.
void add_sampling(MemoryEstimate& layers, std::string const& device, Known const& known);

// Adds both to the estimate. Nothing that was measured makes the rest of it smaller.
void add_overhead(MemoryEstimate& estimate, Target const& target, Known const& known = {});

}  // namespace hal0::memory
