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

// What is known of a model beside its plan.
struct Known {
    std::int64_t vocabulary{0};  // tokens; 0: not known
    std::int64_t sequences{1};
    Learned learned{};  // for as many
};

// What each sequence after the first adds to the process: its sampler has a candidate for each token of the
// vocabulary (llama_token_data, 12 bytes), and what it has said.
Bytes sequence_bytes(std::int64_t vocabulary);

// What a model loaded beside the first one adds to the process: its vocabulary.
Term vocabulary_term(std::string name, std::int64_t tokens);

// Adds both to the estimate. Nothing that was measured makes the rest of it smaller.
void add_overhead(MemoryEstimate& estimate, Target const& target, Known const& known = {});

}  // namespace hal0::memory
