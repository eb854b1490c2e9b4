#pragma once
// What exactly is run for a slot: the argv of one worker and how to reach it. Written to the slot's run
// directory as spec.json, read back by `hal0 slot exec` and by the next daemon.
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "engines/arguments.hpp"
#include "models/kind.hpp"

namespace hal0::engines {

struct WorkerSpec {
    std::vector<std::string> argv{};
    // What argv says after the program, and who says so: for people. Empty in a spec of an older hal0.
    std::vector<Argument> arguments{};
    std::vector<std::string> environment{};  // "NAME=value", set besides what the daemon has
    std::string socket{};                    // the unix socket it listens on
    std::string key_file{};                  // holds the bearer token it wants
    std::string engine{};                    // "llama.cpp"
    std::string version{};                   // "11434"
    std::string backend{};                   // "cpu", "vulkan", …
    std::string device{};
    std::string model{};  // model id
    models::Kind kind{models::Kind::Chat};
    std::int64_t context{0};  // tokens one request can use
    std::int64_t parallel{0};
    bool operator==(WorkerSpec const&) const = default;
};

std::string encode(WorkerSpec const& spec);
Result<WorkerSpec> decode_spec(std::string_view text);

// What its --model says: the first file of the model. Empty where it says none.
std::string model_file_of(WorkerSpec const& spec);

}  // namespace hal0::engines
