#pragma once
// How llama.cpp's llama-server is started. Pure: a request becomes an argv. Flags as `llama-server --help` of
// the pinned build names them.
#include <cstdint>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "engines/store.hpp"
#include "engines/worker_spec.hpp"
#include "models/store.hpp"

namespace hal0::engines {

struct LaunchRequest {
    models::StoredModel model{};
    models::Kind kind{models::Kind::Chat};
    std::int64_t context{
        0};  // tokens one request can use; 0: 4096, or what the model was trained for when that is less
    std::int64_t parallel{1};  // requests served at a time; each has its own context
    std::int64_t threads{1};
    std::int64_t cache_ram_mib{0};  // prompt cache in host memory, beside the context's own
    std::string device{};           // "cpu"
    std::vector<std::string> extra_args{};
    std::string socket{};
    std::string key_file{};
};

// Explicit in everything the engine would otherwise guess (context, slots, threads, prompt cache, fit, what
// goes to the GPU). What the slot's extra arguments say counts more than what hal0 says by itself.
// Unsupported for kinds llama-server doesn't serve; Invalid for extra arguments that the pinned build hasn't,
// that undo what keys of the slot say, or that would let others write files and run programs.
Result<WorkerSpec> render(InstalledEngine const& engine, LaunchRequest const& request);

}  // namespace hal0::engines
