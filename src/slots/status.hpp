#pragma once
// What a slot is doing, as everybody outside the room sees it.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/units.hpp"
#include "models/kind.hpp"

namespace hal0::slots {

enum class Wanted { Down, Up };

// What becomes of the requests that a worker serves when it shall go.
enum class InFlight {
    Finish,  // they are waited for, as long as the slot's drain_timeout_s says
    CutOff,  // their connections end
};

enum class State {
    Offline,    // no worker, and none is wanted now
    Starting,   // the worker was started and doesn't answer yet
    Loading,    // it answers "loading model", or its output is looked at
    Ready,      // it serves
    Unloading,  // closed for new requests, those in flight are finished, then it is stopped
    Error,      // down although it should be up; `cause` says why and what to do
};
std::string_view to_string(State state);  // "offline", "starting", …
std::string_view to_string(Wanted wanted);

struct SlotStatus {
    std::string name{};
    Wanted wanted{Wanted::Down};
    State state{State::Offline};
    std::string
        cause{};  // why it is in this state: "loaded in 0.8 s", "exited with code 1: …", "asked to unload"
    std::string model{};
    std::optional<models::Kind> kind{};  // nothing while its file or its model can't be read
    std::string engine{};                // "llama.cpp"
    std::string version{};               // of the engine that runs (or would)
    std::string backend{};               // "cpu"
    std::string device{};
    std::int64_t context{0};  // tokens one request can use
    std::int64_t parallel{0};
    std::string suspicious{};       // why its output isn't to be trusted; empty: nothing speaks against it
    std::optional<int> pid{};       // while a worker lives
    std::string program{};          // argv[0] of the worker that runs; empty when none does
    WallTime since{};               // when `state` was entered
    std::optional<Bytes> memory{};  // resident, read now
    bool adopted{false};            // the worker was started by an earlier daemon
    Duration loaded_in{};           // the last time: from its start to its word that it is ready
    std::int64_t loads{0};          // by this daemon
    std::int64_t restarts{0};       // after a worker's unasked-for end, by this daemon
    bool restart_pending{false};    // it runs on other settings than its file has now
    std::string file{};             // its slots/NAME.toml
    std::string log{};              // its worker's log
    std::vector<std::string> warnings{};  // about the file
    std::int64_t created{0};              // Unix time of the file
};

}  // namespace hal0::slots
