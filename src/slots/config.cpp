#include "slots/config.hpp"

#include <algorithm>
#include <array>

#include "base/format.hpp"
#include "base/text.hpp"
#include "toml/edit.hpp"
#include "toml/reader.hpp"

namespace hal0::slots {
namespace {

constexpr std::size_t name_bytes_max = 32;
constexpr std::int64_t day_s = 86'400;  // as long as a request may wait for a slot

// A whole number of the file: its key, what it may be and what it is for.
struct Number {
    char const* key;
    std::int64_t SlotConfig::* field;
    std::int64_t least;
    std::int64_t most;
    bool or_zero;  // 0, outside of least…most, has a meaning of its own
    char const* note;
};
constexpr std::array numbers{
    Number{"context", &SlotConfig::context, 128, 1LL << 24, true,
           "tokens one request can use; 0: the model's own, up to 4096"},
    Number{"parallel", &SlotConfig::parallel, 1, 64, false, "requests served at a time"},
    Number{"threads", &SlotConfig::threads, 0, 1024, true, "0: what this box has"},
    Number{"cache_ram_mib", &SlotConfig::cache_ram_mib, 0, 1LL << 24, true,
           "prompt cache in host memory, beside the context's own"},
    Number{"load_timeout_s", &SlotConfig::load_timeout_s, 1, day_s, false,
           "a worker that isn't ready by then is killed"},
    Number{"drain_timeout_s", &SlotConfig::drain_timeout_s, 1, day_s, false,
           "an unload waits so long for the requests in flight, then it cuts them off"},
    Number{"idle_unload_s", &SlotConfig::idle_unload_s, 1, 365 * day_s, true,
           "unloaded when no request came for so long, and up again for the next one; 0: never"},
};

struct Word {
    char const* key;
    std::string SlotConfig::* field;
};
constexpr std::array words{Word{"model", &SlotConfig::model}, Word{"engine", &SlotConfig::engine},
                           Word{"device", &SlotConfig::device}};

// Reports what is wrong with a value as (key, words that follow it), which is all that differs between a file
// that is read and a request to change it.
template <class F> void check_values(SlotConfig const& config, F const& report) {
    for (auto const& [key, field] : words) {
        if ((config.*field).empty()) report(key, "must not be empty");
    }
    for (auto const& number : numbers) {
        auto const value = config.*(number.field);
        if (value >= number.least && value <= number.most) continue;
        if (value == 0 && number.or_zero) continue;
        report(number.key,
               format("must be {}{} to {}, not {}", number.or_zero && number.least > 0 ? "0 or " : "",
                      number.least, number.most, value));
    }
    for (auto const& argument : config.extra_args) {
        // The kernel ends an argument at its first NUL: the engine would see another one than the file has.
        if (argument.find('\0') != std::string::npos) report("extra_args", "must not hold a NUL character");
    }
}

void read_kind(toml::TableReader& in, std::optional<models::Kind>& kind) {
    std::optional<std::string> name;
    in.optional("kind", name);
    if (!name) return;
    kind = models::kind_from(*name);
    if (!kind) in.refuse("kind", format("'{}' is none of {}", *name, models::kind_list()));
}

// The keys of a slot's file as they stand in `config`; nothing: the key has no value.
struct Entry {
    char const* key;
    std::optional<toml::Setting> value;
    std::string note{};
};
std::vector<Entry> entries(SlotConfig const& config) {
    std::vector<Entry> all{{"model", config.model, "its id, as 'hal0 model list' has it; must be there"}};
    auto const kind =
        config.kind ? std::optional<toml::Setting>{std::string{to_string(*config.kind)}} : std::nullopt;
    all.push_back({"kind", kind, models::kind_list() + "; the model's own when absent"});
    all.push_back({"engine", config.engine, "its id, as 'hal0 engine list' has it"});
    all.push_back(
        {"device", config.device,
         "where it computes: its engine's backend, as 'hal0 engine list' has it; cpu alone so far"});
    all.push_back({"enabled", config.enabled,
                   "up whenever the daemon is (but for idle_unload_s); false: up on demand"});
    for (auto const& number : numbers)
        all.push_back({number.key, config.*(number.field), number.note});
    all.push_back({"check_output", config.check_output,
                   "before it serves it is asked something small, and a warning given where garbage comes"});
    all.push_back({"extra_args", config.extra_args, "to the engine, over what hal0 says by itself"});
    return all;
}

Result<toml::Document> with_entry(toml::Document const& document, Entry const& entry,
                                  std::optional<toml::Setting> const& unless) {
    toml::Path const path{entry.key};
    if (!entry.value) return toml::without(document, path);
    bool const absent = document.root().find(entry.key) == nullptr;
    if (absent && entry.value == unless) return document;
    return toml::with(document, path, *entry.value);
}

}  // namespace

bool valid_slot_name(std::string_view name) {
    constexpr std::string_view first = "abcdefghijklmnopqrstuvwxyz0123456789";
    constexpr std::string_view rest = "abcdefghijklmnopqrstuvwxyz0123456789_-";
    return !name.empty() && name.size() <= name_bytes_max &&
           first.find(name.front()) != std::string_view::npos &&
           name.find_first_not_of(rest) == std::string_view::npos;
}

Result<void> check_slot_name(std::string_view name) {
    if (valid_slot_name(name)) return {};
    return Error{
        Errc::Invalid,
        format("'{}' is no name for a slot: 1 to {} lower-case letters, digits, '-' and '_', the first "
               "a letter or digit",
               clipped(name), name_bytes_max)};
}

Result<DecodedSlot> decode_slot(std::string const& name, std::string_view text, std::string const& path) {
    HAL0_CHECK(check_slot_name(name));
    HAL0_TRY(document, toml::Document::parse(std::string{text}, path));
    DecodedSlot slot;
    auto& config = slot.config;
    config.name = name;
    toml::TableReader in{document};
    in.required("model", config.model);
    read_kind(in, config.kind);
    in.optional("engine", config.engine);
    in.optional("device", config.device);
    in.optional("enabled", config.enabled);
    for (auto const& number : numbers)
        in.optional(number.key, config.*(number.field));
    in.optional("check_output", config.check_output);
    in.optional("extra_args", config.extra_args);
    check_values(config, [&in](char const* key, std::string const& why) { in.refuse(key, why); });
    HAL0_CHECK(in.finish());
    slot.warnings = in.unknown();
    return slot;
}

std::vector<SlotKey> slot_keys() {
    std::vector<SlotKey> keys;
    for (auto const& [key, value, note] : entries(SlotConfig{})) {
        bool const there = value && *value != toml::Setting{std::string{}};
        keys.push_back({key, there ? toml::written(*value) : "", note});
    }
    for (auto const& number : numbers) {
        auto const at = std::find_if(keys.begin(), keys.end(),
                                     [&number](SlotKey const& key) { return key.name == number.key; });
        at->what += format(" ({}{} to {})", number.or_zero && number.least > 0 ? "0 or " : "", number.least,
                           number.most);
    }
    return keys;
}

std::string render_slot(SlotConfig const& config) {
    std::string set;
    std::string rest;
    auto const defaults = entries(SlotConfig{});
    auto const all = entries(config);
    for (std::size_t i = 0; i < all.size(); ++i) {
        auto const& [key, value, note] = all[i];
        if (value && value != defaults[i].value) {
            set += format("{} = {}\n", key, toml::written(*value));
        } else {
            auto const& shown = defaults[i].value;
            auto const example = shown ? toml::written(*shown) : "\"chat\"";
            rest += format("# {} = {}{}{}\n", key, example, note.empty() ? "" : "  # ", note);
        }
    }
    return format(
        "# The slot '{}'. Edit this file as you like: the daemon sees it.\n{}\n{}", config.name, set,
        rest.empty() ? "" : "# What else can stand here, with what holds where it doesn't:\n" + rest);
}

Result<std::string> edit_slot(std::string_view text, std::string const& path, SlotConfig const& wanted) {
    HAL0_CHECK(check_slot_name(wanted.name));
    std::optional<Error> fault;
    check_values(wanted, [&fault](char const* key, std::string const& why) {
        if (!fault) fault = Error{Errc::Invalid, format("{} {}", key, why)};
    });
    if (fault) return *fault;
    HAL0_TRY(document, toml::Document::parse(std::string{text}, path));
    auto const defaults = entries(SlotConfig{});
    auto const all = entries(wanted);
    for (std::size_t i = 0; i < all.size(); ++i) {
        HAL0_TRY(after, with_entry(document, all[i], defaults[i].value));
        document = std::move(after);
    }
    HAL0_TRY(outcome, decode_slot(wanted.name, document.text(), path));
    if (outcome.config == wanted) return document.text();
    return Error{Errc::Internal, format("{}: the edited text doesn't say what was asked for", path)};
}

}  // namespace hal0::slots
