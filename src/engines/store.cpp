#include "engines/store.hpp"

#include <algorithm>
#include <optional>

#include "base/format.hpp"
#include "base/text.hpp"
#include "json/value.hpp"
#include "json/writer.hpp"
#include "os/cpu.hpp"
#include "os/file.hpp"

namespace hal0::engines {
namespace {

constexpr Bytes sidecar_max = 1_MiB;

// "11434" and "11401", "1.10" and "1.9": numbers compared as numbers.
bool newer(InstalledEngine const& a, InstalledEngine const& b) {
    auto const x = split(a.version, '.');
    auto const y = split(b.version, '.');
    for (std::size_t i = 0; i < std::min(x.size(), y.size()); ++i) {
        auto const left = to_int(x[i]).value_or(0);
        auto const right = to_int(y[i]).value_or(0);
        if (left != right) return left > right;
    }
    return x.size() != y.size() ? x.size() > y.size() : a.built_at > b.built_at;
}

// What it lacks, as by a power cut or by hand; nothing when it is complete.
std::string fault_of(InstalledEngine const& engine) {
    for (auto const& program : engine.programs) {
        auto const path = engine.program(program);
        auto const found = os::status(path);
        if (!found || found->kind != os::FileKind::Regular) return format("{} is missing", path);
        if (found->size.count == 0) return format("{} is empty", path);
    }
    return {};
}

// All that have a name and a sidecar, newest version first.
std::vector<InstalledEngine> named_in(std::string const& root) {
    std::vector<InstalledEngine> engines;
    auto const ids = os::list_directory(root);
    if (!ids) return engines;
    for (auto const& id : *ids) {
        auto const builds = os::list_directory(os::join_path(root, id));
        if (id.starts_with('.') || !builds) continue;
        for (auto const& build : *builds) {
            auto const directory = os::join_path(os::join_path(root, id), build);
            auto const text = os::read_file(os::join_path(directory, "engine.json"), sidecar_max);
            if (build.starts_with('.') || !text) continue;
            if (auto engine = decode_engine(*text, directory)) engines.push_back(std::move(engine).value());
        }
    }
    std::sort(engines.begin(), engines.end(), newer);
    return engines;
}

}  // namespace

std::string InstalledEngine::program(std::string_view name) const {
    return os::join_path(directory + "/bin", name);
}

Bytes InstalledEngine::size() const {
    Bytes all{};
    for (auto const& name : programs) {
        if (auto const found = os::status(program(name))) all += found->size;
    }
    return all;
}

std::string encode(InstalledEngine const& engine) {
    json::Writer out;
    out.begin_object().field("schema", 1).field("id", engine.id).field("version", engine.version);
    out.field("key", engine.key).field("backend", engine.backend).field("compiler", engine.compiler);
    out.field("built_at", engine.built_at).field("cpu_features", engine.cpu_features);
    out.field("programs", engine.programs).end_object();
    return out.take() + "\n";
}

Result<InstalledEngine> decode_engine(std::string_view text, std::string const& directory) {
    HAL0_TRY(value, json::parse(text));
    InstalledEngine engine{.directory = directory};
    json::ObjectReader in{value, ""};
    in.required("id", engine.id);
    in.required("version", engine.version);
    in.required("key", engine.key);
    in.required("backend", engine.backend);
    in.optional("compiler", engine.compiler);
    in.optional("built_at", engine.built_at);
    in.required("cpu_features", engine.cpu_features);
    in.optional("programs", engine.programs);
    HAL0_CHECK(in.finish_lenient());
    return engine;
}

std::vector<std::string> this_cpu_features() {
    auto const text = os::read_file("/proc/cpuinfo", 16_MiB);
    if (!text) return {};
    for (auto const line : split(*text, '\n')) {
        auto const colon = line.find(':');
        auto const name = trim(line.substr(0, colon));
        if (colon == std::string_view::npos || (name != "flags" && name != "Features")) continue;
        std::vector<std::string> features;
        for (auto const word : split(trim(line.substr(colon + 1)), ' '))
            features.emplace_back(word);
        if (os::cpu_has_apx()) features.emplace_back("apx");
        std::sort(features.begin(), features.end());
        return features;
    }
    return {};
}

std::vector<InstalledEngine> EngineStore::list() const {
    auto engines = named_in(root_);
    std::erase_if(engines, [](InstalledEngine const& engine) { return !fault_of(engine).empty(); });
    return engines;
}

bool EngineStore::runs_here(InstalledEngine const& engine) const {
    return std::all_of(engine.cpu_features.begin(), engine.cpu_features.end(),
                       [this](std::string const& feature) {
                           return std::binary_search(cpu_features_.begin(), cpu_features_.end(), feature);
                       });
}

Result<InstalledEngine> EngineStore::find(std::string const& id, std::string_view backend) const {
    std::string found = "not installed";
    std::optional<InstalledEngine> other;
    for (auto& engine : named_in(root_)) {
        if (engine.id != id) continue;
        if (auto const fault = fault_of(engine); !fault.empty()) {
            found = format("here, but damaged ({})", fault);
        } else if (!runs_here(engine)) {
            found = "here, but built for another CPU";
        } else if (backend.empty() || engine.backend == backend) {
            return std::move(engine);
        } else if (!other) {
            other = std::move(engine);
        }
    }
    if (other) return *std::move(other);
    return Error{Errc::NotFound, format("the engine {} is {}; install it with 'hal0 engine install {}'",
                                        clipped(id), found, clipped(id))};
}

}  // namespace hal0::engines
