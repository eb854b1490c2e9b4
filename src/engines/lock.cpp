#include "engines/lock.hpp"

#include <algorithm>
#include <array>
#include <cassert>

#include "base/format.hpp"
#include "base/text.hpp"
#include "json/value.hpp"

namespace hal0::embedded {
extern std::string_view const engine_llama_cpp;
}  // namespace hal0::embedded

namespace hal0::engines {
namespace {

struct EmbeddedLock {
    std::string_view name;
    std::string_view const* text;
};
constexpr std::array lock_files{EmbeddedLock{"engines/llama.cpp.json", &embedded::engine_llama_cpp}};

Error wrong(std::string const& path, std::string_view what) {
    return Error{Errc::Invalid, format("{} {}", path, what)};
}

bool is_file_name(std::string_view text) {
    return !text.empty() && text.front() != '.' && text.find('/') == std::string_view::npos;
}

Result<FolderSource> decode_folder_source(json::Value const& value, std::string const& path) {
    FolderSource source;
    json::ObjectReader in{value, path};
    in.required("folder", source.folder);
    auto const* archive = in.member("source");
    HAL0_CHECK(in.finish());
    if (!source.folder.ends_with('/')) return wrong(path + ".folder", "must end in '/'");
    if (archive == nullptr) return wrong(path + ".source", "is missing");
    HAL0_TRY(decoded, models::decode_source(*archive, path + ".source"));
    source.source = std::move(decoded);
    return source;
}

Result<Prebuilt> decode_prebuilt(json::Value const& value, std::string const& path) {
    Prebuilt prebuilt;
    json::ObjectReader in{value, path};
    in.list("sources", prebuilt.sources, decode_folder_source);
    in.required("cpu_features", prebuilt.cpu_features);
    HAL0_CHECK(in.finish());
    if (prebuilt.sources.empty()) return wrong(path + ".sources", "must not be empty");
    if (prebuilt.cpu_features.empty())
        return wrong(path + ".cpu_features", "must say at least for which processors it is (lm or asimd)");
    return prebuilt;
}

Result<void> add_additions(std::vector<std::string> const& names, Recipe& recipe, std::string const& path) {
    for (auto const& name : names) {
        auto addition = known_addition(name);
        if (!addition) return wrong(path + ".additions", "has one unknown: " + addition.error().message);
        recipe.additions.push_back(std::move(addition).value());
    }
    return {};
}

Result<Recipe> decode_recipe(json::Value const& value, std::string const& path) {
    Recipe recipe;
    std::vector<std::string> additions;
    json::ObjectReader in{value, path};
    in.list("sources", recipe.sources, decode_folder_source);
    in.required("options", recipe.options);
    in.required("targets", recipe.targets);
    in.optional("additions", additions);
    in.required("output", recipe.output);
    in.required("native", recipe.native);
    in.required("disk", recipe.disk.count);
    in.required("minutes", recipe.minutes);
    HAL0_CHECK(in.finish());
    if (recipe.sources.empty()) return wrong(path + ".sources", "must not be empty");
    if (recipe.targets.empty()) return wrong(path + ".targets", "must not be empty");
    HAL0_CHECK(add_additions(additions, recipe, path));
    for (auto const& option : recipe.options) {
        if (option.find('=') == std::string::npos)
            return wrong(path + ".options", format("has '{}', which is not NAME=VALUE", option));
    }
    return recipe;
}

Result<void> check_programs(EngineLock const& lock) {
    auto const& programs = lock.programs;
    if (programs.empty()) return wrong("programs", "must not be empty");
    if (!std::all_of(programs.begin(), programs.end(), is_file_name))
        return wrong("programs", "must be file names without '/'");
    bool const own = !lock.smoke_test.empty() &&
                     std::find(programs.begin(), programs.end(), lock.smoke_test.front()) != programs.end();
    if (!own) return wrong("smoke_test", "must begin with one of the programs");
    return {};
}

Result<EngineLock> decode(std::string_view text) {
    HAL0_TRY(value, json::parse(text));
    EngineLock lock;
    std::int64_t schema = 0;
    json::ObjectReader in{value, ""};
    in.required("schema", schema);
    if (schema > lock_schema)
        return Error{Errc::Unsupported, format("schema {} is newer than this hal0 knows", schema)};
    in.required("id", lock.id);
    in.required("name", lock.name);
    in.required("licence", lock.licence);
    in.required("version", lock.version);
    in.required("backend", lock.backend);
    in.required("programs", lock.programs);
    in.required("smoke_test", lock.smoke_test);
    if (in.member("prebuilt") != nullptr) in.list("prebuilt", lock.prebuilt, decode_prebuilt);
    if (auto const* build = in.member("build")) {
        auto recipe = decode_recipe(*build, "build");
        if (!recipe) return std::move(recipe).error();
        lock.recipe = std::move(recipe).value();
    } else {
        return wrong("build", "is missing");
    }
    HAL0_CHECK(in.finish());
    // They become directories' names.
    if (!is_file_name(lock.id)) return wrong("id", "must be a file name without '/'");
    if (!is_file_name(lock.version)) return wrong("version", "must be a file name without '/'");
    HAL0_CHECK(check_programs(lock));
    return lock;
}

}  // namespace

Result<EngineLock> decode_lock(std::string_view text, std::string const& file) {
    auto lock = decode(text);
    if (!lock) return in_context(file, std::move(lock).error());
    return lock;
}

std::vector<EngineLock> const& known_engines() {
    static std::vector<EngineLock> const engines = [] {
        std::vector<EngineLock> decoded;
        for (auto const& file : lock_files) {
            auto lock = decode_lock(*file.text, std::string{file.name});
            assert(lock.ok());  // our own text; the room's test reads every one
            decoded.push_back(std::move(lock).value());
        }
        return decoded;
    }();
    return engines;
}

Result<EngineLock> known_engine(std::string_view id) {
    std::vector<std::string> ids;
    for (auto const& engine : known_engines()) {
        if (engine.id == id) return engine;
        ids.push_back(engine.id);
    }
    return Error{Errc::NotFound,
                 format("hal0 knows no engine '{}'; it knows {}", clipped(id), join(ids, ", "))};
}

}  // namespace hal0::engines
