#pragma once
// Loadouts: which models make a box good at something, per tier. Data (loadouts.json, compiled in). Each
// model has what its header would say, so that it can be sized before it is anywhere near this machine.
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "base/units.hpp"
#include "models/gguf_model.hpp"

namespace hal0::models {

// What sizing needs of a model file's header: its keys, and its tensors added up.
struct LoadoutHeader {
    std::string architecture{};
    std::map<std::string, GgufValue> keys{};  // numbers and flags, named without the architecture
    Bytes size{};                             // of all tensors
    Bytes inputs{};                           // of those that the engine keeps on the host
    Bytes table{};                            // token table, of the inputs
    Bytes output{};                           // 0: the token table is the output too
    Bytes largest{};                          // tensor
    bool operator==(LoadoutHeader const&) const = default;
};

struct LoadoutModel {
    std::string name{};
    std::string kind{};                     // "chat", "embed", "stt", "tts"
    Bytes stated{};                         // its file's size, as it is published or said
    std::string note{};                     // where that is off, and why
    bool hard_ceiling{false};               // no box of 128 GB holds it
    std::optional<LoadoutHeader> header{};  // nothing where another kind of engine serves it
    [[nodiscard]] Bytes size() const { return header ? header->size : stated; }
    bool operator==(LoadoutModel const&) const = default;
};

// As if its header had been read: keys, and a few tensors that add up to its own.
GgufModel header_model(LoadoutModel const& model);

struct LoadoutSlot {
    std::string slot{};  // "primary"
    std::string model{};
    Tokens context{};  // of one request; 0: it has none
    bool operator==(LoadoutSlot const&) const = default;
};
struct LoadoutTier {
    std::string id{};
    std::vector<LoadoutSlot> slots{};
    std::string smaller{};  // instead of the first slot's model, where the tier doesn't fit
    std::vector<std::string> alternatives{};
    bool operator==(LoadoutTier const&) const = default;
};
struct Loadout {
    std::string id{};
    std::string title{};
    std::string about{};
    std::vector<LoadoutTier> tiers{};
    bool operator==(Loadout const&) const = default;
};

struct Loadouts {
    std::vector<LoadoutModel> models{};
    std::vector<Loadout> loadouts{};
    [[nodiscard]] LoadoutModel const* model(std::string_view name) const;  // by name, in any case
    bool operator==(Loadouts const&) const = default;
};

Loadouts const& loadouts();
// NotFound names what is near.
Result<Loadout> find_loadout(std::string_view id);

// Invalid names the place of the fault, also of a name that stands for no model.
Result<Loadouts> decode_loadouts(std::string_view text);

}  // namespace hal0::models
