#pragma once
// What a slot should be: CONFIG/slots/NAME.toml, edited by people and by the API. An edit through the API is
// a splice: comments, order and keys unknown to this version survive.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "models/kind.hpp"
#include "slots/limits.hpp"

namespace hal0::slots {

// ^[a-z0-9][a-z0-9_-]{0,31}$
bool valid_slot_name(std::string_view name);
Result<void> check_slot_name(std::string_view name);  // Invalid, saying what a name may be

// Keys of the file have the names of the fields.
struct SlotConfig {
    std::string name{};                  // the file's name without .toml
    std::string model{};                 // model id; required
    std::optional<models::Kind> kind{};  // the model's own when absent
    std::string engine{"llama.cpp"};
    std::string device{"cpu"};
    bool enabled{true};        // up whenever the daemon is; false: up on demand (a request, `hal0 slot load`)
    std::int64_t context{0};   // tokens one request can use; 0: the model's own up to 4096
    std::int64_t parallel{1};  // 1…64 requests served at a time
    std::int64_t threads{0};   // 0: what this box has, shared with nobody
    std::int64_t cache_ram_mib{0};  // prompt cache in host memory beside the context's own
    std::int64_t load_timeout_s{
        load_timeout.count()};  // a worker that isn't ready by then is killed: the load has failed
    std::int64_t drain_timeout_s{
        drain_timeout.count()};     // an unload cuts requests off that are still in flight then
    std::int64_t idle_unload_s{0};  // unloaded when no request came for so long; 0: never
    bool check_output{true};        // a worker that comes up is asked something, to see that it is sane
    std::vector<std::string> extra_args{};  // to the engine, last
    bool operator==(SlotConfig const&) const = default;
};

// Invalid or Corrupt, naming the file, the line and the key; an unknown key is no error (`unknown` lists it
// with the nearest known one, for a warning).
struct DecodedSlot {
    SlotConfig config{};
    std::vector<std::string> warnings{};
};
Result<DecodedSlot> decode_slot(std::string const& name, std::string_view text, std::string const& path);

// A key of the file, in words for people.
struct SlotKey {
    std::string name{};
    std::string otherwise{};  // what holds where it is absent, as TOML; empty: nothing does
    std::string what{};
};
std::vector<SlotKey> slot_keys();

// A new file with every key that isn't at its default, and a comment that says what else can stand there.
std::string render_slot(SlotConfig const& config);
// The same text with only what differs between its present content and `wanted` replaced, added or removed.
Result<std::string> edit_slot(std::string_view text, std::string const& path, SlotConfig const& wanted);

}  // namespace hal0::slots
