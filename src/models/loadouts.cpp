#include "models/loadouts.hpp"

#include <algorithm>
#include <utility>

#include "base/format.hpp"
#include "base/text.hpp"
#include "json/value.hpp"

namespace hal0::embedded {
extern std::string_view const model_loadouts;
}

namespace hal0::models {
namespace {

Error loadouts_wrong(std::string const& path, std::string_view what) {
    return Error{Errc::Invalid, format("{} {}", path, what)};
}

Result<std::map<std::string, GgufValue>> decode_keys(json::Value const& value, std::string const& path) {
    std::map<std::string, GgufValue> keys;
    auto const* const members = std::get_if<json::Value::Object>(&value.data);
    if (members == nullptr) return loadouts_wrong(path, "must be an object");
    for (auto const& member : *members) {
        if (auto const* const number = std::get_if<std::int64_t>(&member.value.data))
            keys[member.name] = *number;
        else if (auto const* const flag = std::get_if<bool>(&member.value.data))
            keys[member.name] = *flag;
        else
            return loadouts_wrong(path + "." + member.name, "must be a number or a flag");
    }
    return keys;
}

Result<std::optional<LoadoutHeader>> decode_header(json::Value const& value, std::string const& path) {
    LoadoutHeader header;
    json::ObjectReader in{value, path};
    in.required("architecture", header.architecture);
    in.required("size", header.size.count);
    in.required("inputs", header.inputs.count);
    in.required("table", header.table.count);
    in.required("output", header.output.count);
    in.required("largest", header.largest.count);
    in.object("keys", header.keys, decode_keys);
    HAL0_CHECK(in.finish());
    if (header.table > header.inputs || header.inputs + header.output > header.size)
        return loadouts_wrong(path, "has parts that are more than the whole");
    return std::optional{std::move(header)};
}

Result<LoadoutModel> decode_loadout_model(json::Value const& value, std::string const& path) {
    LoadoutModel model;
    json::ObjectReader in{value, path};
    in.required("name", model.name);
    in.required("kind", model.kind);
    in.required("stated", model.stated.count);
    in.optional("note", model.note);
    in.optional("hard_ceiling", model.hard_ceiling);
    if (in.member("header") != nullptr) in.object("header", model.header, decode_header);
    HAL0_CHECK(in.finish());
    return model;
}

Result<LoadoutSlot> decode_loadout_slot(json::Value const& value, std::string const& path) {
    LoadoutSlot slot;
    json::ObjectReader in{value, path};
    in.required("slot", slot.slot);
    in.required("model", slot.model);
    in.optional("context", slot.context.count);
    HAL0_CHECK(in.finish());
    return slot;
}

Result<LoadoutTier> decode_tier(json::Value const& value, std::string const& path) {
    LoadoutTier tier;
    json::ObjectReader in{value, path};
    in.required("id", tier.id);
    in.list("slots", tier.slots, decode_loadout_slot);
    in.optional("smaller", tier.smaller);
    in.optional("alternatives", tier.alternatives);
    HAL0_CHECK(in.finish());
    if (tier.slots.empty()) return loadouts_wrong(path + ".slots", "must not be empty");
    return tier;
}

Result<Loadout> decode_loadout(json::Value const& value, std::string const& path) {
    Loadout loadout;
    json::ObjectReader in{value, path};
    in.required("id", loadout.id);
    in.required("title", loadout.title);
    in.required("about", loadout.about);
    in.list("tiers", loadout.tiers, decode_tier);
    HAL0_CHECK(in.finish());
    return loadout;
}

Result<void> check_names(Loadouts const& all) {
    for (auto const& loadout : all.loadouts) {
        for (auto const& tier : loadout.tiers) {
            auto names = tier.alternatives;
            if (!tier.smaller.empty()) names.push_back(tier.smaller);
            for (auto const& slot : tier.slots)
                names.push_back(slot.model);
            for (auto const& name : names) {
                if (all.model(name) == nullptr)
                    return loadouts_wrong(loadout.id + "." + tier.id,
                                          format("names the model {}, which is not there", name));
            }
        }
    }
    return {};
}

GgufTensor tensor_of(std::string name, Bytes size) { return {.name = std::move(name), .size = size}; }

}  // namespace

GgufModel header_model(LoadoutModel const& model) {
    GgufModel made;
    if (!model.header) return made;
    auto const& header = *model.header;
    made.metadata.add("general.architecture", header.architecture);
    for (auto const& [key, value] : header.keys)
        made.metadata.add(header.architecture + "." + key, value);
    made.tensors = {tensor_of("token_embd.weight", header.table),
                    tensor_of("token_types.weight", header.inputs - header.table),
                    tensor_of("blk.0.rest.weight", header.size - header.inputs - header.output)};
    if (header.output.count > 0) made.tensors.push_back(tensor_of("output.weight", header.output));
    made.size = header.size;
    return made;
}

LoadoutModel const* Loadouts::model(std::string_view name) const {
    auto const found = std::ranges::find_if(
        models, [name](LoadoutModel const& model) { return equal_fold(model.name, name); });
    return found == models.end() ? nullptr : &*found;
}

Result<Loadouts> decode_loadouts(std::string_view text) {
    HAL0_TRY(value, json::parse(text));
    Loadouts all;
    std::int64_t schema{0};
    json::ObjectReader in{value, "loadouts"};
    in.required("schema", schema);
    in.list("models", all.models, decode_loadout_model);
    in.list("loadouts", all.loadouts, decode_loadout);
    HAL0_CHECK(in.finish());
    if (schema != 1) return loadouts_wrong("loadouts.schema", "must be 1");
    HAL0_CHECK(check_names(all));
    return all;
}

Loadouts const& loadouts() {
    static Loadouts const all = decode_loadouts(embedded::model_loadouts).value();
    return all;
}

Result<Loadout> find_loadout(std::string_view id) {
    std::vector<std::string> ids;
    for (auto const& loadout : loadouts().loadouts) {
        if (loadout.id == id) return loadout;
        ids.push_back(loadout.id);
    }
    auto const near = nearest(id, ids);
    return Error{Errc::NotFound, format("there is no loadout '{}'; {}", clipped(id),
                                        near ? format("did you mean '{}'?", *near)
                                             : "'hal0 loadout list' shows those that are")};
}

}  // namespace hal0::models
