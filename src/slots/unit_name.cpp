#include "slots/unit_name.hpp"

#include <cctype>

#include "base/format.hpp"
#include "base/text.hpp"
#include "slots/config.hpp"

namespace hal0::slots {
namespace {

constexpr std::string_view unit_prefix = "hal0-slot@";
constexpr std::string_view unit_suffix = ".service";

bool is_plain(char c) {
    bool const letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    return letter || (c >= '0' && c <= '9') || c == ':' || c == '_' || c == '.';
}

std::string escaped(std::string_view path) {
    std::string text;
    for (char const c : path) {
        if (c == '/') {
            text += '-';
        } else if (is_plain(c)) {
            text += c;
        } else {
            text += format("\\x{:02x}", static_cast<unsigned char>(c));
        }
    }
    return text;
}

std::optional<int> hex_digit(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    return std::nullopt;
}

std::optional<std::string> unescaped(std::string_view text) {
    constexpr std::size_t code_bytes = 4;  // \xNN
    std::string path;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '\\') {
            path += text[i] == '-' ? '/' : text[i];
            continue;
        }
        auto const code = text.substr(i, code_bytes);
        if (code.size() != code_bytes || code[1] != 'x') return std::nullopt;
        auto const high = hex_digit(code[2]);
        auto const low = hex_digit(code[3]);
        if (!high || !low) return std::nullopt;
        path += static_cast<char>(*high * 16 + *low);
        i += code_bytes - 1;
    }
    return path;
}

}  // namespace

Result<std::string> unit_name(UnitInstance const& instance) {
    HAL0_CHECK(check_slot_name(instance.slot));
    auto name = std::string{unit_prefix} + instance.slot;
    if (!instance.runtime.empty()) name += ":" + escaped(instance.runtime);
    name += unit_suffix;
    if (name.size() <= unit_name_bytes_max) return name;
    return Error{
        Errc::TooLarge,
        format("systemd takes no unit whose name is longer than {} bytes, and this home's would be {}: "
               "set HAL0_HOME to a directory of a shorter name, or launcher = \"process\" in hal0.toml",
               unit_name_bytes_max, name.size())};
}

Result<UnitInstance> decode_instance(std::string_view text) {
    auto const colon = text.find(':');
    UnitInstance instance{.slot = std::string{text.substr(0, colon)}};
    HAL0_CHECK(check_slot_name(instance.slot));
    if (colon == std::string_view::npos) return instance;
    auto const path = unescaped(text.substr(colon + 1));
    if (!path || !path->starts_with('/'))
        return Error{Errc::Invalid, format("'{}' names no directory after its slot", clipped(text))};
    instance.runtime = *path;
    return instance;
}

os::Environment environment_of_units(Manager manager) {
    if (manager == Manager::System) return [](char const*) { return std::optional<std::string>{}; };
    return [](char const* name) {
        return std::string_view{name} == "HOME" ? os::environment_of_process(name) : std::nullopt;
    };
}

std::string runtime_of_units(Manager manager) {
    auto const places = os::find_places(environment_of_units(manager));
    return places ? places->runtime : std::string{};
}

bool in_unit(std::string_view cgroups, std::string_view unit) {
    for (auto const line : split(cgroups, '\n')) {
        for (auto const part : split(line, '/')) {
            if (part == unit) return true;
        }
    }
    return false;
}

}  // namespace hal0::slots
