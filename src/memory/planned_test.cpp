#include "memory/planned.hpp"

#include <gtest/gtest.h>

#include "memory/pools.hpp"

namespace hal0::memory {
namespace {

// As gemma3 has it: a layer that looks at everything can be cut back, one with a window can't.
TEST(Growing, WhatCannotGoBackIsCopiedForEachSequence) {
    ModelShape shape{.layers = {{.attention = Attention::Sliding, .key_row = 256, .value_row = 256},
                                {.attention = Attention::Global, .key_row = 256, .value_row = 256}},
                     .window = {512}};
    engines::PlanRequest request{.context = {4096}, .checkpoints = 4};
    auto const window = Bytes{1024 * (256 + 256) * 2};
    EXPECT_EQ(checkpoints(shape, request), Bytes{4 * window.count});
    request.parallel = 2;
    EXPECT_EQ(checkpoints(shape, request), Bytes{8 * window.count});
    shape.layers[1].states = {1000};
    EXPECT_EQ(checkpoints(shape, request), Bytes{8 * (window.count + 4000)}) << "states are kept too";
    request.embeddings = true;
    EXPECT_EQ(checkpoints(shape, request), Bytes{}) << "texts that are embedded are not gone back in";
    shape.layers.resize(1);
    shape.layers[0].attention = Attention::Global;
    request.embeddings = false;
    EXPECT_EQ(checkpoints(shape, request), Bytes{});
}

TEST(Growing, ItIsTheHosts) {
    MemoryEstimate estimate{.shares = {{.device = std::string{host_device}}, {.device = "gpu0"}}};
    ModelShape const shape{.layers = {{.states = {1000}}}};
    add_growing(estimate, shape, {.cache_ram = 5_MiB, .checkpoints = 1});
    EXPECT_EQ(estimate.of(checkpoints_term), Bytes{4000});
    EXPECT_EQ(estimate.of(prompt_cache_term), 5_MiB);
    EXPECT_EQ(estimate.shares[0].terms.size(), 2U);
}

}  // namespace
}  // namespace hal0::memory
